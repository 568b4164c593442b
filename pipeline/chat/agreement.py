"""Whether a small model's sentence says what the best quotation says: what it said beside that was wrong too often."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from pipeline.chat.asked_property import AskedProperty
from pipeline.chat.citations import SUPPORTED
from pipeline.text.detecting import main_language
from pipeline.text.languages.tables import Language, table
from pipeline.text.names import named
from pipeline.text.numbers import numbers
from pipeline.text.pieces import INLINE_CODE, bare, is_code, is_item, split_sentences
from pipeline.text.sentences import sentences
from pipeline.text.statements import denied, plain
from pipeline.text.words import content_stems, stems_with_parts

TOLD = 0.5
"""As `SUPPORTED`, for a sentence that names a number or code: it is that which answers, and the verb beside it may be another."""
EXPLAINED = 0.3
"""The share of the quotation's content words that an explanation and its question must hold together."""
ANSWERED = 0.5
"""The share of the question's content words that an answer to a yes-or-no question repeats, if it does not say yes or no."""
_NAME = re.compile(r"[\w-]{3,}")
_CAPITAL = re.compile(r"(?<=[\w,;] )[A-Z]\w*")
"""A word with a capital that does not begin a sentence."""
_YES_OR_NO = re.compile(
    r"(?:is|are|was|were|do|does|did|has|have|had|can|could|may|must|will|would|should)\b", re.IGNORECASE
)
"""What a question begins with that is answered by yes or no."""
_VERDICT = re.compile(r"^\W*(?:yes|no)\b,?\s*", re.IGNORECASE)


class _Part(NamedTuple):
    """A sentence of a quotation, or a code block."""

    text: str
    stems: set[str]
    introduction: set[str]
    """The stems of the line that introduces the list that it is an item of."""


@dataclass(frozen=True)
class BestQuotation:
    """What a sentence is held against."""

    question: str
    heading: str
    """The line above the quotation."""
    text: str
    n: int = 0
    """The number of its passage, from 1."""

    def is_said_by(self, sentence: str) -> bool:
        """Whether `sentence` says what stands here and more than the question, in the kind that is asked for."""
        # A copied heading is no answer.
        if self.adds_nothing(sentence) or (" > " in sentence and " > " not in self.text):
            return False
        said = set(content_stems(sentence))
        new = said - self._asked
        if not new:
            # An option of one letter is no word.
            return True
        names_it = numbers(sentence) - numbers(self.question) or INLINE_CODE.search(sentence)
        least = TOLD if names_it else SUPPORTED
        if len(new & stems_with_parts(f"{self.heading}\n{self.text}")) < least * len(new):
            return False
        return (
            not AskedProperty(self.question).loses(self.text, sentence)
            and self._speaks_of_asked(said)
            and self._keeps_names(said, sentence)
            and self._keeps_denial(said, sentence)
            and (names_it or self._keeps_list(said))
            and self._explains(said, sentence)
        )

    def adds_nothing(self, sentence: str) -> bool:
        """Whether `sentence` says no more than the question, as `Yes, it reads books.` does: nobody can check that."""
        codes = (code for code in INLINE_CODE.findall(sentence) if code not in self.question)
        # A name may be a word without meaning elsewhere, as that of the language Go is.
        names = {*_CAPITAL.findall(sentence)}.intersection(_CAPITAL.findall(self.text))
        names.difference_update(_CAPITAL.findall(self.question))
        return (
            set(content_stems(sentence)) <= self._asked and not names and not any(code in self.text for code in codes)
        )

    def _speaks_of_asked(self, said: set[str]) -> bool:
        """Not so for one from a sentence that shares no word with the question, if another one here does.

        To one that says a word of the question itself, the other one must share two.
        """
        most = max((len(self._asked & part.stems) for part in self._parts if not is_code(part.text)), default=0)
        source = self._source(said)
        return bool(self._asked & (source.stems | source.introduction)) or most < (2 if said & self._asked else 1)

    def _keeps_names(self, said: set[str], sentence: str) -> bool:
        """Not so for one that leaves out all code of the sentence that it comes from: there the code or a number answers."""
        source = self._source(said).text
        codes = [code.lower() for code in INLINE_CODE.findall(source) if code not in self.question]
        told = sentence.lower()
        own = INLINE_CODE.findall(told)
        counts = (numbers(sentence) - numbers(self.question)) & numbers(source)
        return (
            not codes
            or bool(counts)
            or any(
                name in told
                for code in codes
                for name in (code, *_NAME.findall(code), *(part for part in own if part in code))
            )
        )

    def _keeps_denial(self, said: set[str], sentence: str) -> bool:
        """Not so for one that denies what its sentence here says, or says what that denies."""
        source = self._source(said)
        here, there = denied(plain(_VERDICT.sub("", sentence))), denied(plain(source.text))
        return is_code(source.text) or not ((there - here) & said or (here - there) & source.stems)

    def _keeps_list(self, said: set[str]) -> bool:
        """Not so for one that comes from what introduces a list or a code block, and holds nothing of that."""
        source = self._source(said)
        if not source.text.endswith(":"):
            return True
        after = self._parts[self._parts.index(source) + 1 :]
        introduced = set().union(*(part.stems for part in after)) - source.stems
        return not introduced or bool((said - self._asked) & introduced)

    def _explains(self, said: set[str], sentence: str) -> bool:
        """Not so for one that explains in few words what the quotation explains in many, and names nothing.

        A question for a day, a number, a name or another property, or for yes or no, is answered by that alone; any
        question by a sentence that comes from one with all words of the question.
        """
        named_by = (numbers(sentence) | named(sentence)) - numbers(self.question) - named(self.question)
        if named_by or INLINE_CODE.search(sentence) or self._asked <= self._source(said).stems:
            return True
        if self._rules.asked_kind(self.question) or self._rules.asked_nouns(self.question):
            return True
        answers = _VERDICT.match(sentence) or len(said & self._asked) >= ANSWERED * len(self._asked)
        if _YES_OR_NO.match(self.question) and answers:
            return True
        stems = set(content_stems(self.text))
        return len(stems & (said | self._asked)) >= EXPLAINED * len(stems)

    def _source(self, said: set[str]) -> _Part:
        """The sentence of the quotation that shares most with what was said."""
        new, none = said - self._asked, _Part("", set(), set())
        return max(self._parts, key=lambda part: (len(new & part.stems), len(said & part.stems)), default=none)

    @cached_property
    def _rules(self) -> Language:
        return table(main_language(self.question) or "en")

    @cached_property
    def _asked(self) -> set[str]:
        return set(content_stems(self.question))

    @cached_property
    def _parts(self) -> list[_Part]:
        found: list[_Part] = []
        introduction: set[str] = set()
        for piece in split_sentences(self.text):
            for text in [piece] if is_code(piece) else sentences(bare(piece)):
                found.append(_Part(text, stems_with_parts(text), introduction if is_item(piece) else set()))
                if text.endswith(":"):
                    introduction = found[-1].stems
        return found
