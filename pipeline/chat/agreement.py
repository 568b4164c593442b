"""Whether a small model's sentence says what the best quotation says: what it said beside that was wrong too often."""

import re
from dataclasses import dataclass
from functools import cached_property

from pipeline.chat.asked_property import AskedProperty
from pipeline.chat.citations import SUPPORTED
from pipeline.text.pieces import bare, is_code, split_sentences
from pipeline.text.sentences import sentences
from pipeline.text.words import content_stems, stems_with_parts

_CODE = re.compile(r"`([^`\n]+)`")
_NAME = re.compile(r"[\w-]{3,}")


@dataclass(frozen=True)
class BestQuotation:
    """What a sentence is held against."""

    question: str
    heading: str
    """The line above the quotation."""
    text: str

    def is_said_by(self, sentence: str) -> bool:
        """Whether `sentence` says what stands here and more than the question, in the kind that is asked for."""
        said = set(content_stems(sentence))
        new = said - self._asked
        if not new:
            # An option of one letter is no word.
            return any(code in self.text and code not in self.question for code in _CODE.findall(sentence))
        if len(new & stems_with_parts(f"{self.heading}\n{self.text}")) < SUPPORTED * len(new):
            return False
        if AskedProperty(self.question).loses(self.text, sentence):
            return False
        return self._speaks_of_asked(said) and self._keeps_names(said, sentence)

    def _speaks_of_asked(self, said: set[str]) -> bool:
        """Not so for one that shares no word with the question, if it comes from a sentence beside the one that does."""
        if said & self._asked or not self._parts:
            return True
        return bool(self._asked & self._source(said)[1]) or not any(self._asked & stems for _, stems in self._parts)

    def _keeps_names(self, said: set[str], sentence: str) -> bool:
        """Not so for one that leaves out all code of the sentence that it comes from: there the code is the answer."""
        codes = [code.lower() for code in _CODE.findall(self._source(said)[0]) if code not in self.question]
        told = sentence.lower()
        own = _CODE.findall(told)
        return not codes or any(
            name in told
            for code in codes
            for name in (code, *_NAME.findall(code), *(part for part in own if part in code))
        )

    def _source(self, said: set[str]) -> tuple[str, set[str]]:
        """The sentence of the quotation that shares most with what was said, and its stems."""
        new = said - self._asked
        return max(self._parts, key=lambda part: (len(new & part[1]), len(said & part[1])), default=("", set()))

    @cached_property
    def _asked(self) -> set[str]:
        return set(content_stems(self.question))

    @cached_property
    def _parts(self) -> list[tuple[str, set[str]]]:
        pieces = split_sentences(self.text)
        whole = [part for piece in pieces for part in ([piece] if is_code(piece) else sentences(bare(piece)))]
        return [(part, stems_with_parts(part)) for part in whole]
