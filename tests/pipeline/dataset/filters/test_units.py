import pytest

from pipeline.dataset.filters.grounding import grounding
from pipeline.dataset.filters.units import changed_unit
from tests.pipeline.dataset.filters.pairs import SETTINGS, candidate

TEXT = "I ran 5 km in 30 minutes. The disk has 5 to 10 GB and costs $40. It waits two hours; the 12-metre hose is 7 years old."


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("You ran 5 miles.", "the answer says “5 miles”"),
        ("It has 10 MB.", "the answer says “10 MB”, the text “5 to 10 GB”"),
        ("It took 30 seconds.", "the answer says “30 seconds”, the text “30 minutes”"),
        ("It costs €40.", "the answer says “€40”, the text “$40”"),
        ("It costs 40 euros.", "the answer says “40 euros”, the text “$40”"),
        ("It waits 2 minutes.", "the answer says “2 minutes”, the text “two hours”"),
        ("The hose has 12 feet.", "the answer says “12 feet”, the text “12-metre”"),
        ("It waits two and a half minutes.", "the answer says “two and a half minutes”, the text “two hours”"),
        ("Die Platte hat 10 Go und läuft 30 Stunden.", "the answer says “30 Stunden”, the text “30 minutes”"),
    ],
)
def test_another_unit_is_refused(answer: str, said: str) -> None:
    assert said in changed_unit(candidate("How much is it?", answer, text=TEXT))


@pytest.mark.parametrize(
    "answer",
    [
        "You ran 5 kilometres.",
        "It has 5 gigabytes.",
        "It has 10GB.",
        "It took 30 min.",
        "It costs 40 dollars.",
        "It waits 2 h.",
        "The hose is 12 m long.",
        "It has 7 doors.",
        "It has 3 miles.",
        "It has 5 steps.",
        "In 25 to 30 minutes.",
    ],
)
def test_the_same_unit_in_other_words_passes(answer: str) -> None:
    assert changed_unit(candidate("How much is it?", answer, text=TEXT)) == ""


RATES = "You may send 60 requests a minute and 500 MB/day. It costs 11 Euro im Monat. `wait` is in seconds; the default is 300."


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("60 requests per hour.", "the answer says “60 requests per hour”, the text “60 requests a minute”"),
        ("60 an hour.", "the answer says “60 an hour”, the text “60 requests a minute”"),
        ("500 MB every week.", "the answer says “500 MB every week”, the text “500 MB/day”"),
        ("11 Euro im Jahr.", "the answer says “11 Euro im Jahr”, the text “11 Euro im Monat”"),
        ("300 minutes.", "the answer says “300 minutes”, the text “in seconds”"),
    ],
)
def test_another_rate_is_refused(answer: str, said: str) -> None:
    assert changed_unit(candidate("How much is it?", answer, text=RATES)) == said


@pytest.mark.parametrize("answer", ["60 per minute.", "500 MB a day.", "11 Euro pro Monat.", "300 seconds.", "300."])
def test_the_same_rate_in_other_words_passes(answer: str) -> None:
    assert changed_unit(candidate("How much is it?", answer, text=RATES)) == ""


def test_a_unit_of_the_question_passes() -> None:
    assert changed_unit(candidate("Is it 5 MB?", "No, not 5 MB.", text=TEXT)) == ""


def test_grounding_names_the_unit() -> None:
    assert "12 miles" in grounding(candidate("How long is the greenhouse?", "It is 12 miles long."), SETTINGS)
