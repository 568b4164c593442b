"""Choices that a model adds to its answer as an exam has them, though nobody offered any: `A. … B. …`."""

import re
from collections.abc import Generator, Iterable
from contextlib import closing

from pipeline.chat.sentence_stream import Sentence

_CHOICE = re.compile(r"[\s>*_(-]*([AB])[.)．、][*_]*\s*\S")
_CHOICES = re.compile(r"(?:^|\s)[*_(]*A[.)．、].*?\s[*_(]*B[.)．、]", re.DOTALL)


def without_choices(
    sentences: Generator[Sentence, None, None], known: Iterable[str]
) -> Generator[Sentence, None, None]:
    """The sentences up to the first of such choices. Closing the generator closes `sentences`.

    A sentence that begins with `A.` waits until the next one tells whether it is a choice or a person's initial.

    Args:
        known: the question and the passages; if one of them has choices, the model's are left in.
    """
    if any(_CHOICES.search(text) for text in known):
        yield from sentences
        return
    held: list[Sentence] = []
    with closing(sentences):
        for sentence in sentences:
            if _CHOICES.match(sentence.text):
                return
            if held and not sentence.text.strip():
                held.append(sentence)
                continue
            begins = _CHOICE.match(sentence.text)
            if held and begins and begins[1] == "B":
                return
            yield from held
            held = [sentence] if begins and begins[1] == "A" else []
            if not held:
                yield sentence
        yield from held
