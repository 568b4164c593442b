"""What is said when the notes do not hold the answer, and how a model says it."""

import re
from collections.abc import Iterable, Mapping

from pipeline.text.detecting import SURE, count_languages, language_among, language_of
from pipeline.text.languages.tables import known_codes, table
from pipeline.text.words import words

NOT_IN_NOTES = "That is not in these notes."
REFUSALS = (
    NOT_IN_NOTES,
    "My notes do not say.",
    "I have not written about that.",
    "There is nothing about that in these notes.",
    "These notes do not answer that.",
    "I find nothing about it in the notes.",
    "That is nothing I have written about here.",
    "The notes leave that open.",
    "None of these notes tells that.",
    "I have no note on that.",
    "The notes at hand do not mention it.",
    "Nothing written here answers that.",
)
"""What training teaches to say instead of one sentence; `is_refusal` knows them all."""
TRANSLATIONS = {code: table(code).refusal for code in known_codes()}
"""By ISO 639-1 code."""
LANGUAGES = {code: table(code).name for code in known_codes()}
"""What a prompt calls them."""
_NOTES = r"(?:notes?|passages?|texts?|contexts?|information|documents?)"
_LIKE_ONE = re.compile(
    rf"{_NOTES} (?:provided |given |above |at hand )*(?:do|does|did)(?:n't| not) (?:\w+ )?"
    r"(?:say|mention|contain|hold|provide|specify|include|state|tell|answer|give|have|cover)\b"
    rf"|\bnot (?:\w+ )?(?:mentioned|stated|specified|provided|given|contained|included|covered|found|in)\b[^.]*\b{_NOTES}\b"
    rf"|\b(?:no|any) (?:information|mention)\b[^.]*\b{_NOTES}\b"
    r"|\bI(?: am|'m) (?:sorry|unable)\b|\bI (?:do not|don't|cannot|can't) (?:know|answer|find)\b",
    re.IGNORECASE,
)
"""A refusal in a model's own words."""


def question_language(question: str, notes: Iterable[str] = ()) -> str:
    """The ISO 639-1 code of a question's language; English if that language is not known here.

    Args:
        notes: texts whose language counts where the question does not tell.
    """
    language = language_among(question, count_languages(notes))
    return language if language in LANGUAGES else "en"


def told_language(question_in: str, notes: str) -> tuple[str, bool]:
    """What a prompt says to answer in, "" if it need not say so, and whether that is not the notes' own language.

    Args:
        question_in: the question's language, by its ISO 639-1 code.
        notes: the text of the passages.
    """
    of_notes, probability = language_of(notes)
    translates = probability >= SURE and of_notes != question_in
    return LANGUAGES[question_in] if translates or question_in != "en" else "", translates


def refusal_in(language: str, own: Mapping[str, str]) -> str:
    """The refusal in a language, in the owner's own words where there are some."""
    return own.get(language) or (TRANSLATIONS[language] if language in TRANSLATIONS else own.get("en", NOT_IN_NOTES))


def is_refusal(answer: str, own: Iterable[str] = ()) -> bool:
    """Whether an answer says that the notes do not hold it, and nothing else: a mark or a fact beside it makes it none."""
    said = words(answer)
    return bool(said) and any(said == words(refusal) for refusal in (*REFUSALS, *TRANSLATIONS.values(), *own))


def sounds_like_refusal(sentence: str, own: Iterable[str] = ()) -> bool:
    """Whether a sentence of a model declines, in these words or its own."""
    return is_refusal(sentence, own) or _LIKE_ONE.search(sentence.replace("’", "'")) is not None
