"""From passages and a question to the streamed answer; knows no index, no server and no clock but its own."""

import logging
import re
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from pipeline.answerability.judging import Answerability, AnswerabilityJudge
from pipeline.chat.agreement import BestQuotation
from pipeline.chat.citations import citations
from pipeline.chat.conversation import Asked
from pipeline.chat.dated import asks_when, with_days
from pipeline.chat.grounds import Grounds
from pipeline.chat.outside import is_outside
from pipeline.chat.prompt import base_messages, grounded_messages, heading_line, lora_messages
from pipeline.chat.quoting import Quote, best_quotes, nearest_last
from pipeline.chat.records import Answer, Generate, Similarity, Timings
from pipeline.chat.refusing import question_language, refusal_in, told_language
from pipeline.chat.room import fitted, is_small
from pipeline.chat.writing import DECLINES, WritingDesk, WrittenAnswer, written
from pipeline.errors import UnreadableError
from pipeline.index.passages import Passage
from pipeline.settings import ChatSettings, Mode, PersonaSettings

_log = logging.getLogger(__name__)

QUOTES = 2
"""At most so many are an answer."""


@dataclass(frozen=True)
class _Question:
    """All that an answer from passages is made of."""

    asked: Asked
    passages: Sequence[Passage]
    verdict: Answerability
    similarity: Similarity
    chat: ChatSettings
    persona: PersonaSettings
    rule: str

    @property
    def is_declined(self) -> bool:
        """Whether no answer is tried."""
        if self.verdict.declined and not self.asked.only_names_days:
            return True
        return is_outside(self.asked.question, self.passages, self.language)

    @cached_property
    def quotes(self) -> list[Quote]:
        """The best quotation of each passage that has a good one, the best first."""
        return best_quotes(
            self.asked.subject, self.passages, self.similarity, most=len(self.passages), asked=self.asked.question
        )

    @property
    def refusal(self) -> str:
        """The refusal in the question's language."""
        return refusal_in(self.language, self.chat.refusals)

    @property
    def language(self) -> str:
        """The question's language, by its ISO 639-1 code."""
        return question_language(self.asked.question, (passage.text for passage in self.passages))


def respond(
    asked: Asked,
    *,
    passages: Sequence[Passage],
    mode: Mode,
    generate: Generate,
    judge: AnswerabilityJudge,
    similarity: Similarity,
    chat: ChatSettings,
    persona: PersonaSettings,
    model: str,
    adapter: str | None = None,
    quotes_first: bool = False,
    retrieve_ms: float = 0.0,
    rule: str = "",
) -> Generator[str | Answer, None, None]:
    """Yield the answer's text piece by piece, then one `Answer` with its citations.

    Args:
        judge: says whether the passages can answer; asked in the modes that have some.
        quotes_first: the answer is the passages' best sentences, word for word, and the model is not asked. They stand
            in for the model's own words too where it has nothing to say.
        retrieve_ms: what finding the passages took, in milliseconds; counted into the timings.
        rule: what the model is told below the passages; "": as in `grounded_messages`.

    Raises:
        ModelError: from `generate`, when the model can't be had.
        SitetwinError: the question leaves no room in the model's window.
    """
    started = time.perf_counter()
    record = Answer(question=asked.question, mode=mode, answer="", citations=[], refused=False, model=model)
    record.rewritten, record.not_rewritten = asked.rewriting.question, asked.rewriting.why_not
    if mode in ("base", "lora"):
        ungrounded = lora_messages if mode == "lora" else base_messages
        pieces = generate(ungrounded(asked.question, asked.history, persona))
    else:
        question = _Question(asked, passages, judge(asked.subject, passages), similarity, chat, persona, rule)
        record.answerability = round(question.verdict.probability, 3)
        if question.is_declined:
            pieces = _declined(question, record)
        elif quotes_first:
            pieces = _quoted(question, record)
        else:
            pieces = _written(question, record, generate, tuned=mode == "hybrid")

    text, first = "", 0.0
    for piece in pieces:
        first = first or time.perf_counter()
        text += piece
        yield piece
    ended = time.perf_counter()
    if not text.strip():
        record.why_not = record.why_not or "the model said nothing"
    told_by = asked.subject if record.form == "quoted" else ""
    yield record.model_copy(
        update={
            "answer": text.strip(),
            "citations": [] if record.refused or mode in ("base", "lora") else citations(text, passages, told_by),
            "adapter": adapter,
            "timings": Timings(
                retrieve_ms=round(retrieve_ms, 1),
                first_token_ms=round(retrieve_ms + ((first or ended) - started) * 1000, 1),
                total_ms=round(retrieve_ms + (ended - started) * 1000, 1),
            ),
        }
    )


