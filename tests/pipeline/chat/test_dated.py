from datetime import date

import pytest

from pipeline.answerability.judging import Answerability
from pipeline.chat.conversation import Asked
from pipeline.chat.dated import asks_when, of_its_days
from pipeline.index.filters import Filters
from pipeline.index.passages import Passage

TODAY = date(2026, 11, 29)
NOTES = {
    date(2024, 1, 4): "Planted 40 tulips.",
    date(2024, 1, 5): "Drove to the airport.",
    date(2020, 3, 2): "Sowed peas.",
}
PLAIN = [Passage(id="p", document="p", title="", url="", heading="", text="Anything.", score=1, visibility="public")]


def note(day: date) -> Passage:
    return Passage(
        id=str(day), document=str(day), title="", url="", heading="", text=NOTES[day], score=1, visibility="public",
        date=str(day),
    )  # fmt: skip


def ask(question: str, *, plain: float = 0.5, dated: float = 0.5) -> tuple[Asked, list[str]]:
    """The question as it is understood, and the days of the passages; "" for those that no day was asked for."""

    def find(subject: str, filters: Filters) -> list[Passage]:
        assert filters.after is not None
        assert filters.before is not None
        return [note(day) for day in NOTES if filters.after <= day <= filters.before]

    def judge(subject: str, passages: list[Passage]) -> Answerability:
        return Answerability(plain if passages == PLAIN else dated, 0.4)

    asked, passages = of_its_days(
        Asked(question, question), PLAIN, today=TODAY, known_days=lambda: set(NOTES), find=find, judge=judge
    )
    return asked, [passage.date for passage in passages]


@pytest.mark.parametrize(
    ("question", "days", "subject"),
    [
        ("What did I plant on January 4th, 2024?", ["2024-01-04"], "What did I plant ?"),
        ("What did I plant on January 4th?", ["2024-01-04"], "What did I plant ?"),
        ("What did I plant in January 2024?", ["2024-01-04", "2024-01-05"], "What did I plant ?"),
        ("Was habe ich am 4. Januar gepflanzt?", ["2024-01-04"], "Was habe ich gepflanzt?"),
        ("What did we sow in the spring of 2020?", ["2020-03-02"], "What did we sow ?"),
        ("What did I plant on January 9th, 2024?", [""], "What did I plant on January 9th, 2024?"),
        ("When did I plant the tulips?", [""], "When did I plant the tulips?"),
        ("When was the boiler replaced in 2020?", [""], "When was the boiler replaced in 2020?"),
    ],
)
def test_the_notes_of_the_named_days_are_asked(question: str, days: list[str], subject: str) -> None:
    asked, found = ask(question)
    assert (found, asked.subject, asked.of_days) == (days, subject, days != [""])
    assert not asked.only_names_days


def test_a_question_for_a_day_alone_is_answered_by_its_note() -> None:
    asked, found = ask("What did I do on January 5th, 2024?", dated=0.0)
    assert (found, asked.only_names_days) == (["2024-01-05"], True)
    assert "2024-01-05" in asked.subject


@pytest.mark.parametrize(
    "question",
    [
        "What happened in March 2020?",
        "What did I write in March 2020?",
        "Was ist im März 2020 passiert?",
        "Was habe ich im März 2020 geschrieben?",
        "Que s'est-il passé en mars 2020 ?",
        "¿Qué pasó en marzo de 2020?",
        "Cosa è successo a marzo 2020?",
        "Wat gebeurde er in maart 2020?",
        "O que aconteceu em março de 2020?",
    ],
)
def test_what_happened_names_days_alone(question: str) -> None:
    asked, found = ask(question, plain=0.0, dated=0.0)
    assert (found, asked.only_names_days) == (["2020-03-02"], True)


def test_notes_of_the_day_that_answer_worse_are_left() -> None:
    asked, found = ask("What did I plant on January 4th, 2024?", plain=0.9, dated=0.1)
    assert (found, asked.of_days) == ([""], False)


@pytest.mark.parametrize(
    ("question", "is_said"),
    [("When did I plant the tulips?", True), ("Wann habe ich sie gepflanzt?", True), ("What did I plant?", False)],
)
def test_the_day_is_said_where_it_is_asked_for(question: str, is_said: bool) -> None:
    assert asks_when(Asked(question, question)) is is_said
    assert asks_when(Asked(question, question, of_days=True))


@pytest.mark.parametrize(
    "question", ["What did I do in 2024?", "Was habe ich 2024 gemacht?", "2024年做了什么？", "Что я делал в 2024 году?"]
)
def test_a_year_alone_names_the_notes_of_that_year(question: str) -> None:
    asked, found = ask(question)
    assert (found, asked.only_names_days) == (["2024-01-04", "2024-01-05"], True)
