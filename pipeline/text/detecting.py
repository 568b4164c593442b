"""Tells which language a text is written in.

`language_of` reads letters, and needs a sentence or two. `main_language` first counts the words of each table, and so knows
the language of most questions.
"""

import functools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pipeline.text.function_words import FUNCTION_WORDS
from pipeline.text.languages.scripts import main_script, script_of_language, usual_language
from pipeline.text.languages.tables import known_codes, table
from pipeline.text.words import elided, words

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

SURE = 0.9
"""A language with at least this probability is taken as certain."""
FEWEST_LETTERS = 15
"""A text with fewer letters could be in many languages. A Chinese, Japanese or Korean letter counts as three."""
ENGLISH_SHARE = 0.22
"""English text has at least this share of English function words. Texts in other languages have less."""

READ = 4000
"""Characters of a long text that are enough to tell its language."""

CLEARLY = 1.2
"""How many times more function words of a language a text must have than of the next."""
FEWEST, SAFE = 1.0, 1.5
"""Function words that tell a language if the letters do not, and whatever the letters tell."""
SAFE_SHARE = 0.15
"""Among the words of a text so many must be function words to tell its language whatever the letters tell. In a language
without a table some words are function words of another one."""
_SHARED_SCRIPTS = ("latin", "cyrillic", "arabic", "devanagari")
"""Scripts of several languages."""

_NO_PROSE = re.compile(r"```.*?(?:```|\Z)|`[^`]*`|\S*[/@\\_]\S*|\S+\.\w\S*|[“\"«„][^”\"»“]*[”\"»“]|\S*\d\S*", re.DOTALL)
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def identify(text: str) -> dict[str, float]:
    """The probability of each language, by its ISO 639-1 code; {} if `text` has too few words to tell."""
    prose = _NO_PROSE.sub(" ", text)
    letters = sum(3 if _DENSE.match(c) else 1 for c in prose if c.isalpha())
    if letters < FEWEST_LETTERS:
        return {}
    return {str(code): float(probability) for code, probability in _identifier().rank(" ".join(prose.split()))}


@functools.lru_cache(maxsize=4096)
def language_of(text: str) -> tuple[str, float]:
    """The likeliest language, by its ISO 639-1 code, and its probability; ("", 0) if `text` has too few words to tell."""
    probabilities = identify(text)
    best = max(probabilities, key=probabilities.__getitem__, default="")
    return best, probabilities.get(best, 0.0)


@functools.lru_cache(maxsize=4096)
def main_language(text: str) -> str:
    """The ISO 639-1 code of the language of a question or a document; "" if neither words nor letters tell."""
    text = text[:READ]
    return (
        _by_words(text, _safe(text)) or _by_letters(text) or _by_words(text, FEWEST) or usual_language(main_script(text))
    )  # fmt: skip


def language_among(text: str, known: Mapping[str, int]) -> str:
    """The language of a question to notes in the languages `known`, counted by ISO 639-1 code.

    The letters of a few words mislead, so they count only for languages of the notes. Where nothing tells, it is the
    language of most notes.
    """
    if found := _by_words(text, _safe(text)):
        return found
    # After the words, which tell most questions: the letters need a model, whose loading takes a second.
    letters = _by_letters(text)
    if found := (letters if letters in known else "") or _by_words(text, FEWEST):
        return found
    script = main_script(text)
    if script != "latin":
        return letters or usual_language(script)
    return max(known, key=lambda code: known[code], default=letters)


def _by_words(text: str, least: float) -> str:
    """The language with the most function words, of which it has at least `least`; "" if another is not far behind.

    A script of one language tells alone.
    """
    script = main_script(text)
    if script not in _SHARED_SCRIPTS:
        return usual_language(script)
    (first, most), (_, next_most) = (*Counter(_scores(text)).most_common(2), ("", 0.0), ("", 0.0))[:2]
    # Of another script the tables know one language each, and it may be another.
    return first if script == "latin" and most >= least and most > CLEARLY * next_most else ""


def _by_letters(text: str) -> str:
    language, probability = language_of(text)
    fits = script_of_language(language) == main_script(text)
    scores = _scores(text)
    # A language without a table has no words to count, and shares some with others.
    least = scores[language] if table(language).is_known else _safe(text)
    doubted = any(score >= least for code, score in scores.items() if code != language)
    return language if probability >= SURE and fits and not doubted else ""


def _safe(text: str) -> float:
    return max(SAFE, SAFE_SHARE * len(words(text)))


def _scores(text: str) -> dict[str, float]:
    """How many function words each language has in `text`; a word that several have counts as a part for each."""
    scores: dict[str, float] = defaultdict(float)
    for word in " ".join(words(text)).replace("-", " ").split():
        for code in _speakers().get(word, ()):
            scores[code] += 1 / len(_speakers()[word])
        for code in _eliding() if "'" in word else ():  # `l'eau`, but not the `s` of `note's`
            scores[code] += sum(part in table(code).function_words for part in elided(word, code)[:-1]) / 2
    return scores


def count_languages(texts: Iterable[str]) -> dict[str, int]:
    """How many of `texts` are in each language, most first; a text whose language can't be told is not counted."""
    return dict(Counter(language for text in texts if (language := main_language(text))).most_common())


@functools.cache
def _speakers() -> Mapping[str, tuple[str, ...]]:
    """The languages whose tables hold a word as a function word or a pointer, by word."""
    found: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for code in known_codes():
        for word in table(code).function_words | table(code).follow_ups.pointers:
            found[word] += (code,)
    return found


@functools.cache
def _eliding() -> tuple[str, ...]:
    return tuple(code for code in known_codes() if table(code).elides)


def may_be_english(text: str) -> bool:
    """Whether rules for English may be applied to `text`. True also if its language can't be told."""
    language, probability = language_of(text)
    return language in ("en", "") or probability < SURE


def is_english(prose: str) -> bool:
    """Whether `prose` is certainly English, judged by its share of English function words (`ENGLISH_SHARE`)."""
    found = words(prose)
    return bool(found) and sum(word in FUNCTION_WORDS for word in found) >= ENGLISH_SHARE * len(found)


def without_spaces(text: str) -> bool:
    """Whether most letters of `text` are Chinese, Japanese or Korean, which say much in few characters."""
    return 2 * len(_DENSE.findall(text)) > sum(map(str.isalpha, text))


@functools.cache
def _identifier() -> "LanguageIdentifier":
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
