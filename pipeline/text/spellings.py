"""Names that two texts write in two ways: `SF` and `San Francisco`, `MediCal` and `Medi-Cal`, `VPN` and `VPNs`."""

import re
from collections.abc import Iterable, Iterator, Sequence

from pipeline.text.stems import stem
from pipeline.text.words import PART, WORD, function_words

_FEWEST, _MOST = 2, 6
"""So many letters a short form has. One letter fits too much, and more are a shout."""
_SURE = 3
"""So many words in a row that carry meaning and begin with the letters of a short form need no capitals."""
_SKIPPED = frozenset("a an and at by de for in of on the to".split())
"""Words whose first letter a capital form may leave out, as in `Department of Justice`."""
_IN_A_ROW = re.compile(rf"(?:{PART.pattern})(?:(?:-|[ \t]+|[ \t]*\n[ \t]*)(?:{PART.pattern}))+")
"""Words with nothing but spaces, hyphens or one line break between them."""
_SHORTER = {"USA": "US"}
"""What most texts write without its last word."""


def written_otherwise(names: Iterable[str], question: str, text: str, language: str = "en") -> set[str]:
    """Those of `names`, stems of the question's, that `text` holds in another spelling.

    Args:
        language: the question's, by its ISO 639-1 code, which made the stems.
    """
    short, known = _short_forms(question, language), set(_short_forms(text, language).values())
    spelt_out = [run for run in _runs(question) if _initials(run) in known]
    joined = {_joined(word, language) for word in WORD.findall(text)}
    rows = [PART.findall(row) for row in _IN_A_ROW.findall(text)]
    found = {stem(word.lower(), language) for run in spelt_out for word in run}
    return {
        name
        for name in names
        if name in found
        # `1.7` is not 17.
        or (any(map(str.isalpha, name)) and _joined(name, language) in joined)
        or (name in short and (short[name] in known or _spells_out(short[name], rows)))
    }


def _short_forms(text: str, language: str) -> dict[str, str]:
    """The letters of each short form, by the stem of the word: `US` for `U.S.`, `VPN` for `VPNs`."""
    found = {}
    for word in WORD.findall(text):
        letters = re.sub(r"['’]?s$", "", word).replace(".", "")
        if letters.isalpha() and letters.isupper() and _FEWEST <= len(letters) <= _MOST:
            found[stem(word.lower().replace("’", "'"), language)] = _SHORTER.get(letters, letters)
    return found


def _spells_out(letters: str, rows: Sequence[Sequence[str]]) -> bool:
    """Whether words in a row begin with `letters`: with capitals, or so many that carry meaning that it is no chance."""
    return any(
        _has_capitals(letters, row[start:]) or _carries_meaning(letters, row[start : start + len(letters)])
        for row in rows
        for start in range(len(row))
    )


def _has_capitals(letters: str, row: Sequence[str]) -> bool:
    """Whether `row` begins with a word in capitals for each letter. Skipped words may stand for theirs, or for none."""
    left = letters
    for word in row:
        is_skipped = left != letters and word in _SKIPPED
        if left and (word[0].upper() if is_skipped else word[0]) == left[0]:
            left = left[1:]
        elif not is_skipped:
            break
    return not left


def _carries_meaning(letters: str, row: Sequence[str]) -> bool:
    """Whether `row` is one word for each letter, none of them a function word: `virtual private network`."""
    initials = "".join(word[0].upper() for word in row)
    return initials == letters and len(row) >= _SURE and function_words("en").isdisjoint(map(str.lower, row))


def _runs(text: str) -> Iterator[list[str]]:
    """Words in a row that have a capital, as in `San Francisco`, with the words in between that have none."""
    for run in re.findall(r"\b[A-Z]\w+(?: (?:of |the |and |for )*[A-Z]\w+)+", text):
        yield run.split()


def _initials(run: Sequence[str]) -> str:
    letters = "".join(word[0] for word in run if word not in _SKIPPED)
    return _SHORTER.get(letters, letters)


def _joined(word: str, language: str) -> str:
    """The stem of a word without what joins its parts."""
    return stem("".join(PART.findall(word)).lower(), language)