def _written(question: _Question, record: Answer, generate: Generate, *, tuned: bool) -> Iterator[str]:
    """The model's own answer; quotations or the refusal when it has none, and the record says why."""
    asked, chat = question.asked, question.chat
    small = is_small(record.model)
    passages = with_days(asked, question.passages)
    few = _quotations(question, passages) if small and not chat.passages else []
    read, history = fitted(
        asked.question,
        question.persona.instruction,
        few or _best_first(question, passages),
        asked.history,
        chat.window,
        chat.max_tokens,
    )
    language, translates = told_language(question.language, "\n".join(passage.text for passage in question.passages))
    messages = grounded_messages(
        asked.question, read[::-1], history, question.persona, tuned=tuned, language=language, rule=question.rule
    )
    told = [turn.content for turn in asked.history if turn.role == "user"]
    desk = WritingDesk(
        passages=passages,
        grounds=Grounds(passages, asked.subject, [question.persona.name, *told]),
        similarity=question.similarity,
        unsupported=chat.unsupported,
        refusals=list(chat.refusals.values()),
        translates=translates,
        quotation=_to_agree_with(question) if small and not translates else None,
    )
    has_shown, outcome = False, WrittenAnswer()
    answer = written(generate(messages), desk)
    try:
        while True:
            piece = next(answer)
            has_shown = True
            yield piece
    except StopIteration as end:
        outcome = end.value
    except UnreadableError as error:
        if has_shown:
            raise
        outcome.why_not = str(error)
        _log.warning("quotations in place of an answer: %s", error)
    finally:
        answer.close()
    record.why_not, record.unsupported = outcome.why_not, outcome.unsupported
    if has_shown:
        return
    # What an adapter invents was not measured: it says more of its own.
    doubt = min(outcome.doubt, DECLINES) if tuned else outcome.doubt
    if doubt > 1 and _both_decline(question.verdict, doubt):
        yield from _declined(question, record)
        return
    yield from _quoted(question, record)


def _both_decline(verdict: Answerability, doubt: float) -> bool:
    """Whether the passages are so unlikely to answer that the model's failure decides: Bayes' rule on the odds."""
    odds = verdict.probability / max(1 - verdict.probability, 1e-9) / doubt
    return odds / (1 + odds) < verdict.decline_below


def _declined(question: _Question, record: Answer) -> Iterator[str]:
    record.refused, record.form = True, "refused"
    yield question.refusal


def _best_first(question: _Question, dated: Sequence[Passage]) -> list[Passage]:
    """The passages, those with the best quotations before the others, as many as the settings say."""
    order = nearest_last(question.quotes, len(dated), question.chat.passages or len(dated))
    return [dated[place] for place in reversed(order)]


def _quotations(question: _Question, dated: Sequence[Passage]) -> list[Passage]:
    """The quotations that would be shown, below their headings: all that a small model reads well. [] if there are none."""
    read = []
    for quote in question.quotes[:QUOTES]:
        passage = dated[quote.n - 1]
        day = passage.text.removesuffix(question.passages[quote.n - 1].text)
        read.append(passage.model_copy(update={"text": day + quote.text}))
    return read


def _to_agree_with(question: _Question) -> BestQuotation | None:
    """The best quotation. What a small model says beside it was wrong too often."""
    if not question.quotes:
        return None
    best = question.quotes[0]
    return BestQuotation(question.asked.subject, heading_line(question.passages[best.n - 1]), best.text, best.n)


def _quoted(question: _Question, record: Answer) -> Iterator[str]:
    """Quotations alone. A sentence of a tiny model beside them was wrong too often, however it was checked."""
    quotes = question.quotes[:QUOTES]
    if not quotes:
        yield from _declined(question, record)
        return
    record.form = "quoted"
    said = ""
    for position, quote in enumerate(quotes):
        yield "\n\n" if position else ""
        day = question.passages[quote.n - 1].date
        if asks_when(question.asked) and day not in (said, "") and day not in quote.text:
            yield f"{day}:\n\n"
            said = day
        yield from re.findall(r"\S+\s*|\s+", quote.as_markdown())
