"""Verbs in other forms: who asks how to `löschen` also means `gelöscht`, `löscht` and `Löschung`.

Snowball's German stemmer cuts endings, but neither the `ge` of a participle nor the `t` of many forms, and a question
takes verbs apart: `Wie schalte ich das Licht aus?`
"""

import functools
from collections.abc import Iterator

from pipeline.text.languages.tables import Language, table
from pipeline.text.separable import whole_verb
from pipeline.text.stems import stem
from pipeline.text.words import function_words, written_words

_PERSONS = ("", "e", "n", "en", "st", "est")
_PARTICIPLES = tuple(f"{end}{case}" for end in ("t", "et") for case in ("", "e", "en", "er", "es", "em"))
_NOUNS = ("ung", "ungen")
_SHORTEST = 3
"""Letters of a verb without its endings. Shorter ones are found in too many words."""


def verbs_of(question: str, language: str) -> dict[str, frozenset[str]]:
    """The stems that mean the same as a word of `question`, by the stem of that word; {} in a language without a rule.

    Of a verb that the question takes apart they are those of the whole verb.

    Args:
        language: the question's, an ISO 639-1 code.
    """
    if not table(language).verbs:
        return {}
    empty = function_words(language)
    found = {
        stem(word.lower(), language): verb_forms(word, language)
        for word in written_words(question)
        if word.lower() not in empty
    }
    if parts := whole_verb(question, language):
        verb, whole = parts
        found[stem(verb, language)] = verb_forms(whole, language) | {stem(whole, language)}
    return {word: forms for word, forms in found.items() if forms}


@functools.lru_cache(maxsize=10_000)
def verb_forms(word: str, language: str) -> frozenset[str]:
    """The stems of the other forms of `word`, if it may be a verb or a noun made of one; none in a language without a rule.

    Some are stems of no word, as its letters don't tell where its ending begins.

    Args:
        word: as a question writes it. In German a noun has a capital, and is made of a verb if it ends in `ung`.
        language: an ISO 639-1 code.
    """
    rules = table(language)
    if not rules.verbs or not word.isalpha():
        return frozenset()
    return frozenset(stem(form, language) for form in _forms(word, rules)) - {stem(word.lower(), language)}


def _forms(word: str, rules: Language) -> Iterator[str]:
    lowered = word.lower()
    for ending in (*_PERSONS, *_PARTICIPLES) if word.islower() else _NOUNS:
        if not lowered.endswith(ending):
            continue
        for particle, verb in _readings(lowered.removesuffix(ending), rules):
            if len(verb) < _SHORTEST:
                continue
            yield from (f"{particle}{verb}{end}" for end in ("n", "en", "t", "et", "ung"))
            yield from (f"{particle}ge{verb}{end}" for end in ("n", "en", "t", "et"))
            yield from (f"{particle}zu{verb}{end}" for end in ("n", "en") if particle)


def _readings(root: str, rules: Language) -> Iterator[tuple[str, str]]:
    """What may be the particle of a verb and the rest: (`aus`, `schalt`) of `ausgeschalt`; the particle may be ""."""
    for particle in ("", *filter(root.startswith, rules.particles)):
        verb = root.removeprefix(particle)
        yield particle, verb
        for joint in ("ge", "zu") if particle else ("ge",):
            if verb.startswith(joint):
                yield particle, verb.removeprefix(joint)
