"""Reduces words to their stems."""

import functools
import threading

import snowballstemmer

from pipeline.text.languages.scripts import script_of, script_of_language, usual_language
from pipeline.text.languages.tables import Language, table

_threads = threading.local()
"""Each thread has stemmers of its own, because a stemmer keeps state while it works."""


@functools.lru_cache(maxsize=100_000)
def stem(word: str, language: str = "en") -> str:
    """The stem of `word`, which must be in lower case: `gateways` becomes `gateway` (Snowball; English is Porter 2).

    Args:
        language: the ISO 639-1 code of the text's language. A word in another script is of the usual language of that
            script, so a Russian name in an English text has a Russian stem.
    """
    if word.isascii() and language == "en":
        return _snowball("english", word)
    rules = table(language_of_word(word, language))
    if rules.endings:
        return _without_endings(word, rules)
    return _snowball(rules.stemmer, word) if rules.stemmer else word


def language_of_word(word: str, language: str) -> str:
    """The language whose rules apply to `word` in a text in `language`; English if that is unknown."""
    script = script_of(next(filter(str.isalpha, word), ""))
    if (language and script == script_of_language(language)) or (language == "ja" and script == "han"):
        return language
    return usual_language(script) or "en"


def _snowball(name: str, word: str) -> str:
    stemmers = _threads.__dict__
    if name not in stemmers:
        stemmers[name] = snowballstemmer.stemmer(name)
    return str(stemmers[name].stemWord(word))


def _without_endings(word: str, rules: Language) -> str:
    """`word` without its endings, one after the other; at least one letter stays."""
    while ending := next((e for e in rules.endings if len(e) < len(word) and word.endswith(e)), ""):
        word = word.removesuffix(ending)
    return word
