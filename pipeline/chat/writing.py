"""A model's answer on its way to the visitor: each sentence is held against the passages before it goes on."""

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from pipeline.chat.agreement import BestQuotation
from pipeline.chat.choices import without_choices
from pipeline.chat.citations import MEANT, marked, marks_of, supporting_passages, without_marks
from pipeline.chat.grounds import Grounds
from pipeline.chat.quoting import QUOTE_CHARS
from pipeline.chat.records import Similarity
from pipeline.chat.refusing import sounds_like_refusal
from pipeline.chat.sentence_stream import Sentence, sentence_stream
from pipeline.index.passages import Passage
from pipeline.settings import Unsupported
from pipeline.text.pieces import is_code
from pipeline.text.words import words

UNSUPPORTED_MARK = "[?]"
CUT_OFF = "it was cut off"
COPY_CHARS = 250
"""A small model that copies more than two or three sentences has not chosen: the quotation is shown in their place."""
DECLINES = 2.6
"""The `doubt` that a model raises which declines, or says what rests on no passage."""
INVENTS = 5.0
"""The same for one that only names what no passage names, or repeats the question as if it were the answer: measured with the
lab model on what answerability let pass, it does so at 24 of 45 near misses and at 20 of 204 questions that have an answer."""
_LABEL = re.compile(
    r"\s*\**(?:(?:the|my|short|final|[A-Z]\w+) )?"
    r"(?:answer|antwort|réponse|respuesta|risposta|resposta|antwoord|svar|odpowiedź|odpověď|ответ|відповідь|回答|答案|答)"
    r"\**\s?[:：]\**\s*",
    re.IGNORECASE,
)
"""What a model that was told "Answer in German." may write first: `German answer:`."""
_SOURCE = re.compile(
    r"^\s*(?:based on|according to) (?:the|your|these|my) (?:\w+ )?(?:notes?|passages?|texts?|context|information)"
    r"(?: \w+)?,\s+(\w)",
    re.IGNORECASE,
)
"""The marks say what it rests on."""


@dataclass
class WrittenAnswer:
    """What became of a model's answer."""

    doubt: float = 1.0
    """How many times likelier an answer fails like this when the notes do not answer; 1 for one that did not fail."""
    why_not: str = ""
    """Why nothing of it, or no more of it, was shown."""
    unsupported: list[str] = field(default_factory=list)
    """Names, numbers and links that it said and no passage holds."""


@dataclass(frozen=True)
class WritingDesk:
    """What a sentence is held against."""

    passages: Sequence[Passage]
    grounds: Grounds
    similarity: Similarity
    unsupported: Unsupported
    refusals: Sequence[str] = ()
    """The owner's own."""
    translates: bool = False
    """The answer is in another language than the passages: words do not tell what it rests on."""
    quotation: BestQuotation | None = None
    """Given, a sentence must say what it says for the answer to count."""

    def marks(self, sentence: str, named: Sequence[int]) -> list[str]:
        """The marks of the passages that a sentence rests on, like "[2]".

        Args:
            named: those that the model gave it, or that it should rest on.
        """
        least, asked = -1.0 if self.translates else MEANT, self.grounds.question
        return [f"[{n}]" for n in supporting_passages(sentence, self.passages, self.similarity, named, least, asked)]

    def lacking(self, sentence: str) -> list[str]:
        """What of a sentence no passage holds."""
        misplaced = [] if self.translates or is_code(sentence) else self.grounds.misplaced(sentence)
        return self.grounds.lacking(sentence) + misplaced

    def agrees(self, sentence: str) -> bool:
        """Whether a sentence says what the best quotation says, where there is one to be held against."""
        return self.quotation is None or self.quotation.is_said_by(sentence)

    def adds_nothing(self, sentence: str) -> bool:
        """Whether a sentence is the question as an answer, where there is a quotation to tell by."""
        return self.quotation is not None and self.quotation.adds_nothing(sentence)


