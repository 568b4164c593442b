import asyncio
import json
import re
from collections import Counter

import pytest

from pipeline.chat.prompt import grounded_messages
from pipeline.chat.refusing import NOT_IN_NOTES, REFUSALS, is_refusal
from pipeline.dataset.build import build
from pipeline.dataset.export import read_messages
from pipeline.dataset.records import Pair, PairSource
from pipeline.dataset.retrieval_rows import rows_to_train
from pipeline.dataset.versions import DatasetRow, read_card, read_rows, version_folder
from pipeline.index.passages import Passage
from pipeline.settings import DatasetSettings, PersonaSettings
from tests.pipeline.dataset.notes import FirstSentences, cut, document, embed, site

PERSONA = PersonaSettings(name="Ada")
HIDDEN = "The vault holds the silver spoon."


def source(number, text="", visibility="public"):
    text = text or f"In note {number} I count {number * 7} clocks."
    return PairSource(f"{number}.md#0-0", f"{number}.md", 0, f"Note {number}", "Clocks", text, visibility)


def row(number, kind="fact", split="train", answer=""):
    pair = Pair(
        question=f"How many clocks are in note {number}?", answer=answer or f"There are {number * 7} clocks.", kind=kind,
        source=f"{number}.md", chunk_index=0, chunks=(f"{number}.md#0-0",), accuracy=9, style=9,
    )  # fmt: skip
    return DatasetRow(pair=pair, split=split, original=pair.id)


SOURCES = [source(number) for number in range(40)]
SPLITS = {f"{number}.md": "train" if number < 30 else "valid" if number < 35 else "test" for number in range(40)}
ROWS = [row(number, split=SPLITS[f"{number}.md"]) for number in range(40)]


def made(rows=ROWS, sources=SOURCES, **settings):
    return rows_to_train(rows, sources, SPLITS, DatasetSettings(**settings), PERSONA, embed)


def grounded(found):
    return [row["messages"] for row in found if "<passages>" in row["messages"][-2]["content"]]


def notes_of(messages):
    return [int(number) for number in re.findall(r"^Note (\d+) > Clocks$", messages[-2]["content"], re.MULTILINE)]


def test_each_pair_is_asked_alone_and_a_share_once_more_with_passages():
    train = made(with_passages=0.5)["train"]
    with_passages = grounded(train)
    assert len(train) - len(with_passages) == 30
    assert 8 <= len(with_passages) <= 22
    assert len(grounded(made(with_passages=1)["train"])) == 30
    assert not grounded(made(with_passages=0)["train"])


def test_a_row_is_the_prompt_of_mode_hybrid_and_its_answer_the_pairs():
    for messages in grounded(made(with_passages=1, unanswered=0)["train"]):
        shown = [
            Passage(
                id="", document="", title=f"Note {n}", url="", heading="Clocks", text=SOURCES[n].text, score=0,
                visibility="public",
            )
            for n in notes_of(messages)
        ]  # fmt: skip
        asked = int(re.search(r"Question: .* note (\d+)\?", messages[-2]["content"])[1])
        assert messages[:-1] == grounded_messages(
            f"How many clocks are in note {asked}?", shown, [], PERSONA, tuned=True
        )
        assert messages[-1]["content"] == f"There are {asked * 7} clocks."
        assert len(shown) == 3


def test_where_the_answer_stands_among_the_passages_changes():
    found = grounded(made(with_passages=1, unanswered=0)["train"])
    asked = [int(re.search(r"Question: .* note (\d+)\?", messages[-2]["content"])[1]) for messages in found]
    assert {notes_of(messages).index(note) for messages, note in zip(found, asked, strict=True)} == {0, 1, 2}


def test_in_some_rows_no_passage_answers_and_the_answer_says_so_in_many_words():
    found = grounded(made(with_passages=1, unanswered=1)["train"])
    assert len(found) == 30
    for messages in found:
        asked = int(re.search(r"note (\d+)\?", messages[-2]["content"])[1])
        assert asked not in notes_of(messages)
        assert len(notes_of(messages)) == 3
        assert is_refusal(messages[-1]["content"])
    said = Counter(messages[-1]["content"] for messages in found)
    assert len(said) >= 6
    assert max(said.values()) <= 10


def test_the_share_without_an_answer_is_that_of_the_settings():
    sources = [source(number) for number in range(400)]
    rows = [row(number) for number in range(400)]
    found = grounded(rows_to_train(rows, sources, {}, DatasetSettings(), PERSONA, embed)["train"])
    assert 75 <= len(found) <= 125  # 100 are expected
    declined = sum(is_refusal(messages[-1]["content"]) for messages in found)
    assert 0.05 <= declined / len(found) <= 0.25  # .15 is expected


