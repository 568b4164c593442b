"""Makes a text inert before it enters a block of a prompt: it can't close the block, open another one, or end a turn."""

import functools
import re
import unicodedata
from collections.abc import Iterable

_BREAK = "\u2060"
"""WORD JOINER, an invisible character."""
_LOOKALIKES = str.maketrans(
    {
        **dict.fromkeys("‹⟨〈〈❮❬˂ᐸ≺", "<"),
        **dict.fromkeys("›⟩〉〉❯❭˃ᐳ≻", ">"),
        **dict.fromkeys("∕⁄⧸╱\\", "/"),
        **dict.fromkeys("аαɑᴀ", "a"),
        **dict.fromkeys("еεҽᴇ", "e"),
        **dict.fromkeys("ɡցɢ", "g"),
        **dict.fromkeys("ⅼⲓӏʟ", "l"),
        **dict.fromkeys("мᴍ", "m"),
        **dict.fromkeys("рρᴘ", "p"),
        **dict.fromkeys("ѕꜱ", "s"),
        **dict.fromkeys("тτᴛ", "t"),
        **dict.fromkeys("хχ", "x"),
    }
)
"""Letters of other alphabets and brackets that look like those of a tag. NFKD folds wide and styled ones."""
_UNSEEN = frozenset("\u115f\u1160\u3164\uffa0")
"""Characters that Unicode calls letters but that look blank. Other invisible ones are known by their category."""
_OPEN, _SLASH, _CLOSE = (
    rf"(?:{sign}|&{name};|&#0*{ord(sign)};|&#x0*{ord(sign):x};)"
    for sign, name in (("<", "lt"), ("/", "sol"), (">", "gt"))
)
_CONTROL = re.compile(
    r"<[|｜][^<>\s]{1,40}?[|｜]>|<\|[^<>\s]{1,40}>|<[^<>\s]{1,40}\|>"
    r"|</?(?:s|bos|eos|pad|unk|mask|think|thinking|tool_call|tool_response|tools|start_of_turn|end_of_turn)>"
    r"|<(?:start|end)_of_\w{1,20}>|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|THINK)\]|<</?SYS>>"
)
"""The control tokens of Llama, Qwen, Gemma, Mistral, DeepSeek, Phi and gpt-oss."""


def inert(text: str, tags: Iterable[str]) -> str:
    """`text` with round brackets in place of everything that a model may read as one of `tags`, opening or closing.

    Case, width, spaces, invisible characters, look-alike letters, attributes and HTML entities make no difference.

    Args:
        tags: the names of the tags, without brackets.
    """
    folded, places = _fold(text)
    done, end = [], 0
    for found in _tag(tuple(tags)).finditer(folded):
        done += [text[end : places[found.start()]], f"({'/' if found[1] else ''}{found[2]})"]
        end = places[found.end() - 1] + 1
    return "".join([*done, text[end:]])


def without_control_tokens(text: str) -> str:
    """`text` with an invisible character inside each control token, for servers that obey those tokens wherever they stand.

    sitetwin's own engine needs no such protection, because it encodes them as plain text.
    """
    return _CONTROL.sub(lambda mark: mark[0][0] + _BREAK + mark[0][1:], text)


def with_control_tokens(text: str) -> str:
    """`text` without the characters of `without_control_tokens`, for what a model repeats of it."""
    return text.replace(_BREAK, "")


def _fold(text: str) -> tuple[str, list[int]]:
    """`text` as it looks, in plain lower-case letters, and for each letter the index of its character in `text`."""
    if text.isascii():
        return text.lower().translate(_LOOKALIKES), list(range(len(text)))
    folded, places = [], []
    for place, letter in enumerate(text):
        for plain in unicodedata.normalize("NFKD", letter).translate(_LOOKALIKES).lower():
            if unicodedata.category(plain) not in ("Cf", "Mn", "Me") and plain not in _UNSEEN:
                folded.append(plain.translate(_LOOKALIKES))
                places.append(place)
    return "".join(folded), places


@functools.cache
def _tag(names: tuple[str, ...]) -> re.Pattern[str]:
    name = "|".join(map(re.escape, names))
    return re.compile(rf"{_OPEN}\s*({_SLASH})?\s*({name})\b(?:[^<>\n]{{0,200}}?{_CLOSE})?")
