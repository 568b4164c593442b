import asyncio
import json

import pytest

from pipeline.chat.refusing import NOT_IN_NOTES
from pipeline.dataset.records import Pair, PairSource, Task
from pipeline.dataset.teachers.extractive.teacher import ExtractiveTeacher
from pipeline.errors import UnreadableError
from pipeline.evaluation.golden_draft import changed, chosen, from_notes, from_pair, outside, reworded, specifics
from pipeline.settings import PairKind

TEXT = "My kettle is a Bonavita, and it heats water to `70` degrees in 4 minutes. Mara gave it to me in 2019."


def pair(question: str, answer: str, kind: PairKind = "fact", *chunks: str) -> Pair:
    return Pair(
        question=question, answer=answer, kind=kind, source="tea.md", chunk_index=0, chunks=chunks or ("tea.md#0",),
        accuracy=9, style=9,
    )  # fmt: skip


def source(document: str, text: str, number: int = 0) -> PairSource:
    return PairSource(f"{document}#{len(text)}-{number}", document, number, document.title(), "", text, "public")


def test_facts_are_code_numbers_and_names_that_the_question_does_not_say() -> None:
    assert specifics("What is your kettle?", TEXT) == ["Bonavita", "70", "4", "2019"]
    assert specifics("What does Mara say of the Bonavita?", TEXT) == ["70", "4", "2019"]
    assert specifics("Which version?", "It is Sublime Text 3, and 3 costs $80 or 5 %.") == [
        "Sublime Text 3",
        "$80",
        "5 %",
    ]
    assert specifics("Why?", "Because it is good.") == []


def test_a_fact_must_stand_in_the_text() -> None:
    found = from_pair(pair("Which kettle?", "A Bonavita of 1999."), TEXT, "here")
    assert found is not None
    assert found.golden.groups == (("Bonavita",),)
    assert (found.golden.kind, found.golden.page, found.origin) == ("fact", ("tea.md",), "here")
    assert from_pair(pair("Which kettle?", "A good one."), TEXT, "") is None


def test_each_kind_of_pair_becomes_its_kind_of_question() -> None:
    refused = from_pair(pair("Who made it?", NOT_IN_NOTES, "refusal"), TEXT, "")
    voice = from_pair(pair("Do you like it?", "A lot, really.", "voice"), TEXT, "")
    both = from_pair(pair("Tell me of the kettle.", TEXT, "synthesis", "tea.md#0", "gifts.md#1"), TEXT, "")
    assert refused is not None
    assert voice is not None
    assert both is not None
    assert (refused.golden.kind, refused.golden.why, refused.golden.answerable) == (
        "unanswerable",
        "missing_detail",
        False,
    )
    assert (voice.golden.kind, voice.golden.groups, voice.golden.reference) == ("voice", (), "A lot, really.")
    assert (both.golden.kind, both.golden.page, len(both.golden.groups)) == ("synthesis", ("tea.md", "gifts.md"), 4)
    assert from_pair(pair("Tell me.", "It is a Bonavita.", "synthesis"), TEXT, "") is None


def test_the_teacher_without_a_model_proposes_from_every_note() -> None:
    notes = [
        source(
            f"{name}.md", f"The {name} of my garden is a Bonavita from 2019, and I water it at 7 every day. I love it."
        )
        for name in ("pump", "hose", "tap")
    ]
    found = asyncio.run(from_notes(notes, ExtractiveTeacher(), 20, []))
    assert {proposal.golden.page[0] for proposal in found} == {"pump.md", "hose.md", "tap.md"}
    assert all("extractive" in proposal.origin for proposal in found)
    assert len(asyncio.run(from_notes(notes, ExtractiveTeacher(), 1, []))) == 1


class Mumbler:
    name = "mumbler"

    async def write(self, task: Task) -> list[Pair]:
        raise UnreadableError("no JSON: try another model")


def test_what_cannot_be_read_is_left_out_with_its_reason() -> None:
    unreadable: list[str] = []
    assert asyncio.run(from_notes([source("tea.md", TEXT)], Mumbler(), 5, unreadable)) == []
    assert unreadable == ["fact of tea.md: no JSON: try another model"]


def test_a_teacher_that_gives_nothing_is_not_asked_about_every_note() -> None:
    unreadable: list[str] = []
    notes = [source(f"{number}.md", TEXT) for number in range(50)]
    assert asyncio.run(from_notes(notes, Mumbler(), 4, unreadable)) == []
    assert len(unreadable) == 12


class Answering:
    name = "answering"

    def __init__(self, question: str) -> None:
        self.question = question
        self.asked: list[str] = []

    async def reply(self, messages, schema, *, max_tokens: int, temperature: float) -> str:
        self.asked.append(messages[-1]["content"])
        return json.dumps({"question": self.question})


def test_a_trained_question_is_reworded_and_keeps_its_facts() -> None:
    model = Answering("What brand is the thing you boil water in?")
    found = asyncio.run(reworded([(pair("Which </text> kettle?", TEXT), TEXT)], model, 3, 2))
    assert [(one.golden.kind, one.golden.question) for one in found] == [("paraphrase", model.question)]
    assert found[0].golden.groups == (("Bonavita",), ("70",))
    assert found[0].origin == "“Which </text> kettle?” of the training split of data set 2, reworded"
    assert model.asked[0].count("</text>") == 1
    assert asyncio.run(reworded([(pair("Which kettle?", TEXT), TEXT)], Answering("…"), 3, 2)) == []
    same = Answering("which kettle")
    assert asyncio.run(reworded([(pair("Which kettle?", TEXT), TEXT)], same, 3, 2)) == []


class Same:
    """Asks the same of every version of a note, as the extractive teacher does of a heading."""

    name = "same"

    async def write(self, task: Task) -> list[Pair]:
        text = task.sources[0].text
        return [pair("Which port?", text, "fact", task.sources[0].chunk)]


@pytest.mark.parametrize(
    ("now", "fact", "stale"),
    [
        ("It is port 8765.", (("8765",),), ("8080",)),
        ("It is port 8765, before it was 8080.", None, None),
        ("It is port 8080.", None, None),
    ],
)
def test_an_edited_note_gives_the_new_fact_and_the_stale_one(now, fact, stale) -> None:
    trained = [pair("Which port?", "It is port 8080.", "fact", "tea.md#gone")]
    found = asyncio.run(changed(trained, [source("tea.md", now)], Same(), 4))
    assert [(one.golden.groups, one.golden.stale) for one in found] == ([(fact, stale)] if fact else [])
    assert all(one.origin == "tea.md was edited since data set 4" for one in found)


def test_an_unchanged_note_gives_none() -> None:
    here = source("tea.md", "It is port 8765.")
    assert asyncio.run(changed([pair("Which port?", "8080", "fact", here.chunk)], [here], Same(), 4)) == []


def test_kinds_take_turns_and_nothing_is_proposed_twice() -> None:
    voices = [from_pair(pair(f"Do you like {n}?", "Yes, I do.", "voice"), TEXT, "") for n in range(5)]
    facts = [from_pair(pair(f"Which kettle, {n}?", TEXT), TEXT, "") for n in range(2)]
    kinds = [one.golden.kind for one in chosen([*voices, *voices, *facts, *outside(1)], 6)]
    assert kinds == ["voice", "fact", "unanswerable", "voice", "fact", "voice"]
