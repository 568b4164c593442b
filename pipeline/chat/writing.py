"""A model's answer on its way to the visitor: each sentence is held against the passages before it goes on."""

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from pipeline.chat.citations import MEANT, SUPPORTED, marked, marks_of, supporting_passages, without_marks
from pipeline.chat.grounds import Grounds
from pipeline.chat.quoting import QUOTE_CHARS
from pipeline.chat.records import Similarity
from pipeline.chat.refusing import sounds_like_refusal
from pipeline.chat.sentence_stream import Sentence, sentence_stream
from pipeline.index.passages import Passage
from pipeline.settings import Unsupported
from pipeline.text.pieces import is_code
from pipeline.text.words import content_stems, stems_with_parts, words

UNSUPPORTED_MARK = "[?]"
_LABEL = re.compile(
    r"\s*\**(?:(?:the|my|short|final|[A-Z]\w+) )?"
    r"(?:answer|antwort|réponse|respuesta|risposta|resposta|antwoord|svar|odpowiedź|odpověď|ответ|відповідь|回答|答案|答)"
    r"\**\s?[:：]\**\s*",
    re.IGNORECASE,
)
"""What a model that was told "Answer in German." may write first: `German answer:`."""


@dataclass
class WrittenAnswer:
    """What became of a model's answer."""

    failed: bool = False
    """It declined, or all that it said rests on no passage or is beside the best quotations: it speaks against an answer."""
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
    agrees_with: Sequence[str] = ()
    """Given, a sentence must say something that stands here and not in the question for the answer to count."""

    def marks(self, sentence: str, named: Sequence[int]) -> list[str]:
        """The marks of the passages that a sentence rests on, like "[2]"; `named` are those that the model gave it."""
        least = -1.0 if self.translates else MEANT
        return [f"[{n}]" for n in supporting_passages(sentence, self.passages, self.similarity, named, least)]

    def lacking(self, sentence: str) -> list[str]:
        """What of a sentence no passage holds."""
        misplaced = [] if self.translates or is_code(sentence) else self.grounds.misplaced(sentence)
        return self.grounds.lacking(sentence) + misplaced

    def agrees(self, sentence: str) -> bool:
        """Whether a sentence says what the best quotations say, and more than the question."""
        if not self.agrees_with:
            return True
        said = set(content_stems(sentence)) - set(content_stems(self.grounds.question))
        return bool(said) and len(said & stems_with_parts("\n".join(self.agrees_with))) >= SUPPORTED * len(said)


def written(reply: Iterator[str], desk: WritingDesk) -> Generator[str, None, WrittenAnswer]:
    """The sentences of a model's answer that may be shown, each with its marks; none when it has nothing to say.

    Sentences wait until one of them rests on a passage in the model's own words, so that what turns out to be nothing
    can still be replaced. Where an unsupported word replaces the answer, all of it waits.

    Returns:
        What became of it.
    """
    outcome = WrittenAnswer()
    seen: set[str] = set()
    waiting: list[str] = []
    has_shown = is_grounded = is_beside = has_said = False
    copied = 0
    with closing(sentence_stream(reply)) as stream:
        for said in stream:
            if not said.text.strip():
                waiting += [said.text] if waiting or has_shown else []
                continue
            sentence = without_marks(said.text)
            if not has_said:
                sentence = sentence[found.end() :] if (found := _LABEL.match(sentence)) else sentence
            outcome.why_not = _ending(said, sentence, seen)
            if outcome.why_not:
                break
            if sounds_like_refusal(sentence, desk.refusals):
                if has_shown or waiting:
                    continue
                # A mark beside it says the opposite.
                outcome.failed = not marks_of(said.text)
                outcome.why_not = "it declined"
                break
            if not words(sentence) or desk.grounds.is_question(sentence):
                continue
            has_said = True
            lacking = desk.lacking(sentence)
            outcome.unsupported += lacking
            if lacking and desk.unsupported == "drop":
                continue
            if lacking and desk.unsupported == "quote":
                outcome.why_not, outcome.failed = f"no passage holds {lacking[0]}", not is_grounded
                return outcome
            marks = [UNSUPPORTED_MARK] if lacking else desk.marks(sentence, marks_of(said.text))
            agrees = desk.agrees(sentence)
            is_beside |= not agrees
            is_grounded |= bool(marks) and not lacking and agrees
            copied = copied + len(sentence) if desk.grounds.is_copied(sentence) else 0
            if copied > QUOTE_CHARS:
                outcome.why_not = "it copied a passage"
                waiting = waiting if has_shown else []
                break
            waiting.append(marked(sentence, marks))
            if is_grounded and not copied and desk.unsupported != "quote":
                yield "".join(waiting)
                waiting, has_shown = [], True
    if is_grounded and waiting:
        yield "".join(waiting)
    elif not has_shown:
        why = "it does not say what the best quotations say" if is_beside else "no passage holds what it said"
        if not outcome.why_not:
            outcome.why_not, outcome.failed = why, has_said
    return outcome


def _ending(said: Sentence, sentence: str, seen: set[str]) -> str:
    """Why the answer ends before this sentence; "" if it does not."""
    if not said.is_whole:
        return "it was cut off"
    key = said.text if is_code(sentence) else " ".join(words(sentence))
    if key and key in seen:
        return "it repeated itself"
    seen.add(key)
    return ""
