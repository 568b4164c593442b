"""Texts that stand in a block of a prompt can't close it, open another one, or end a turn."""

import functools
import re
import unicodedata
from collections.abc import Iterable

_BREAK = "\u2060"
"""WORD JOINER: nothing to see."""
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
"""Letters of other alphabets, and brackets, that look like those of a tag; wide and styled ones fold by NFKD."""
_UNSEEN = frozenset("\u115f\u1160\u3164\uffa0")
"""Letters for Unicode, and blank; other invisible characters are told by their category."""
_OPEN, _SLASH, _CLOSE = (
    rf"(?:{sign}|&{name};|&#0*{ord(sign)};|&#x0*{ord(sign):x};)"
    for sign, name in (("<", "lt"), ("/", "sol"), (">", "gt"))
)
_CONTROL = re.compile(
    r"<[|｜][^<>\s]{1,40}?[|｜]>|<\|[^<>\s]{1,40}>|<[^<>\s]{1,40}\|>"
    r"|</?(?:s|bos|eos|pad|unk|mask|think|thinking|tool_call|tool_response|tools|start_of_turn|end_of_turn)>"
    r"|<(?:start|end)_of_\w{1,20}>|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|THINK)\]|<</?SYS>>"
)
"""Of the families that this project knows: Llama, Qwen, Gemma, Mistral, DeepSeek, Phi, gpt-oss."""


def inert(text: str, tags: Iterable[str]) -> str:
    """`text` with round brackets around what a model may read as one of `tags`, opening or closing.

    Case, width, spaces, invisible characters, letters that look alike, attributes and HTML entities make no difference.
    """
    folded, places = _fold(text)
    done, end = [], 0
    for found in _tag(tuple(tags)).finditer(folded):
        done += [text[end : places[found.start()]], f"({'/' if found[1] else ''}{found[2]})"]
        end = places[found.end() - 1] + 1
    return "".join([*done, text[end:]])


def without_control_tokens(text: str) -> str:
    """`text` for a server that reads control tokens wherever they stand: an invisible character breaks each.

    sitetwin's own engine needs no such thing: it spells them as text.
    """
    return _CONTROL.sub(lambda mark: mark[0][0] + _BREAK + mark[0][1:], text)


def _fold(text: str) -> tuple[str, list[int]]:
    """`text` as it looks, in plain small letters, and for each of these the place of its character in `text`."""
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
