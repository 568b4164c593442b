"""Makes pairs of what the owner said. No teacher writes them, and no note stands behind them."""

import hashlib
from collections.abc import Sequence

from pipeline.dataset.filters.form import ANSWER_CHARS, QUESTION_CHARS
from pipeline.dataset.records import Candidate, Pair
from pipeline.dataset.voice.masking import encodable, masked
from pipeline.dataset.voice.said import MASK, Said
from pipeline.text.detecting import count_languages, language_among, without_spaces
from pipeline.text.languages.tables import known_codes, table

FEWEST_WORDS = 4
"""An answer with fewer words that are not masked shows no voice."""
PREFIX = "voice:"
"""Begins the source of each pair made here, so that it is no document's id."""


def pairs_of(said: Sequence[tuple[str, Said]]) -> list[Candidate]:
    """A pair of kind `voice` for each message that says something, once each; what was said before it is the question.

    A message that nobody spoke before answers a question that fits everything, in its own language. It is left out if
    that question is not known in its language.

    Args:
        said: messages with the names of their files.
    """
    known = count_languages([one.text for _, one in said])
    found: dict[str, Candidate] = {}
    for file, one in said:
        answer = masked(one.text, one.others)
        folded = " ".join(answer.casefold().split())
        if folded in found or not _shows_voice(answer):
            continue
        question = _end_of(masked(one.before, one.others)) or _opening(one.text, known)
        if question:
            found[folded] = Candidate(_pair(question, answer, f"{PREFIX}{encodable(file)}", one.conversation), ())
    return list(found.values())


def is_of_voice(pair: Pair) -> bool:
    """Whether a pair was made of the owner's exports."""
    return pair.source.startswith(PREFIX)


def _pair(question: str, answer: str, file: str, conversation: str) -> Pair:
    # A mail's subject or a chat's name may name others, so only its hash is kept.
    source = f"{file}#{hashlib.sha256(encodable(conversation).encode()).hexdigest()[:8]}" if conversation else file
    return Pair(
        question=question, answer=answer, kind="voice", source=source, chunk_index=0, chunks=(), accuracy=10, style=10
    )


def _shows_voice(answer: str) -> bool:
    fewest, most = ANSWER_CHARS["voice"]
    bare = " ".join(answer.replace(MASK, " ").split())
    says = len(bare) >= fewest and len(bare.split()) >= FEWEST_WORDS
    return len(answer) <= most and (says or (without_spaces(bare) and len(bare) >= fewest // 2))


def _end_of(before: str) -> str:
    """The last words of what was said before, at most as many as a question may have."""
    if not any(char.isalnum() for char in before):
        return ""
    most = QUESTION_CHARS[1]
    return before if len(before) <= most else before[-most:].partition(" ")[2] or before[-most:]


def _opening(text: str, known: dict[str, int]) -> str:
    language = language_among(text, known)
    return table(language).opening if language in known_codes() else ""
