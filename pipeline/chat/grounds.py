"""What the passages hold, and what of a sentence they do not."""

import re
from collections.abc import Iterable, Sequence
from functools import cached_property

from pipeline.chat.prompt import heading_line
from pipeline.index.passages import Passage
from pipeline.text.detecting import may_be_english
from pipeline.text.names import as_written, named
from pipeline.text.numbers import counted, number_words, numbers
from pipeline.text.pieces import INLINE_CODE, bare, is_code, split_sentences
from pipeline.text.statements import plain
from pipeline.text.words import content_stems, stems_with_parts, words

TOLD = 2 / 3
"""Share of a sentence's content words that must stand around a number in the passages for the number to say the same."""
FRAGMENT = 3
"""A sentence of fewer content words says something only together with the question."""
COUNTS = 3
"""Up to here a number in words may be a turn of phrase."""
_IDENTIFIER = re.compile(r"--?[A-Za-z][\w-]*|[\w.]*\w_\w[\w.]*")
_MONEY = re.compile(r"[$€£¥]\s?\d|\d\s?[$€£¥]")
_COSTS = set(content_stems("cost price pay paid"))
"""A sum of money says itself that it is what something costs: `spent $650 on it`."""
_LINK = re.compile(r"https?://[^\s)>\]\"'`]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?<=\]\()[^)\s]+")


class Grounds:
    """The passages, what was asked, and other text that an answer may name things of."""

    def __init__(self, passages: Sequence[Passage], question: str, others: Iterable[str] = ()) -> None:
        self.question = question
        texts = [f"{heading_line(passage)}\n{passage.text}\n{passage.url}" for passage in passages]
        self._all = "\n".join([*texts, question, *others])
        self._numbers = counted(self._all)
        self._stems = stems_with_parts(self._all) | named(self._all)
        self._said = [f" {' '.join(words(text))} " for text in texts]
        self._asked = words(question)
        self._passages = passages

    def lacking(self, sentence: str) -> list[str]:
        """Numbers, dates, names, identifiers and links of a sentence, as written there, that stand nowhere here."""
        text = plain(sentence)
        links = [link.rstrip(".,;:!?") for link in _LINK.findall(text)]
        unknown = [link for link in links if link not in self._all]
        text = _LINK.sub(" ", text)
        unknown += sorted(numbers(text) - self._numbers)
        unknown += [token for token in _identifiers(text) if not self._names(token)]
        is_english = may_be_english(text)
        if is_english:
            spelt = number_words(text).items()
            unknown += [word for value, word in spelt if int(value) > COUNTS and value not in self._numbers]
        for stem in sorted(named(text)):
            word = as_written(stem, text)
            # In German every noun has a capital: then only what no plain word looks like is a name.
            if not self._holds(stem, word) and (is_english or not word[1:].islower()):
                unknown.append(word)
        return unknown

    def misplaced(self, sentence: str) -> list[str]:
        """Numbers of an English sentence that the passages hold, but of something else.

        Around a number, in its sentence, the two beside it and the heading, stand most of the words that the answer says
        of it: "2,900 poems" in a passage does not hold "translated into 2,900 languages".
        """
        said = _without_digits(content_stems(sentence))
        if len(said) < FRAGMENT:
            said |= _without_digits(content_stems(self.question))
        if _MONEY.search(sentence):
            said -= _COSTS
        # What stands here as code, such as `sleep(0)`, is of that code.
        other = INLINE_CODE.sub(lambda code: " " if code[1] in self._all else code[0], sentence)
        own = sorted(numbers(plain(other)) - numbers(self.question))
        if not said or not may_be_english(plain(sentence)):
            return []
        near = {n: max((said & stems for held, stems in self._places if n in held), key=len, default=None) for n in own}
        found = {n: words for n, words in near.items() if words is not None}
        # A sentence may tell of several numbers what stands in several places.
        told = set().union(*found.values())
        return list(found) if len(told) < TOLD * len(said) else []

    @cached_property
    def _places(self) -> list[tuple[set[str], set[str]]]:
        """For each sentence of the passages that holds a number: its numbers, and the stems around them."""
        places = []
        for passage in self._passages:
            heading, sentences = heading_line(passage), split_sentences(passage.text)
            around = stems_with_parts(heading)
            for n, sentence in enumerate(sentences):
                if held := counted(sentence):
                    # What leads to a code block is told before it and behind it.
                    before = n - 2 if n > 1 and is_code(sentences[n - 1]) else max(0, n - 1)
                    beside = "\n".join(sentences[before : n + 2])
                    places.append((held, around | stems_with_parts(beside)))
            if held := counted(heading):
                places.append((held, around | stems_with_parts(passage.text)))
        return places

    def _holds(self, stem: str, word: str) -> bool:
        return stem in self._stems or stem.removesuffix("s") in self._stems or word.casefold() in self._all.casefold()

    def _names(self, token: str) -> bool:
        return re.search(rf"(?<![\w-]){re.escape(token)}(?![\w-])", self._all, re.IGNORECASE) is not None

    def is_copied(self, sentence: str) -> bool:
        """Whether it stands in a passage word for word, be it as an item of a list."""
        said = words(bare(sentence))
        return bool(said) and any(f" {' '.join(said)} " in text for text in self._said)

    def is_question(self, sentence: str) -> bool:
        """Whether it is the question again."""
        return bool(self._asked) and words(sentence) == self._asked


def _identifiers(text: str) -> list[str]:
    """Options and names that are joined by underscores, where they stand in code: `--lang`, `export_chats.py`."""
    tokens = (token.strip("\"'()[]{},:;=") for code in INLINE_CODE.findall(text) for token in code.split())
    return [token for token in tokens if _IDENTIFIER.fullmatch(token)]


def _without_digits(stems: Iterable[str]) -> set[str]:
    return {stem for stem in stems if not any(letter.isdigit() for letter in stem)}
