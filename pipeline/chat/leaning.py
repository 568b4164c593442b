"""Tells by the table of a language whether a question leans on the one before it. English has finer rules of its own."""

import re

from pipeline.text.languages.tables import Language
from pipeline.text.words import content_stems, written_words


def leans(question: str, rules: Language, longest: int) -> bool:
    """Whether the question points back (`wie alt ist sie?`), is no whole one (`und der Hund?`), or names nothing.

    In a language whose words are not known it never does.

    Args:
        longest: a question with more words with meaning says itself what it is about.
    """
    if not rules.is_known:
        return False
    rest = _without_link(question, rules)
    subject = set(content_stems(" ".join(rest), rules.code))
    is_joined = len(rest) < len(written_words(question))
    if not subject or (is_joined and len(rest) <= longest) or _only_names(question, rules):
        return True
    return len(subject) <= longest and _points_back(rest, rules)


def names_a_subject(question: str, rules: Language) -> bool:
    """Whether a question that leans on others says what it is about: `und der Hund?`."""
    rest = _without_link(question, rules)
    return bool(content_stems(" ".join(rest), rules.code)) and not _points_back(rest, rules)


def _without_link(question: str, rules: Language) -> list[str]:
    said = written_words(question)
    return said[1:] if said and said[0].lower() in rules.follow_ups.links else said


def _only_names(question: str, rules: Language) -> bool:
    about = rules.follow_ups.about
    return bool(about) and re.match(about, question.strip().lower()) is not None


def _points_back(said: list[str], rules: Language) -> bool:
    # A German capital tells `Sie`, who is spoken to, from `sie`.
    meant = {word if position else word.lower() for position, word in enumerate(said)}
    return not meant.isdisjoint(rules.follow_ups.pointers)
