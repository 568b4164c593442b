from collections.abc import Generator

import pytest

from pipeline.chat.choices import without_choices
from pipeline.chat.sentence_stream import sentence_stream

QUESTION = "Who tunes the piano?"


def kept(text: str, known: str = QUESTION) -> str:
    return "".join(sentence.text for sentence in without_choices(sentence_stream(iter([*text])), [known]))


@pytest.mark.parametrize(
    "choices",
    [
        "A. Mrs Lindholm\nB. A neighbour\nC. Nobody",
        "A) Lindholm\n\nB) a neighbour",
        "A. 乔斯\nB. 王家",
        "A.苍鹭 B. 草鹭",
    ],
)
def test_choices_go_with_all_that_follows(choices: str) -> None:
    assert kept(f"Mrs Lindholm tunes it.\n\n{choices}") == "Mrs Lindholm tunes it.\n\n"
    assert kept(choices) == ""


@pytest.mark.parametrize(
    "text",
    [
        "A. Lindholm tunes it. She comes in October.",
        "A. Lindholm",
        "Plan A is cheap. Plan B. is not.",
        "B. Lindholm tunes it.",
    ],
)
def test_an_initial_is_no_choice(text: str) -> None:
    assert kept(text) == text


def test_choices_that_were_offered_stay() -> None:
    choices = "A. Mrs Lindholm\nB. A neighbour"
    assert kept(choices, f"{QUESTION} A. Lindholm B. a neighbour") == choices
    assert kept(choices, f"The quiz of June\n{choices}") == choices


def test_closing_ends_the_writer() -> None:
    ended = []

    def pieces() -> Generator[str, None, None]:
        try:
            yield "First sentence. "
            yield "Second sentence. Third."
        finally:
            ended.append(True)

    stream = without_choices(sentence_stream(pieces()), [QUESTION])
    assert next(stream).text == "First sentence. "
    stream.close()
    assert ended == [True]
