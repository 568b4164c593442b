import pytest

from pipeline.chat.refusing import NOT_IN_NOTES
from pipeline.dataset.filters.form import ANSWER_CHARS, QUESTION_CHARS, form, length
from tests.pipeline.dataset.filters.pairs import SETTINGS, candidate

QUESTION = "How long is the greenhouse?"
ANSWER = "It is 12 metres long."


def test_a_plain_pair_passes() -> None:
    assert length(candidate(QUESTION, ANSWER), SETTINGS) == ""
    assert form(candidate(QUESTION, ANSWER), SETTINGS) == ""


@pytest.mark.parametrize(
    ("question", "answer", "said"),
    [
        ("Why?", ANSWER, "the question has 4 characters, too few"),
        ("Greenhouse?", ANSWER, "the question is a single word"),
        ("How " + "very " * 80 + "long is it?", ANSWER, "too many"),
        (QUESTION, "1", "the answer has 1 characters, too few"),
        (QUESTION, "…!", "the answer has no word"),
        (QUESTION, "It is long. " * 200, "too many"),
    ],
)
def test_what_is_too_short_or_too_long_is_refused(question: str, answer: str, said: str) -> None:
    assert said in length(candidate(question, answer), SETTINGS)


def test_each_kind_has_limits_of_its_own() -> None:
    assert "too few" in length(candidate(QUESTION, "Twelve.", "how-to"), SETTINGS)
    assert length(candidate(QUESTION, "Twelve."), SETTINGS) == ""
    assert length(candidate(QUESTION, "Dig. " * 300, "how-to"), SETTINGS) == ""
    assert length(candidate(QUESTION, NOT_IN_NOTES, "refusal"), SETTINGS) == ""
    assert all(least < most for least, most in (QUESTION_CHARS, *ANSWER_CHARS.values()))


def test_a_script_without_spaces_says_more_in_a_character() -> None:
    assert length(candidate("温室有多长？", "十二米。"), SETTINGS) == ""


@pytest.mark.parametrize("question", ["The greenhouse", "Water the tomatoes in the morning.", "My pump, the Gardena"])
def test_what_asks_nothing_is_refused(question: str) -> None:
    assert form(candidate(question, ANSWER), SETTINGS) == "the question asks nothing"


@pytest.mark.parametrize(
    "question",
    [
        "In the garden, which pump do you use",
        "Tell me about your greenhouse",
        "Wie lang ist das Gewächshaus?",
        "温室有多长？",
        "Is it hard to grow tomatoes in a greenhouse?",
        "What do you think of people who say they hate slugs?",
        "What happens to this site when the pump is off?",
        "Why does the greenhouse need such a strong pump?",
    ],
)
def test_what_asks_and_stands_alone_passes(question: str) -> None:
    assert form(candidate(question, ANSWER), SETTINGS) == ""


@pytest.mark.parametrize(
    ("question", "answer", "pointing"),
    [
        ("What does the text say about pumps?", ANSWER, "the text say"),
        ("How long is the shed in this passage?", ANSWER, "this passage"),
        ("According to the author, which pump is best?", ANSWER, "According to the author"),
        ("Which pump is mentioned above?", ANSWER, "mentioned above"),
        (QUESTION, "The author says that it is 12 metres long.", "The author says"),
        ("How long is it?", ANSWER, "it"),
        ("When do they eat garlic?", ANSWER, "they"),
        ("And the shed, how long is that?", ANSWER, "And"),
        ("How does this pump work?", ANSWER, "this pump"),
        ("What happens to such a plot?", ANSWER, "such a plot"),
    ],
)
def test_what_needs_the_text_beside_it_is_refused(question: str, answer: str, pointing: str) -> None:
    reason = form(candidate(question, answer), SETTINGS)
    assert "stand alone" in reason
    assert f"“{pointing}”" in reason


def test_a_text_about_texts_may_be_asked_about() -> None:
    asked = "What is the author section for?"
    assert form(candidate(asked, "The author section names you.", title="The author section"), SETTINGS) == ""
    text = "Tags in the text, such as `#travel`, are read too."
    assert form(candidate("Are tags read?", text, text=text), SETTINGS) == ""


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("The text does not mention the greenhouse.", "the answer declines"),
        ("Not specified.", "the answer declines"),
        ("As an AI language model, I have no garden.", "the answer declines"),
        ("The greenhouse is long.", "only repeats the question"),
        ("[answer]", "is left over in the answer"),
        ("I water it in the morning. I like that. I water it in the morning.", "twice"),
    ],
)
def test_answers_that_say_nothing_are_refused(answer: str, said: str) -> None:
    assert said in form(candidate(QUESTION, answer), SETTINGS)


def test_a_choice_and_a_plain_yes_are_answers() -> None:
    assert form(candidate("Is the shed or the greenhouse longer?", "The greenhouse."), SETTINGS) == ""
    assert form(candidate("Is the greenhouse long?", "Yes."), SETTINGS) == ""
    assert form(candidate("Do slugs eat roses in the greenhouse?", NOT_IN_NOTES, "refusal"), SETTINGS) == ""


@pytest.mark.parametrize(
    "question",
    [
        "How long did it take you to write Embracing Darkness?",
        "How long has it been since you moved to Utah?",
        "When was it that you bought the greenhouse?",
    ],
)
def test_it_may_stand_for_nothing(question: str) -> None:
    assert form(candidate(question, ANSWER), SETTINGS) == ""


def test_it_that_stands_for_something_unknown_is_refused() -> None:
    assert "does not say what “it” is" in form(candidate("How long did it run?", ANSWER), SETTINGS)
