"""Compounds of a language that writes them as one word: a `Datensicherung` is a `Sicherung`.

The last part of a compound says what it is, so whoever asks for the one means the other too. The first part does not:
an `Anhangsgröße` is no `Anhang`, and on German help pages nothing was gained by it.
"""

_SHORTEST_HEAD = 5
"""Letters. Shorter stems end too many words by chance, as `raum` does `Traum`."""
_SHORTEST_FIRST = 3
"""Letters of what stands before the head."""


def may_be_head(stem: str) -> bool:
    """Whether `stem` is long enough to be looked for at the end of others."""
    return len(stem) >= _SHORTEST_HEAD and stem.isalpha()


def is_headed_by(word: str, head: str) -> bool:
    """Whether the stem `word` is a compound whose last part has the stem `head`."""
    return may_be_head(head) and len(word) >= len(head) + _SHORTEST_FIRST and word.isalpha() and word.endswith(head)