def test_a_passage_that_answers_too_is_no_distractor():
    twin = PairSource("99.md#0-0", "99.md", 0, "Note 99", "Clocks", "There are 21 clocks in note 3.", "public")
    for messages in grounded(made([row(3)], [*SOURCES, twin], with_passages=1, unanswered=1)["train"]):
        assert 99 not in notes_of(messages)


def test_passages_that_would_make_a_row_too_long_are_left_out():
    long = [source(number, f"In note {number} I count clocks. " + "Tick tock. " * 90) for number in range(20)]
    for messages in grounded(made(ROWS[:20], long, with_passages=1, unanswered=0)["train"]):
        assert len(notes_of(messages)) == 1
    short = [*long[:3], *SOURCES[3:]]
    for messages in grounded(made(ROWS[:20], short, with_passages=1, unanswered=0)["train"]):
        assert len(notes_of(messages)) == 3


def test_what_is_held_out_is_in_no_training_row():
    found = made(with_passages=1)
    for split, last in (("train", 30), ("valid", 35), ("test", 40)):
        assert grounded(found[split])
        assert all(number < last for messages in grounded(found[split]) for number in notes_of(messages))


def test_a_refusal_is_asked_alone_or_with_its_own_passage():
    rows = [row(number, "refusal", answer=NOT_IN_NOTES) for number in range(30)]
    train = made(rows, with_passages=0.5)["train"]
    assert len(train) == 30
    assert 8 <= len(grounded(train)) <= 22
    for messages in grounded(train):
        assert int(re.search(r"note (\d+)\?", messages[-2]["content"])[1]) in notes_of(messages)
    assert all(is_refusal(row["messages"][-1]["content"]) for row in train)
    assert len({row["messages"][-1]["content"] for row in train}) >= 6


def test_an_owners_own_refusal_stays():
    train = made([row(1, "refusal", answer="Ask my sister.")], with_passages=1)["train"]
    assert [row["messages"][-1]["content"] for row in train] == ["Ask my sister."]


@pytest.mark.parametrize(("visibility", "is_shown"), [("public", False), ("private", True)])
def test_private_text_is_in_no_public_row(visibility, is_shown):
    sources = [*SOURCES[:2], source(2, HIDDEN, "private")]
    found = made(ROWS[:2], sources, with_passages=1, visibility=visibility)
    assert (HIDDEN in json.dumps(found)) == is_shown


def test_personal_data_of_a_passage_is_masked():
    sources = [source(0), source(1, "Write to ada.lovelace@gmail.com for the clocks.")]
    assert "ada.lovelace@gmail.com" not in json.dumps(made(ROWS[:2], sources, with_passages=1))
    assert "ada.lovelace@gmail.com" in json.dumps(made(ROWS[:2], sources, with_passages=1, stages=["score"]))


def test_the_same_notes_give_the_same_rows_and_an_edit_changes_its_own_only():
    before = made(with_passages=0.5)["train"]
    assert made(with_passages=0.5)["train"] == before
    assert made(with_passages=0.5, seed=1)["train"] != before
    edited = [row(0, answer="None at all."), *ROWS[1:]]
    left = [row for row in before if "note 0?" not in row["messages"][-2]["content"]]
    assert left == [
        row for row in made(edited, with_passages=0.5)["train"] if "note 0?" not in row["messages"][-2]["content"]
    ]


def test_a_synthesis_sees_all_its_passages():
    pair = ROWS[0].pair.model_copy(update={"chunks": ("0.md#0-0", "1.md#0-0"), "kind": "synthesis"})
    [messages] = grounded(
        made([DatasetRow(pair=pair, split="train", original=pair.id)], with_passages=1, unanswered=0)["train"]
    )
    assert {0, 1} <= set(notes_of(messages))


@pytest.mark.parametrize("said", [*REFUSALS, "My notes do\nnot say"])
def test_every_wording_is_known_as_a_refusal(said):
    assert is_refusal(said)


def test_a_version_holds_these_rows_and_its_card_counts_them(tmp_path):
    settings = site(tmp_path)
    documents = [document(number) for number in range(10)]

    def run():
        return asyncio.run(build(settings, documents, teacher=FirstSentences(), judge=None, cut=cut, embed=embed))

    run()
    folder = version_folder(settings)
    rows, card = read_messages(folder), read_card(folder)
    assert {split: len(found) for split, found in rows.items()} == card.training_rows
    assert grounded(rows["train"])
    pairs = read_rows(folder)
    assert len(pairs) == card.accepted < sum(card.training_rows.values())
    assert not run().new
