import dataclasses
from collections import Counter

import pytest

from pipeline.dataset.plan import AIM, links, pairs_per_chunk, plan, sources_of
from pipeline.settings import DatasetSettings
from tests.pipeline.dataset.notes import cut, document

DOCUMENTS = [document(number) for number in range(4)]


def tasks(documents=DOCUMENTS, **settings):
    return plan(documents, cut, DatasetSettings(**settings))


def with_text(document, text):
    return dataclasses.replace(document, text=text)


def test_each_chunk_is_asked_for_the_kinds_in_turn():
    of_chunk = [t for t in tasks(pairs_per_chunk=4) if len(t.sources) == 1 and t.kind != "refusal"]
    counts = Counter((t.sources[0].chunk, t.kind) for t in of_chunk for _ in range(t.count))
    first = sources_of(DOCUMENTS[0], cut)[0].chunk
    assert {kind: counts[first, kind] for kind in ("fact", "voice", "how-to")} == {"fact": 2, "voice": 1, "how-to": 1}


def test_kinds_that_are_switched_off_are_not_asked_for():
    assert {task.kind for task in tasks(kinds=["voice"])} == {"voice"}
    assert {task.kind for task in tasks(kinds=["synthesis", "refusal"])} == {"synthesis", "refusal"}


def test_one_pair_in_ten_has_no_answer():
    asked = Counter()
    for task in tasks(pairs_per_chunk=10):
        asked[task.kind] += task.count
    assert asked["refusal"] == sum(asked[kind] for kind in ("fact", "voice", "how-to")) // 10


@pytest.mark.parametrize(("chunks", "each"), [(0, 10), (10, 10), (100, 8), (200, 4), (10_000, 3)])
def test_a_small_corpus_gets_more_pairs_of_each_chunk(chunks, each):
    assert pairs_per_chunk(chunks) == each
    assert each * chunks >= AIM or each == 10


def test_a_synthesis_brings_neighbouring_chunks_together():
    found = [task for task in tasks() if task.kind == "synthesis"]
    assert found
    assert all(len(task.sources) > 1 and len({s.document for s in task.sources}) == 1 for task in found)


def test_a_synthesis_brings_linked_documents_together():
    one = with_text(DOCUMENTS[0], f"{DOCUMENTS[0].text}\n\nSee [the other]({DOCUMENTS[1].url}#part).")
    pairs = {tuple(s.document for s in t.sources) for t in tasks([one, DOCUMENTS[1]]) if t.kind == "synthesis"}
    assert (one.id, DOCUMENTS[1].id) in pairs


def test_links_are_addresses_and_titles():
    one = with_text(
        DOCUMENTS[0], "I wrote All about gardens1 and [this](/keyboards2/), and [that](https://else.where)."
    )
    found = links([one, *DOCUMENTS[1:]])
    assert found[one.id] == [DOCUMENTS[2].id, DOCUMENTS[1].id]
    assert found[DOCUMENTS[1].id] == []


def test_a_title_of_one_word_is_no_link():
    notes = dataclasses.replace(DOCUMENTS[0], title="Notes")
    assert links([notes, with_text(DOCUMENTS[1], "My notes.")])[DOCUMENTS[1].id] == []


def test_code_and_tables_alone_give_no_pairs():
    code = "```python\n" + "print('hello')\n" * 40 + "```\n\n| a | b |\n| - | - |\n" + "| 1 | 2 |\n" * 40
    assert tasks([with_text(DOCUMENTS[0], code)]) == []


def test_a_table_with_words_is_asked_for_facts_only():
    table = "| key | meaning |\n| - | - |\n" + "".join(
        f"| `k{n}` | what the key number {n} means |\n" for n in range(9)
    )
    asked = tasks([with_text(DOCUMENTS[0], table)], kinds=["fact", "how-to", "voice"], pairs_per_chunk=6)
    assert [(task.kind, task.count) for task in asked] == [("fact", 6)]


def test_only_a_text_that_may_tell_how_is_asked_how():
    tale = (
        "The garden was cold in March, and the frost took the first of the beans before I had seen it come at all. " * 2
    )
    told = {task.kind for task in tasks([with_text(DOCUMENTS[0], tale.replace("first", "last"))])}
    assert "how-to" not in told
    assert "voice" in told
    for tells in ("To keep them warm, cover them.", "You can cover them.", "1. Cover them.", "Run `cover`."):
        assert "how-to" in {task.kind for task in tasks([with_text(DOCUMENTS[0], f"{tale}\n\n{tells}")])}


def test_an_edit_changes_the_tasks_next_to_it_only():
    text = "\n\n".join(
        f"## Part {n}\n\n{f'Sentence {n} says what part {n} is about, at length. ' * 5}" for n in range(30)
    )
    before = tasks([with_text(DOCUMENTS[0], text)], pairs_per_chunk=3)
    after = tasks([with_text(DOCUMENTS[0], text.replace("Sentence 7 ", "New sentence 7 "))], pairs_per_chunk=3)
    assert 0 < len(set(after) - set(before)) < 10


def test_the_plan_says_how_the_answers_are_to_sound():
    assert {t.persona for t in plan(DOCUMENTS, cut, DatasetSettings(), "Dry and brief.")} == {"Dry and brief."}
