from datetime import date

import pytest

from pipeline.text.days import Period, period_in

TODAY = date(2026, 11, 29)


@pytest.mark.parametrize(
    ("question", "language", "first", "last"),
    [
        ("What did I do on January 5th, 2024?", "en", date(2024, 1, 5), date(2024, 1, 5)),
        ("What did I do on 5 January 2024?", "en", date(2024, 1, 5), date(2024, 1, 5)),
        ("What did I do on 2024-01-05?", "en", date(2024, 1, 5), date(2024, 1, 5)),
        ("What happened in January 2024?", "en", date(2024, 1, 1), date(2024, 1, 31)),
        ("What did I write yesterday?", "en", date(2026, 11, 28), date(2026, 11, 28)),
        ("What did I read last week?", "en", date(2026, 11, 16), date(2026, 11, 22)),
        ("What did we plant last spring?", "en", date(2026, 3, 1), date(2026, 5, 31)),
        ("What did we plant in the winter of 2024?", "en", date(2023, 12, 1), date(2024, 2, 29)),
        ("Was habe ich am 5. Januar 2024 gemacht?", "de", date(2024, 1, 5), date(2024, 1, 5)),
        ("Was haben wir letzten Frühling gepflanzt?", "de", date(2026, 3, 1), date(2026, 5, 31)),
        ("Qu'ai-je fait le 5 janvier 2024 ?", "fr", date(2024, 1, 5), date(2024, 1, 5)),
        ("Что я делал 5 января 2024?", "ru", date(2024, 1, 5), date(2024, 1, 5)),
        ("2024年1月5日我做了什么?", "zh", date(2024, 1, 5), date(2024, 1, 5)),
    ],
)
def test_days_in_words(question, language, first, last):
    found = period_in(question, language, TODAY)
    assert found is not None
    assert (found.first, found.last, found.any_year) == (first, last, False)


def test_without_a_year_an_earlier_one_may_be_meant():
    found = period_in("Was habe ich am 5. Januar gemacht?", "de", TODAY)
    assert found is not None
    assert found.any_year
    earlier = found.years_before(2)
    assert earlier.first == earlier.last == date(2024, 1, 5)
    assert earlier.holds(date(2024, 1, 5))
    assert period_in("on February 29", "en", date(2024, 3, 1)).years_before(1).first == date(2023, 2, 28)


@pytest.mark.parametrize(
    "question",
    [
        "When did I plant the tulips?",
        "What may I do with the march?",
        "Which port does the gateway use, 8765?",
        "How many of the 40 tulips bloomed?",
        "Does version 1.2.3 fall behind?",
        "How do I spring a trap?",
        "What takes a second?",
    ],
)
def test_what_names_no_day(question):
    assert period_in(question, "en", TODAY) is None


@pytest.mark.parametrize(
    ("question", "language", "year", "words"),
    [
        ("What did I do in 2023?", "en", 2023, "in 2023"),
        ("Was habe ich 2023 gemacht?", "de", 2023, "2023"),
        ("Qu'ai-je fait en 2023 ?", "fr", 2023, "en 2023"),
        ("Что я делал в 2023 году?", "ru", 2023, "в 2023 году"),
        ("2023年做了什么？", "zh", 2023, "2023年"),
        ("What did I write last year?", "en", TODAY.year - 1, "last year"),
        ("Was war letztes Jahr los?", "de", TODAY.year - 1, "letztes Jahr"),
    ],
)
def test_a_year_alone(question: str, language: str, year: int, words: str) -> None:
    assert period_in(question, language, TODAY) == Period(date(year, 1, 1), date(year, 12, 31), words)


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("How do I install Windows 2000?", "en"),
        ("What did the 2023 budget say?", "en"),
        ("What cost 2023 euros?", "en"),
        ("What happens in 2099?", "en"),
        ("Was hat 2023 Euro gekostet?", "de"),
        ("Is it in 2023.4 or later?", "en"),
    ],
)
def test_a_number_that_is_no_year_to_look_in(question: str, language: str) -> None:
    assert period_in(question, language, TODAY) is None
