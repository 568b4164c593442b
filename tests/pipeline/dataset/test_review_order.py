import random

import pytest

from pipeline.dataset.decisions import Decision
from pipeline.dataset.records import Pair, Rejection
from pipeline.dataset.review import Item
from pipeline.dataset.review_order import LEAST_DECISIONS, LEAST_OF_EACH, chances, rated, unsure_first

WORDS = ("sourdough", "gardens", "keyboards", "trains", "sailing", "clocks", "maps", "coffee", "radio", "paper")


def item(number, *, kind="fact", stage="", opening="What", accuracy=8):
    chosen = random.Random(number).choices(WORDS, k=6)
    pair = Pair(
        question=f"{opening} of {' '.join(chosen[:3])} {number}?", answer=f"I like {' and '.join(chosen[3:])}.", kind=kind,
        source="notes/a.md", chunk_index=number, chunks=(), accuracy=accuracy, style=8,
    )  # fmt: skip
    return Item(pair.id, pair, rejection=Rejection(stage=stage, reason="so") if stage else None)


def said(one, action):
    words = {"question": "Why?", "answer": "So."} if action == "edit" else {}
    return Item(
        one.id, one.pair, rejection=one.rejection, decision=Decision(pair=one.id, action=action, **words)
    )  # fmt: skip


def rule(yes, no, decisions=40):
    """Pairs of both sorts, of which the owner decided the first ones by the rule."""
    decided = [
        said(item(number, **(no if number % 2 else yes)), "reject" if number % 2 else "accept")
        for number in range(decisions)
    ]
    return decided, [item(1000 + number, **yes) for number in range(20)], [item(2000 + n, **no) for n in range(20)]


@pytest.mark.parametrize(
    ("yes", "no"),
    [
        ({"kind": "how-to"}, {"kind": "refusal"}),
        ({"stage": ""}, {"stage": "grounding"}),
        ({"accuracy": 9}, {"accuracy": 3}),
        ({"opening": "How"}, {"opening": "Response"}),
    ],
    ids=["kind", "stage", "grade", "word"],
)
def test_a_planted_rule_is_learned(yes, no):
    decided, good, bad = rule(yes, no)
    chance = chances([*decided, *good, *bad])
    assert min(chance[one.id] for one in good) > 0.5 > max(chance[one.id] for one in bad)


def test_the_least_sure_come_first_and_what_is_decided_last():
    decided, good, bad = rule({"kind": "how-to"}, {"kind": "refusal"})
    unknown = item(3000, kind="voice")
    items = [*decided, *good, *bad, unknown]
    found = unsure_first(rated(items, chances(items)))
    assert found[0].id == unknown.id
    distances = [abs(one.chance - 0.5) for one in found[: len(good) + len(bad) + 1]]
    assert distances == sorted(distances)
    assert [one.id for one in found[-len(decided) :]] == [one.id for one in decided]


@pytest.mark.parametrize(
    ("accepted", "rejected"),
    [
        (0, 0),
        (LEAST_DECISIONS // 2 - 1, LEAST_DECISIONS // 2),
        (LEAST_DECISIONS, LEAST_OF_EACH - 1),
        (LEAST_OF_EACH - 1, LEAST_DECISIONS),
    ],
)
def test_few_decisions_leave_the_old_order(accepted, rejected):
    items = [said(item(number), "accept") for number in range(accepted)]
    items += [said(item(100 + number), "reject") for number in range(rejected)]
    items += [item(200), item(201)]
    assert chances(items) == {}
    assert unsure_first(rated(items, {})) == items


def test_enough_decisions_are_enough():
    items = [said(item(number), "reject" if number < LEAST_OF_EACH else "accept") for number in range(LEAST_DECISIONS)]
    assert set(chances(items)) == {one.id for one in items}


def test_an_edit_says_neither():
    decided, good, _ = rule({"kind": "how-to"}, {"kind": "refusal"})
    edited = [said(item(4000 + number, kind="how-to"), "edit") for number in range(30)]
    alone, beside = chances([*decided, *good]), chances([*decided, *good, *edited])
    assert [alone[one.id] for one in good] == pytest.approx([beside[one.id] for one in good])


def test_the_same_decisions_give_the_same_chances():
    decided, good, bad = rule({"kind": "how-to"}, {"kind": "refusal"})
    assert chances([*decided, *good, *bad]) == chances([*decided, *good, *bad])
