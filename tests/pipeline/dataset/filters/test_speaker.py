from dataclasses import replace

import pytest

from pipeline.dataset.filters import Check
from pipeline.dataset.filters.speaker import third_person
from tests.pipeline.dataset.filters.pairs import SETTINGS, candidate

QUESTION = "When do you water the tomatoes?"


def said_for(author: str, answer: str, **more: str) -> str:
    return third_person(replace(candidate(QUESTION, answer, **more), author=author))


@pytest.mark.parametrize(
    ("author", "answer", "hit"),
    [
        ("Alan", "Alan waters them in the morning.", "Alan"),
        ("Alan Berg", "In the morning, as Alan Berg likes.", "Alan Berg"),
        ("Alan Berg", "Alan's tomatoes get water in the morning.", "Alan"),
        ("", "The author waters them early.", "The author"),
        ("", "The blog's owner waters them early.", "The blog's owner"),
        ("", "He waters them in the morning.", "He"),
        ("", "In the morning, because she has time then.", "she"),
        ("", "The owner of the blog waters them early.", "The owner of the blog"),
        ("", "Their greenhouse is 12 metres long.", "their"),
        ("", "Every day they water the tomatoes in the morning.", "they"),
    ],
)
def test_the_author_as_somebody_else_is_refused(author: str, answer: str, hit: str) -> None:
    assert said_for(author, answer) == f"the answer speaks of the author as “{hit}”, not as “I”"


@pytest.mark.parametrize(
    ("author", "answer"),
    [
        ("Alan", "I'm Alan, and I water them early."),
        ("Alan", "My name is Alan."),
        ("Alan", "Alan Turing grew tomatoes."),
        ("Alan", "The book “Alan waters” says so."),
        ("Alan", "The key is `Alan`."),
        ("Alan", "Write to alan@example.org or Alan.pump."),
        ("", "Early, as Alan says."),
    ],
)
def test_names_that_do_not_stand_for_i_pass(author: str, answer: str) -> None:
    assert said_for(author, answer) == ""


def test_somebody_of_whom_the_text_speaks_passes() -> None:
    assert said_for("", "He does it.", text="I asked my son Tom. He waters them.") == ""
    assert said_for("", "The author of seeds.", text="I know the author of seeds.") == ""


def test_a_text_without_i_says_nothing_of_its_author() -> None:
    assert said_for("", "She waters them.", text="The garden is open in the morning.") == ""


def test_the_check_knows_the_personas_name() -> None:
    pair = candidate(
        "When do the tomatoes get water?",
        "Alan does it in the morning.",
        text="I, Alan, water the tomatoes in the morning.",
    )
    refused = Check(SETTINGS, "Alan")(pair)
    assert refused is not None
    assert refused.reason == "the answer speaks of the author as “Alan”, not as “I”"
    assert Check(SETTINGS)(pair) is None


SPOKEN = "I've been raising issues when I'm waiting on Tom. He likes my pump, and I think \"I need it here\" of the old one I'd buy."


@pytest.mark.parametrize(
    ("answer", "hit"),
    [
        ("They has been raising issues.", "they"),
        ("She has been raising issues.", "she"),
        ("Often, when he is waiting on Tom.", "he"),
        ("Tom likes it, and the author thinks so.", "the author"),
        ('Think "the writer need it here" of it.', "the author"),
        ("It is of the old one she would buy.", "she"),
    ],
)
def test_the_same_words_around_i_show_who_is_meant(answer: str, hit: str) -> None:
    assert f"the author as “{hit}”" in said_for("", answer, text=SPOKEN)


@pytest.mark.parametrize("answer", ["He likes my pump.", "Tom is waiting, and he likes my pump.", "They wait on Tom."])
def test_others_of_whom_the_text_speaks_pass(answer: str) -> None:
    assert said_for("", answer, text=SPOKEN) == ""
