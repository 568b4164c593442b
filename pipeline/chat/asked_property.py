"""Which pieces of a text are about the property that a question asks for: the port, the limit, the option."""

import re
from collections.abc import Sequence

from pipeline.text.detecting import main_language
from pipeline.text.languages.tables import table
from pipeline.text.pieces import CELLS, bare, is_item
from pipeline.text.stems import stem
from pipeline.text.words import PART, content_stems, function_words

KEY_WEIGHT = 0.2
"""Of a piece whose key names nothing but what the question names. In English; measured with English documentation."""
KEY_WEIGHT_ELSEWHERE = 0.3
"""In other languages, where the first cell of a table's row is a key too; measured with German help pages."""
SHAPE_WEIGHT = 0.1
"""Of a piece that holds what an answer looks like, such as a number for a port; of kinds such as a date in English only."""
_HEAD = re.compile(r"\w[\w ]*: ")
_CODE = re.compile(r"\**`([^`]+)`")
_LABEL = re.compile(r"\**(\w[\w-]*(?: [\w-]+){0,2})\**:\**\s")
_NAME = re.compile(r"\w[._/-]\w|(?<![\w-])--?[a-z]")
_ARGUMENT = re.compile(r"[<\[{(].*")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


class AskedProperty:
    """What a question asks of a thing, by its words and by what an answer looks like."""

    def __init__(self, question: str) -> None:
        self.language = main_language(question)
        rules = table(self.language or "en")
        self._stems = set(content_stems(question, self.language))
        self._counted = {stem(word, self.language) for word in rules.counted(question)}
        kind = "amount" if self._counted else rules.asked_kind(question)
        holds = rules.holds_kind(kind) if kind and rules.code == "en" else None
        nouns = rules.asked_nouns(question)
        self._nouns = self._counted | {stem(noun, self.language) for noun in nouns}
        self._shape = rules.shape(nouns) or holds

    def weight(self, pieces: Sequence[str], heading: str = "") -> float:
        """What speaks for pieces of a text beside their words and their meaning, from 0.

        Args:
            heading: the last one above them.
        """
        named = max((self.named_by_key(piece, heading) for piece in pieces), default=0.0)
        weight = KEY_WEIGHT if self.language == "en" else KEY_WEIGHT_ELSEWHERE
        return weight * named + SHAPE_WEIGHT * any(map(self.has_shape, pieces))

    def has_shape(self, piece: str) -> bool:
        """Whether `piece` holds what an answer looks like, such as a number for a port; if things are counted, with them."""
        if self._shape is None or not self._shape.search(piece):
            return False
        return not self._counted or not self._counted.isdisjoint(content_stems(piece, self.language))

    def loses(self, quotation: str, said: str) -> bool:
        """Whether `quotation` holds what an answer looks like and `said` does not. A name of code needs no marks there."""
        if self._shape is None or not self._shape.search(quotation) or self._shape.search(said):
            return False
        return self._shape.pattern != "`" or not _NAME.search(said)

    def named_by_key(self, piece: str, heading: str = "") -> float:
        """The share of the words in a piece's key that the question names, 0 if its last part is not what it asks for.

        The key is the code or the label that an item begins with: `port` is the last part of `gateway.port`. Before a
        label, as in `Default: 3`, stands the heading. In other languages than English a row's first cell is a key as well.
        """
        if not is_item(piece):
            return 0.0
        if self.language != "en" and self._names_row(piece):
            return 1.0
        code, label = _key(piece)
        words = [
            self._stems_of(part) for part in (re.split(r"[./]", code) if code else [heading, label] if label else [])
        ]
        parts = [part for part in words if part]
        if not parts or not parts[-1] <= self._stems or parts[-1].isdisjoint(self._nouns):
            return 0.0
        every = set().union(*parts)
        return len(every & self._stems) / len(every)

    def _names_row(self, piece: str) -> bool:
        """Whether the question names the first cell of a table's row, such as `Resource: RAM`, without the cell's head."""
        first, *cells = bare(piece).split(CELLS)
        named = set(content_stems(_HEAD.sub("", first, count=1), self.language)) if cells else set()
        return bool(named) and named <= self._stems

    def _stems_of(self, part: str) -> set[str]:
        found = (word.lower() for word in PART.findall(_HUMP.sub(" ", part).replace("_", " ")))
        return {stem(word, self.language) for word in found if word not in function_words(self.language)}


def begins_with_label(piece: str) -> bool:
    """Whether `piece` is an item such as `- Default: 3`, which does not say of what."""
    return is_item(piece) and bool(_key(piece)[1])


def _key(item: str) -> tuple[str, str]:
    """The code that an item begins with, or else its label; "" for what it has not."""
    first, *cells = bare(item).split(CELLS)
    if code := _CODE.match(_HEAD.sub("", first, count=1) if cells else first):
        return _ARGUMENT.sub("", code[1]), ""
    label = _LABEL.match(first)
    return "", label[1] if label and not cells else ""
