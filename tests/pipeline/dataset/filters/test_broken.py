import pytest

from pipeline.dataset.filters.broken import broken
from tests.pipeline.dataset.filters.pairs import TEXT, candidate

QUESTION = "How long is the greenhouse?"


@pytest.mark.parametrize(
    "answer",
    [
        "It is 12 metres long, and the",
        "It is 12 metres long, and the shed,",
        "It has these parts:",
        "The pump is a Gardena (the model",
        "It is long. I water the tomatoes in the",
        "It is long. I water the tomatoes every",
        "It is 12 metres...",
        "...",
        "It is 12 metres long because.",
        "It is 12 metres long and I built the whole",
        "I water the tomatoes with a pump of",
        "The key `pump.minutes` sets how long",
        "The key `pump.minutes",
        "I water the tomatoes in",
        "I water the tom",
        "1. Open the shed.\n2. Start the pump.\n3. Water",
        "Because the pump broke and the tomatoes took",
    ],
)
def test_an_answer_that_breaks_off_is_refused(answer: str) -> None:
    assert "the answer breaks off" in broken(candidate(QUESTION, answer))


def test_a_question_that_breaks_off_is_refused() -> None:
    assert "the question breaks off" in broken(candidate("How long is the greenhouse and the", "12 metres."))


@pytest.mark.parametrize(
    "answer",
    [
        "12 metres",
        "It is 12 metres long.",
        "Yes, it is",
        "I do this:\n\n```sh\npump --minutes 5,\n```",
        "It is long. See https://example.org/pump",
        "Two things:\n- the pump\n- the shed",
        "It says “the pump, and the”.",
        "I like it :(",
        "Gardena - Pump for tomatoes and slugs. (Docs)",
        "It is long. I water the tomatoes in the morning, never in the evening",
    ],
)
def test_a_short_or_listed_answer_passes(answer: str) -> None:
    assert broken(candidate(QUESTION, answer)) == ""


def test_an_ellipsis_of_the_text_passes() -> None:
    assert broken(candidate(QUESTION, "Long, very long…", text="It is long, very long… I think.")) == ""


@pytest.mark.parametrize(
    ("answer", "twice"),
    [
        ("It is is 12 metres long.", "is is"),
        ("It is so. it is 12 metres long. it is 12 metres long.", "it is 12 metres long. it is 12 metres long."),
        ("Set `pump.minutes` `pump.minutes` to 5.", "`pump.minutes` `pump.minutes`"),
        ("It is used to used to water them.", "used to used to"),
        ("The Gardena Gardena is a pump.", "Gardena Gardena"),
        ("It waters (the tomatoes). tomatoes). It is new.", "tomatoes). tomatoes)."),
        ("I I water them.", "I I"),
        ("The pump runs at night. It is new. The pump runs at night.", "The pump runs at night."),
        ("It is deep deep deep deep.", "deep deep deep deep"),
        ("I water them in the morning in the morning.", "in the morning in the morning"),
        ("I water it in spring, I water it in spring.", "I water it in spring, I water it in spring"),
    ],
)
def test_words_that_stand_twice_are_refused(answer: str, twice: str) -> None:
    assert f"“{twice}”" in broken(candidate(QUESTION, answer))


@pytest.mark.parametrize(
    "answer",
    [
        "It had had a leak.",
        "I like it very very much.",
        "Duran Duran played there.",
        "Pump Bot - Pump Bot for tomatoes.",
        "I built it step by step by step.",
        "The command is `go go`.",
        "The word-for-word text is long.",
    ],
)
def test_words_that_people_say_twice_pass(answer: str) -> None:
    assert broken(candidate(QUESTION, answer)) == ""


def test_what_the_text_says_twice_passes() -> None:
    assert broken(candidate(QUESTION, "The cows moo moo.", text=f"{TEXT} The cows moo moo.")) == ""


def test_other_languages_double_their_words() -> None:
    text = "Das sind die Leute, die die Pumpe kennen. Wir fangen morgen mit dem Gießen der Tomaten im Gewächshaus an."
    assert broken(candidate("Wer kennt die Pumpe?", "Leute, die die alte Pumpe mögen.", text=text)) == ""


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("It runs every night every night at 2:30.", "says “every night every night”"),
        ("I never leave it alone, because its", "breaks off"),
        ("It costs me roughly", "breaks off"),
        ("I took a belt, because I was", "breaks off"),
    ],
)
def test_short_repetitions_and_open_words_are_refused(answer: str, said: str) -> None:
    assert said in broken(candidate(QUESTION, answer))


NOTE = (
    "# Pump\n\nThe **pump is a Gardena**, which I found at [a market in Bergen](https://example.org/market), and it gathers and sends "
    "water. The knob is very useful. Result: it is slow. Für den Garten ist die Pumpe der [alten Werkstatt](w.md) gut.\n\n"
    '> "In spring the pump is slow.\n'
)


@pytest.mark.parametrize(
    "answer",
    [
        "The pump is a Gardena, which I found at a market in",
        "The pump is a Gardena, which I found",
        "The pump is a Gardena, which I found at a market in Bergen, and it gathers and sends",
        'The shed is called "Garden house',
        "Für den Garten ist die Pumpe",
    ],
)
def test_the_beginning_of_a_sentence_of_the_text_is_refused(answer: str) -> None:
    assert "the answer breaks off" in broken(candidate(QUESTION, answer, text=NOTE))


def test_a_quotation_that_goes_on_in_the_text_passes() -> None:
    assert broken(candidate(QUESTION, '"In spring the pump is slow.', text=NOTE)) == ""


def test_a_clause_of_the_text_without_its_full_stop_passes() -> None:
    assert broken(candidate(QUESTION, "The pump is a Gardena", text=NOTE)) == ""
    assert broken(candidate(QUESTION, "Yes. Yes, it is slow.", text="It runs. Yes, it is slow.")) == ""


@pytest.mark.parametrize(
    ("answer", "twice"),
    [
        ("The pump is a Gardena, which which I found at a market.", "which which"),
        ("It gathers and gathers and sends water.", "gathers and gathers and"),
        ("Result: Result: it is slow.", "result result"),
        ("The knob is very very useful.", "very very"),
        ("The pump is a Gardena, which I found at a market in a market in Bergen.", "a market in a market in"),
        ("Für den Garten ist die die Pumpe der alten Werkstatt gut.", "die die"),
        (f"{'We have a pump and a shed and a knob and they are old, etc. ' * 2}", "We have a pump"),
    ],
)
def test_what_the_text_has_once_is_not_said_twice(answer: str, twice: str) -> None:
    assert f"says “{twice}" in broken(candidate(QUESTION, answer, text=NOTE))


@pytest.mark.parametrize(
    "answer",
    ["It runs again and again and again.", "It gets better and better and better.", "The knob is very, very good."],
)
def test_what_people_say_again_and_again_passes(answer: str) -> None:
    assert broken(candidate(QUESTION, answer, text=NOTE)) == ""
