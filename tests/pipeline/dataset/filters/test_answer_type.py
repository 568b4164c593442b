import pytest

from pipeline.dataset.filters.answer_type import answers_something_else
from tests.pipeline.dataset.filters.pairs import candidate


@pytest.mark.parametrize(
    ("question", "answer", "lacking"),
    [
        ("How much did you pay for the pump?", "The pump waters the tomatoes.", "price"),
        ("How many pumps do you have?", "The pump waters the tomatoes.", "number"),
        ("When did you buy the pump?", "The pump waters the tomatoes.", "time"),
    ],
)
def test_an_answer_without_what_is_asked_for_is_refused(question: str, answer: str, lacking: str) -> None:
    assert f"asks for a {lacking}" in answers_something_else(candidate(question, answer))


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How much did you pay for the pump?", "It was a gift."),
        ("How much did you pay for the pump?", "$40."),
        ("How much water does the pump move?", "Enough for the tomatoes."),
        ("How many pumps do you have?", "Only a single one."),
        ("How many pumps do you have?", "Twelve."),
        ("When did you buy the pump?", "After the drought."),
        ("What happens when the pump was off?", "The tomatoes dry out."),
    ],
)
def test_a_fitting_answer_passes(question: str, answer: str) -> None:
    assert answers_something_else(candidate(question, answer)) == ""


def test_only_english_is_understood() -> None:
    text = "Die Pumpe, die wir haben, ist nicht neu, und das Wasser ist kalt."
    assert answers_something_else(candidate("Gut, how many?", "Die Pumpe ist nicht neu.", text=text)) == ""


SLUGS = "Slugs do not eat garlic. I water the tomatoes in the morning. The pump is loud because its bearing is old."


def test_a_single_shared_word_is_too_little_against_a_part_of_a_sentence() -> None:
    text = "The new server hosts the network and its Minecraft server. I've got the old server running a node for now."
    answer = "The network and its Minecraft server."
    assert answers_something_else(candidate("What runs there?", answer, text=text)) == ""


def test_a_part_of_the_sentence_that_answers_passes() -> None:
    text = "We rented a small car for a week, but I'd rather take the bus next time."
    answer = "I'd rather take the bus next time."
    assert answers_something_else(candidate("Would you rent a car?", answer, text=text)) == ""


def test_a_sentence_that_answers_another_question_is_refused() -> None:
    said = answers_something_else(candidate("What do slugs eat?", "I water the tomatoes in the morning.", text=SLUGS))
    assert said == "another sentence of the text answers it: “Slugs do not eat garlic.”"


@pytest.mark.parametrize("other", ["The slugs, then.", "And what do slugs eat?"])
def test_a_heading_or_a_question_answers_nothing_better(other: str) -> None:
    text = f"{other} They come at night, and by the morning they have taken the garlic with them."
    answer = "They come at night, and by the morning they have taken the garlic with them."
    assert answers_something_else(candidate("What of the slugs?", answer, text=text)) == ""


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What do slugs eat?", "Slugs do not eat garlic."),
        ("What do slugs eat?", "Garlic is what they leave alone."),
        ("What do you say about the greenhouse?", "I water the tomatoes in the morning."),
        ("Why do slugs stay away?", "I water the tomatoes in the morning."),
    ],
)
def test_an_answer_in_other_words_or_about_the_title_passes(question: str, answer: str) -> None:
    assert answers_something_else(candidate(question, answer, text=SLUGS)) == ""
