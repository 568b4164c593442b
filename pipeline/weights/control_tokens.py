"""Control tokens inside a content are plain text. Only the template opens and closes turns."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

_LOOKS_LIKE_CONTROL = re.compile(r"<[|｜].*[|｜]>|<(/?)\w*think\w*>|<(/?)tool_\w+>|\[/?[A-Z_]+\]", re.DOTALL)
"""Added tokens that a tokenizer does not mark as special, such as `<think>` of Qwen 3 and `<｜User｜>` of DeepSeek."""
_BREAK = "\u2060"
"""WORD JOINER: an invisible character that breaks up a mark."""


class TextPart(NamedTuple):
    """A piece of a rendered chat."""

    text: str
    is_content: bool
    """Whether a person or a model wrote it, not the template."""


def control_tokens(tokenizer: Any, template: str) -> list[str]:
    """The added tokens that control the model, the longest first.

    Other added tokens are plain text: Gemma has some for line breaks and for HTML.

    Args:
        tokenizer: a tokenizer of transformers.
        template: source of the chat template; every added token in it counts as control token.
    """
    added = tokenizer.added_tokens_decoder.values()
    found = {
        token.content
        for token in added
        if token.content.strip()
        and (token.special or token.content in template or _LOOKS_LIKE_CONTROL.fullmatch(token.content))
    }
    return sorted(found, key=lambda token: (-len(token), token))


def encode(parts: Sequence[TextPart], tokenizer: Any, control: Sequence[str]) -> list[int]:
    """The tokens of a rendered chat. Control tokens inside contents are spelled as text.

    Args:
        tokenizer: a tokenizer of transformers.
        control: its control tokens, see `control_tokens`.
    """
    from transformers.utils.chat_template_utils import encode_marked_chat, mark_control_tokens

    pattern = either(control)
    if not any(part.is_content and pattern.search(part.text) for part in parts):
        # Encoded as one text, so that words are cut as in the model's training.
        return list(tokenizer.encode("".join(part.text for part in parts), add_special_tokens=False))
    marked = [mark_control_tokens(part.text, pattern) if part.is_content else part.text for part in parts]
    try:
        return list(encode_marked_chat(tokenizer, "".join(marked)))
    except ValueError:
        # This vocabulary can't spell the token in several pieces.
        broken = [broken_up(part.text, pattern) if part.is_content else part.text for part in parts]
        return list(tokenizer.encode("".join(broken), add_special_tokens=False))


def either(marks: Iterable[str]) -> re.Pattern[str]:
    """A pattern that matches the first fitting one of `marks`. Without marks it matches nothing."""
    return re.compile("|".join(map(re.escape, marks)) or "(?!)")


def broken_up(text: str, marks: re.Pattern[str]) -> str:
    """`text` with an invisible character after the first character of each mark."""
    return marks.sub(lambda mark: mark[0][0] + _BREAK + mark[0][1:], text)
