"""What the passages hold, and what of a sentence they do not."""

import re
from collections.abc import Iterable, Sequence

from pipeline.chat.prompt import heading_line
from pipeline.index.passages import Passage
from pipeline.text.detecting import may_be_english
from pipeline.text.names import as_written, named
from pipeline.text.numbers import number_words, numbers
from pipeline.text.statements import plain
from pipeline.text.words import stems_with_parts, words

COUNTS = 3
"""Up to here a number in words may be a turn of phrase."""
_LINK = re.compile(r"https?://[^\s)>\]\"'`]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?<=\]\()[^)\s]+")


class Grounds:
    """The passages, what was asked, and other text that an answer may name things of."""

    def __init__(self, passages: Sequence[Passage], question: str, others: Iterable[str] = ()) -> None:
        self.question = question
        texts = [f"{heading_line(passage)}\n{passage.text}\n{passage.url}" for passage in passages]
        self._all = "\n".join([*texts, question, *others])
        self._numbers = numbers(self._all) | number_words(self._all).keys()
        self._stems = stems_with_parts(self._all) | named(self._all)
        self._said = [f" {' '.join(words(text))} " for text in texts]
        self._asked = words(question)

    def lacking(self, sentence: str) -> list[str]:
        """Numbers, dates, names, identifiers and links of a sentence, as written there, that stand nowhere here."""
        text = plain(sentence)
        links = [link.rstrip(".,;:!?") for link in _LINK.findall(text)]
        unknown = [link for link in links if link not in self._all]
        text = _LINK.sub(" ", text)
        unknown += sorted(numbers(text) - self._numbers)
        is_english = may_be_english(text)
        if is_english:
            counted = number_words(text).items()
            unknown += [word for value, word in counted if int(value) > COUNTS and value not in self._numbers]
        for stem in sorted(named(text)):
            word = as_written(stem, text)
            # In German every noun has a capital: then only what no plain word looks like is a name.
            if not self._holds(stem, word) and (is_english or not word[1:].islower()):
                unknown.append(word)
        return unknown

    def _holds(self, stem: str, word: str) -> bool:
        return stem in self._stems or stem.removesuffix("s") in self._stems or word.casefold() in self._all.casefold()

    def is_copied(self, sentence: str) -> bool:
        """Whether it stands in a passage word for word."""
        said = words(sentence)
        return bool(said) and any(f" {' '.join(said)} " in text for text in self._said)

    def is_question(self, sentence: str) -> bool:
        """Whether it is the question again."""
        return bool(self._asked) and words(sentence) == self._asked
