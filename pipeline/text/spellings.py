"""Names that two texts write in two ways: `SF` and `San Francisco`, `MediCal` and `Medi-Cal`, `VPN` and `VPNs`."""

import re
from collections.abc import Iterable, Iterator, Sequence

from pipeline.text.stems import stem
from pipeline.text.words import PART, WORD

_FEWEST, _MOST = 2, 6
"""So many letters a short form has. One letter fits too much, and more are a shout."""
_SURE = 3
"""So many words in a row that begin with the letters of a short form need no capitals: chance seldom makes as many."""
_SKIPPED = frozenset("a an and at by de for in of on the to".split())
"""Words whose first letter a short form may leave out."""
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
    said = PART.findall(text)
    found = {stem(word.lower(), language) for run in spelt_out for word in run}
    return {
        name
        for name in names
        if name in found
        # `1.7` is not 17.
        or (any(map(str.isalpha, name)) and _joined(name, language) in joined)
        or (name in short and (short[name] in known or _spells_out(short[name], said)))
    }


def _short_forms(text: str, language: str) -> dict[str, str]:
    """The letters of each short form, by the stem of the word: `US` for `U.S.`, `VPN` for `VPNs`."""
    found = {}
    for word in WORD.findall(text):
        letters = re.sub(r"['’]?s$", "", word).replace(".", "")
        if letters.isalpha() and letters.isupper() and _FEWEST <= len(letters) <= _MOST:
            found[stem(word.lower().replace("’", "'"), language)] = _SHORTER.get(letters, letters)
    return found


def _spells_out(letters: str, said: Sequence[str]) -> bool:
    """Whether words in a row begin with `letters`: with capitals, or so many that it is no chance."""
    return any(_begin_with(letters, said, start) for start in range(len(said)))


def _begin_with(letters: str, said: Sequence[str], start: int) -> bool:
    run: list[str] = []
    for word in said[start:]:
        if len(run) == len(letters):
            break
        if word[0].upper() == letters[len(run)]:
            run.append(word)
        elif not run or word not in _SKIPPED:
            return False
    return len(run) == len(letters) and (len(run) >= _SURE or all(word[0].isupper() for word in run))


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
