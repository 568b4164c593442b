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
        ("Alan Berg", "Berg waters them in the morning.", "Berg"),
        ("Alan Berg", "One can expect Mr. Berg to water them.", "Berg"),
        ("", "This gardener waters them early.", "This gardener"),
        ("", "The grower waters the tomatoes in the morning.", "the author"),
        ("", "According to her, in the morning.", "her"),
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


def test_the_name_that_the_text_gives_its_author_is_known() -> None:
    text = "I'm Ines, a nurse. I water the tomatoes in the morning."
    assert "“Ines”" in third_person(candidate(QUESTION, "Ines waters them early.", text=text))
    assert third_person(candidate("Who are you?", "Ines, a nurse.", text=text)) == ""


def test_what_belongs_to_the_author_is_known_by_the_text() -> None:
    text = "My brother built the shed. Slugs make me sick."
    for answer, hit in (("Their brother built it.", "their"), ("Slugs make her sick.", "her")):
        assert third_person(candidate(QUESTION, answer, text=text)).startswith(
            f"the answer speaks of the author as “{hit}”"
        )


def test_he_and_she_may_stand_for_a_person_of_the_answer() -> None:
    text = "I learnt it from my grandmother, and my dad built the shed."
    for question, answer in (
        ("Who taught you?", "My grandmother. She never weighed anything."),
        ("What did your dad build?", "He built the shed."),
    ):
        assert third_person(candidate(question, answer, text=text)) == ""


def test_somebody_of_whom_the_text_speaks_passes() -> None:
    known = candidate("What does your son Tom do?", "He waters them early.", text="I asked my son Tom. He waters them.")
    assert third_person(known) == ""
    assert said_for("", "The author of seeds.", text="I know the author of seeds.") == ""


def test_a_text_without_i_says_nothing_of_its_author() -> None:
    known = candidate("Who waters them?", "She waters them.", text="The garden is open in the morning.")
    assert third_person(known) == ""


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
        ("She has been raising issues.", "She"),
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
