"""Verbs that a question takes apart: `Wie schalte ich das Licht aus?` asks how to `ausschalten`."""

import re

from pipeline.text.languages.tables import table
from pipeline.text.words import function_words, written_words

_CLAUSE_END = re.compile(r"[,;:.?!]")


def whole_verb(question: str, language: str) -> tuple[str, str] | None:
    """The verb of the first clause that ends in a particle, and both together: (`schalte`, `ausschalte`); None without one.

    The verb is the first word in lower case that carries meaning, in a language whose nouns have capitals.
    """
    particles = table(language).particles
    for clause in _CLAUSE_END.split(question) if particles else ():
        said = written_words(clause)
        if len(said) < 3 or said[-1] not in particles:
            continue
        empty = function_words(language)
        verb = next((word for word in said[:-1] if word.islower() and word.isalpha() and word not in empty), None)
        if verb:
            return verb, said[-1] + verb
    return None
