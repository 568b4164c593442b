import pytest
from pydantic import ValidationError

from pipeline.dataset.decisions import Decision
from pipeline.dataset.plan import sources_of
from pipeline.dataset.records import Pair, Rejection
from pipeline.dataset.review import Texts, Wanted, choices, decided, join, select
from pipeline.dataset.review_order import rated
from pipeline.dataset.versions import DatasetRow, Rejected
from tests.pipeline.dataset.notes import cut, document


def pair(question, source="notes/a.md", chunk_index=0, kind="fact", answer="Because it rains."):
    return Pair(
        question=question, answer=answer, kind=kind, source=source, chunk_index=chunk_index, chunks=(), accuracy=9, style=8
    )  # fmt: skip


def accepted(made, split="train", written=None):
    return DatasetRow(pair=made, split=split, original=(written or made).id)


def rejected(made, stage="score", reason="accuracy 3 is below 6"):
    return Rejected(pair=made, rejection=Rejection(stage=stage, reason=reason))


def said(made, action, **words):
    return {made.id: Decision(pair=made.id, action=action, **words)}


WHY, HOW, WHO = pair("Why?"), pair("How do tides work?", "notes/b.md", 1, "how-to"), pair("Who?", "notes/b.md")
ROWS, OUT = [accepted(WHY), accepted(HOW, "test")], [rejected(WHO)]
TITLES = {"notes/b.md": "Of the Sea"}


def shown(items):
    return [item.pair.question for item in items]


def test_pairs_stand_in_the_order_of_the_notes():
    assert shown(join(ROWS, OUT)) == ["Why?", "Who?", "How do tides work?"]


@pytest.mark.parametrize(
    ("wanted", "questions"),
    [
        ({}, ["Why?", "Who?", "How do tides work?"]),
        ({"outcome": "accepted"}, ["Why?", "How do tides work?"]),
        ({"outcome": "rejected"}, ["Who?"]),
        ({"outcome": "score"}, ["Who?"]),
        ({"outcome": "judge"}, []),
        ({"kind": "how-to"}, ["How do tides work?"]),
        ({"split": "train"}, ["Why?"]),
        ({"source": "notes/b.md"}, ["Who?", "How do tides work?"]),
        ({"decision": "open"}, ["Who?", "How do tides work?"]),
        ({"decision": "decided"}, ["Why?"]),
        ({"decision": "waiting"}, ["Why?"]),
        ({"text": "TIDES rains"}, ["How do tides work?"]),
        ({"text": "sea"}, ["Who?", "How do tides work?"]),
        ({"text": "below"}, ["Who?"]),
        ({"text": "below tides"}, []),
        ({"kind": "fact", "source": "notes/b.md"}, ["Who?"]),
    ],
)
def test_pairs_are_found_by_all_that_is_wanted(wanted, questions):
    items = decided(join(ROWS, OUT), said(WHY, "reject"))
    assert shown(select(items, Wanted(**wanted), TITLES)) == questions


@pytest.mark.parametrize(
    ("chance", "questions"),
    [("", ["Why?", "Who?", "How do tides work?"]), ("min-90", ["Why?"]), ("max-25", ["Who?"]), ("max-9", [])],
)
def test_pairs_are_found_by_their_chance(chance, questions):
    items = rated(join(ROWS, OUT), {WHY.id: 0.9, WHO.id: 0.1, HOW.id: 0.5})
    assert shown(select(items, Wanted(chance=chance), TITLES)) == questions


def test_no_pair_has_a_chance_before_enough_is_decided():
    assert select(join(ROWS, OUT), Wanted(chance="max-90"), TITLES) == []


def test_an_unknown_wish_is_an_error():
    with pytest.raises(ValidationError):
        Wanted(kind="gossip")
    with pytest.raises(ValidationError):
        Wanted(stage="score")
    with pytest.raises(ValidationError):
        Wanted(chance="about-50")


def test_choices_count_the_pairs():
    found = choices(join(ROWS, OUT))
    assert (found.accepted, found.stages, found.kinds) == (2, {"score": 1}, {"fact": 2, "how-to": 1})
    assert (found.splits, found.sources) == ({"train": 1, "valid": 0, "test": 1}, {"notes/a.md": 1, "notes/b.md": 2})


@pytest.mark.parametrize(
    ("row", "decisions", "waits"),
    [
        (accepted(WHY), {}, False),
        (accepted(WHY), said(WHY, "accept"), False),
        (accepted(WHY), said(WHY, "reject"), True),
        (accepted(WHY), said(WHY, "edit", question="Why not?", answer="Because."), True),
        (accepted(HOW, written=WHY), said(WHY, "edit", question=HOW.question, answer=HOW.answer), False),
        (accepted(HOW, written=WHY), said(WHY, "edit", question="Why not?", answer="Because."), True),
        (accepted(HOW, written=WHY), said(WHY, "accept"), True),
        (accepted(HOW, written=WHY), {}, True),
        (rejected(WHO), {}, False),
        (rejected(WHO), said(WHO, "accept"), True),
        (rejected(WHO), said(WHO, "edit", question="Who?", answer="I."), True),
        (rejected(WHO), said(WHO, "reject"), False),
        (rejected(WHO, "review"), said(WHO, "reject"), False),
        (rejected(WHO, "review"), {}, True),
        (rejected(WHO, "split"), said(WHO, "accept"), False),
    ],
)
def test_a_decision_waits_while_the_next_build_would_change_something(row, decisions, waits):
    rows, out = ([row], []) if isinstance(row, DatasetRow) else ([], [row])
    (item,) = decided(join(rows, out), decisions)
    assert item.waits is waits


def test_an_edited_pair_is_shown_in_the_owners_words():
    (item,) = decided(join([accepted(WHY)], []), said(WHY, "edit", question="Why not?", answer="Because."))
    assert (item.question, item.answer, item.pair) == ("Why not?", "Because.", WHY)
    assert shown(select([item], Wanted(text="not"), {})) == ["Why?"]


def test_the_text_of_a_chunk_is_there_until_it_is_edited():
    note = document(3)
    chunk = sources_of(note, cut)[1]
    texts = Texts([note], cut)
    assert texts.source(chunk.chunk) == chunk
    assert (texts.titles, texts.url(note.id)) == ({note.id: note.title}, note.url)
    assert texts.source(f"{note.id}#0123456789abcdef-0") is None
    assert Texts([], cut).source(chunk.chunk) is None
    assert Texts([], cut).url(note.id) == ""
