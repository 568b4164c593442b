"""From passages and a question to the streamed answer; knows no index, no server and no clock but its own."""

import logging
import re
import time
from collections.abc import Generator, Iterator, Sequence

from pipeline.answerability.judging import Judge
from pipeline.chat.citations import checked_marks, citations, cited_numbers, supporting_passage
from pipeline.chat.conversation import Asked
from pipeline.chat.prompt import NOT_IN_NOTES, base_messages, grounded_messages, is_refusal, lora_messages
from pipeline.chat.quoting import best_quotes
from pipeline.chat.records import Answer, Generate, Similarity, Timings
from pipeline.errors import UnreadableError
from pipeline.index.passages import Passage
from pipeline.settings import Mode, PersonaSettings

_log = logging.getLogger(__name__)


def respond(
    asked: Asked,
    *,
    passages: Sequence[Passage],
    mode: Mode,
    generate: Generate,
    judge: Judge,
    persona: PersonaSettings,
    model: str,
    adapter: str | None = None,
    similarity: Similarity | None = None,
    rescue: Similarity | None = None,
    retrieve_ms: float = 0.0,
) -> Generator[str | Answer, None, None]:
    """Yield the answer's text piece by piece, then one `Answer` with the checked citations.

    Args:
        judge: says whether the passages can answer; asked in the modes that have some.
        similarity: given, the answer is the passages' best sentences, word for word, and the model is not asked.
        rescue: given, the same sentences are the answer when the model gives none, or only a thought.
        retrieve_ms: what finding the passages took, in milliseconds; counted into the timings.

    Raises:
        ModelError: from `generate`, when the model can't be had.
    """
    started = time.perf_counter()
    question, history = asked.question, asked.history
    verdict = None if mode in ("base", "lora") else judge(asked.subject, passages)
    if verdict is None:
        ungrounded = lora_messages if mode == "lora" else base_messages
        pieces = generate(ungrounded(question, history, persona))
    elif verdict.declined:
        pieces = iter([NOT_IN_NOTES])
    elif similarity is not None:
        pieces = _quoted(asked.subject, passages, similarity)
    else:
        messages = grounded_messages(question, passages, history, persona, tuned=mode == "hybrid")
        pieces = _grounded(generate(messages), passages)
        if rescue is not None:
            pieces = _or_quoted(pieces, asked.subject, passages, rescue)

    text, first = "", 0.0
    for piece in pieces:
        first = first or time.perf_counter()
        text += piece
        yield piece
    ended = time.perf_counter()
    refused = mode in ("rag", "hybrid") and is_refusal(text)
    yield Answer(
        question=question,
        mode=mode,
        answer=text.strip(),
        citations=[] if refused else citations(text, passages),
        refused=refused,
        answerability=round(verdict.probability, 3) if verdict else None,
        model=model,
        adapter=adapter,
        timings=Timings(
            retrieve_ms=round(retrieve_ms, 1),
            first_token_ms=round(retrieve_ms + ((first or ended) - started) * 1000, 1),
            total_ms=round(retrieve_ms + (ended - started) * 1000, 1),
        ),
    )


def _grounded(reply: Iterator[str], passages: Sequence[Passage]) -> Iterator[str]:
    """The model's own answer; a model that forgot the marks gets the one that its text rests on."""
    text = ""
    for piece in checked_marks(reply, len(passages)):
        text += piece
        yield piece
    if not cited_numbers(text) and (n := supporting_passage(text, passages)):
        yield f" [{n}]"


def _or_quoted(
    pieces: Iterator[str], question: str, passages: Sequence[Passage], similarity: Similarity
) -> Iterator[str]:
    """The model's answer; quotations when there is none, and the log says why."""
    has_answered = False
    try:
        for piece in pieces:
            has_answered |= bool(piece.strip())
            yield piece
    except UnreadableError as error:
        if has_answered:
            raise
        _log.warning("quotations in place of an answer: %s", error)
    if not has_answered:
        yield from _quoted(question, passages, similarity)


def _quoted(question: str, passages: Sequence[Passage], similarity: Similarity) -> Iterator[str]:
    """Quotations alone. A sentence of a tiny model beside them was wrong too often, however it was checked."""
    quotes = best_quotes(question, passages, similarity)
    if not quotes:
        yield NOT_IN_NOTES
    for position, quote in enumerate(quotes):
        yield "\n\n" if position else ""
        yield from re.findall(r"\S+\s*|\s+", quote.as_markdown())