def written(reply: Iterator[str], desk: WritingDesk) -> Generator[str, None, WrittenAnswer]:
    """The sentences of a model's answer that may be shown, each with its marks; none when it has nothing to say.

    Sentences wait until one of them rests on a passage in the model's own words, so that what turns out to be nothing
    can still be replaced. What still waits when a shown answer is cut off, such as a list of passages, is left out. Where
    an unsupported word replaces the answer, all of it waits.

    Returns:
        What became of it.
    """
    outcome = WrittenAnswer()
    seen: set[str] = set()
    waiting: list[str] = []
    has_shown = is_grounded = is_beside = is_held = has_said = invents = repeats = False
    copied = 0
    known = (desk.grounds.question, *(passage.text for passage in desk.passages))
    with closing(without_choices(sentence_stream(reply), known)) as stream:
        for said in stream:
            if not said.text.strip():
                waiting += [said.text] if waiting or has_shown else []
                continue
            sentence = without_marks(said.text)
            if not has_said:
                sentence = _without_opening(sentence)
            outcome.why_not = _ending(said, sentence, seen)
            if outcome.why_not:
                break
            if sounds_like_refusal(sentence, desk.refusals):
                if has_shown or waiting:
                    continue
                # A mark beside it says the opposite.
                outcome.doubt = 1.0 if marks_of(said.text) else DECLINES
                outcome.why_not = "it declined"
                break
            if not words(sentence) or desk.grounds.is_question(sentence):
                continue
            has_said = True
            lacking = desk.lacking(sentence)
            outcome.unsupported += lacking
            invents |= bool(lacking)
            repeats |= desk.adds_nothing(sentence)
            if lacking and desk.unsupported == "drop":
                continue
            if lacking and desk.unsupported == "quote":
                outcome.why_not, outcome.doubt = f"no passage holds {lacking[0]}", 1.0 if is_grounded else INVENTS
                return outcome
            agrees = desk.agrees(sentence)
            named = marks_of(said.text) or ([desk.quotation.n] if desk.quotation and agrees else [])
            marks = [UNSUPPORTED_MARK] if lacking else desk.marks(sentence, named)
            is_beside |= not agrees
            rests = bool(marks) and not lacking
            is_held |= rests
            is_grounded |= rests and agrees
            copied = copied + len(sentence) if desk.grounds.is_copied(sentence) else 0
            if copied > (COPY_CHARS if desk.quotation else QUOTE_CHARS):
                outcome.why_not = "it copied a passage"
                waiting = waiting if has_shown else []
                break
            waiting.append(marked(sentence, marks))
            if is_grounded and rests and not copied and desk.unsupported != "quote":
                yield "".join(waiting)
                waiting, has_shown = [], True
    if has_shown and outcome.why_not == CUT_OFF:
        return outcome
    if is_grounded and waiting:
        yield "".join(waiting)
    elif not has_shown:
        why = "it does not say what the best quotation says" if is_beside else "no passage holds what it said"
        if not outcome.why_not:
            outcome.why_not = why
            # What is only beside the quotation is as frequent where the notes answer.
            if repeats or (invents and not is_held):
                outcome.doubt = INVENTS
            elif has_said and not is_held:
                outcome.doubt = DECLINES
    return outcome


def _without_opening(sentence: str) -> str:
    """The first sentence of an answer without a label or `Based on the passages,`."""
    found = _LABEL.match(sentence)
    return _SOURCE.sub(lambda opening: opening[1].upper(), sentence[found.end() if found else 0 :], count=1)


def _ending(said: Sentence, sentence: str, seen: set[str]) -> str:
    """Why the answer ends before this sentence; "" if it does not."""
    if not said.is_whole:
        return CUT_OFF
    key = said.text if is_code(sentence) else " ".join(words(sentence))
    if key and key in seen:
        return "it repeated itself"
    seen.add(key)
    return ""
