"""Words that carry meaning, by their stems: the ground for every check that needs no model."""

import functools
import re

import snowballstemmer

_WORD = re.compile(r"[^\W_]+(?:[._\-/'’][^\W_]+)*", re.UNICODE)
_PART = re.compile(r"[^\W_]+", re.UNICODE)

FUNCTION_WORDS = frozenset(
    """a about after all also am an and any anything are aren't as at be because been before being but by can can't
    cannot could couldn't did didn't do does doesn't doing don't else every for from get give go had has hasn't have
    haven't having he her here hers him his how i i'd i'll i'm i've if in into is isn't it it's its just know let like
    look made make makes many may me might mine more most much must my need no nor not of off on once one only or other
    our ours out over own please say says shall she should shouldn't show so some something still such take tell than
    that that's the their theirs them then there these they thing things this those through to too under until up upon
    us use used uses using very want was wasn't way we we're well were what what's when where where's which while who
    who's whom whose why will with won't work works would wouldn't yes yet you you're your yours""".split()
)
"""English words that questions are made of and that say nothing about their subject."""


@functools.lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    return str(_stemmer().stemWord(word))


@functools.cache
def _stemmer() -> "snowballstemmer.stemmer":
    return snowballstemmer.stemmer("english")


def words(text: str) -> list[str]:
    """Words in lower case; names such as `sitetwin.toml` and `all-minilm-l6-v2` stay whole."""
    return [word.lower().replace("’", "'") for word in _WORD.findall(text)]


def content_stems(text: str) -> list[str]:
    """Stems of the words that are no function words, in their order."""
    return [stem(word) for word in words(text) if word not in FUNCTION_WORDS]


def stems_with_parts(text: str) -> set[str]:
    """Stems of all words and of the parts of composed ones, so that `toml` is found in `sitetwin.toml`."""
    found: set[str] = set()
    for word in words(text):
        found.add(stem(word))
        found.update(stem(part) for part in _PART.findall(word))
    return found


def names(question: str) -> set[str]:
    """Stems of what a question names: words with a capital or a digit that grammar does not ask for (`iPhone`, `2.0`)."""
    found = _WORD.findall(question)
    shaped = [word for position, word in enumerate(found) if _is_name(word, first=position == 0)]
    # In a title or a shout every word has a capital: then it says nothing.
    return set() if len(shaped) > len(found) / 2 else {stem(word.lower()) for word in shaped}


def _is_name(word: str, *, first: bool) -> bool:
    if word.lower() in FUNCTION_WORDS:
        return False
    return any(c.isdigit() or c.isupper() for c in (word[1:] if first else word))


def numbers(text: str) -> set[str]:
    """Numbers as written, e.g. {"8765", "3.11"}."""
    return set(re.findall(r"\d+(?:[.,]\d+)*", text))
