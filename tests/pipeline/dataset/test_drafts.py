import pytest

from pipeline.dataset.decisions import Decision
from pipeline.dataset.drafts import drafts
from pipeline.dataset.records import Pair, Rejection
from pipeline.dataset.review import Item


def item(question, answer, *, stage="", chunk="notes/a.md#1", kind="fact", split="train", said=""):
    pair = Pair(
        question=question, answer=answer, kind=kind, source="notes/a.md", chunk_index=0, chunks=(chunk,), accuracy=9, style=8
    )  # fmt: skip
    return Item(
        pair.id,
        pair,
        split=None if stage else split,
        rejection=Rejection(stage=stage, reason="so") if stage else None,
        decision=Decision(pair=pair.id, action=said) if said else None,
    )


TIDES = item("How do the tides work?", "The moon pulls the sea.")
AGAIN = item("How do the tides work?", "The moon moves the water.", stage="score")


def test_an_accepted_and_a_refused_answer_to_one_question_are_two_drafts():
    assert drafts([TIDES, AGAIN], set()) == [(TIDES, AGAIN)]


def test_near_questions_come_after_the_same_question():
    near = item("Why do the tides work?", "Because of the moon.")
    found = drafts([near, TIDES, AGAIN], set())
    assert found[0] == (TIDES, AGAIN)
    assert {frozenset((one.id, other.id)) for one, other in found[1:]} == {
        frozenset((near.id, TIDES.id)),
        frozenset((near.id, AGAIN.id)),
    }


@pytest.mark.parametrize(
    "other",
    [
        item("Who lived in the lighthouse?", "My aunt."),
        item("How do the trains work?", "On rails, with a timetable."),
        item("How do the tides work?", "the moon pulls the sea"),
        item("How do the tides work?", "By the moon.", chunk="notes/a.md#2"),
        item("How do the tides work?", "By the moon.", kind="voice"),
        item("How do the tides work?", "By the moon.", split="test"),
        item("How do the tides work?", "By jane@mailbox.org.", stage="privacy"),
        item("How do the tides work?", "By the moon.", stage="split"),
        item("How do the tides work?", "By the moon.", said="reject"),
    ],
    ids=["other question", "only the small words alike", "same answer", "other chunk", "other kind", "test beside train", "private", "split", "refused"],
)  # fmt: skip
def test_what_is_no_draft(other):
    assert drafts([TIDES, other], set()) == []


def test_two_that_were_compared_do_not_come_again():
    assert drafts([TIDES, AGAIN], {frozenset((AGAIN.id, TIDES.id))}) == []
