"""Control tokens that stand in a text are text: what opens and closes turns is written by the template alone."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

_LOOKS_LIKE_CONTROL = re.compile(r"<[|｜].*[|｜]>|<(/?)\w*think\w*>|<(/?)tool_\w+>|\[/?[A-Z_]+\]", re.DOTALL)
"""Of added tokens that a tokenizer does not call special, as `<think>` of Qwen 3 and `<｜User｜>` of DeepSeek."""
_BREAK = "\u2060"
"""WORD JOINER: nothing to see, and a mark with it inside is no mark."""


class Part(NamedTuple):
    """A piece of a rendered chat."""

    text: str
    is_content: bool
    """Written by a person or a model, not by the template."""


def control_tokens(tokenizer: Any, template: str) -> list[str]:
    """The added tokens of a tokenizer of transformers that mean something to the model, the longest first.

    Others are words like any other: Gemma has tokens for line breaks and for HTML.

    Args:
        template: the source of the chat template; what it names has a meaning.
    """
    added = tokenizer.added_tokens_decoder.values()
    found = {
        token.content
        for token in added
        if token.content.strip()
        and (token.special or token.content in template or _LOOKS_LIKE_CONTROL.fullmatch(token.content))
    }
    return sorted(found, key=lambda token: (-len(token), token))


def encode(parts: Sequence[Part], tokenizer: Any, control: Sequence[str]) -> list[int]:
    """The tokens of a rendered chat. Within contents no control token is matched: they are spelled as text.

    Args:
        tokenizer: of transformers.
        control: its `control_tokens`.
    """
    from transformers.utils.chat_template_utils import encode_marked_chat, mark_control_tokens

    pattern = either(control)
    if not any(part.is_content and pattern.search(part.text) for part in parts):
        # One text, so that words are cut as the model has always seen them.
        return list(tokenizer.encode("".join(part.text for part in parts), add_special_tokens=False))
    marked = [mark_control_tokens(part.text, pattern) if part.is_content else part.text for part in parts]
    try:
        return list(encode_marked_chat(tokenizer, "".join(marked)))
    except ValueError:
        # This vocabulary spells the token as one word whatever is asked for.
        broken = [broken_up(part.text, pattern) if part.is_content else part.text for part in parts]
        return list(tokenizer.encode("".join(broken), add_special_tokens=False))


def either(marks: Iterable[str]) -> re.Pattern[str]:
    """Matches any of `marks`, the first that fits; nothing when there are none."""
    return re.compile("|".join(map(re.escape, marks)) or "(?!)")


def broken_up(text: str, marks: re.Pattern[str]) -> str:
    """`text` with an invisible character behind the first one of each mark."""
    return marks.sub(lambda mark: mark[0][0] + _BREAK + mark[0][1:], text)
