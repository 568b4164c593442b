import re

import pytest

from pipeline.chat.sentence_stream import Sentence, sentence_stream

TEXTS = {
    "The port is 8765. [1] The editor, e.g. Langflow, is on 7860 [2]. Done": [
        "The port is 8765. [1] ", "The editor, e.g. Langflow, is on 7860 [2]. ", "Done",
    ],
    "1. Do this.\n2. Do that!\nThen:\n```sh\nmake up\nmake. it\n```\nAll good.": [
        "1. Do this.\n", "2. Do that!\n", "Then:\n", "```sh\nmake up\nmake. it\n```\n", "All good.",
    ],
    "He said “Stop. Now.” Then he left. A 5\" screen. It is small.": [
        "He said “Stop. Now.” ", "Then he left. ", "A 5\" screen. ", "It is small.",
    ],
    "[1]": ["[1]"],
    "": [],
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), TEXTS.items())
@pytest.mark.parametrize("piece", [".", r"\S+\s*|\s+", ".+"])
def test_sentences_are_the_same_however_the_text_comes(text: str, expected: list[str], piece: str) -> None:
    pieces = re.findall(piece, text, re.DOTALL)
    assert [sentence.text for sentence in sentence_stream(iter(pieces))] == expected


def test_a_sentence_comes_as_soon_as_the_next_begins() -> None:
    said = iter(["One is here. ", "Two", " follows", ". End"])
    stream = sentence_stream(said)
    assert next(stream) == Sentence("One is here. ")
    assert next(said) == " follows"
    stream.close()
