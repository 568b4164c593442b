from collections import Counter
from dataclasses import replace

import pytest

from pipeline.content.documents import Document
from pipeline.dataset import splits as module
from pipeline.dataset.records import Split
from pipeline.dataset.splits import alike, assign_pairs
from tests.pipeline.dataset.notes import document

HUNDRED = [document(number, folder="one" if number < 60 else "two") for number in range(100)]


def assign(documents: list[Document], before: dict[str, Split], held_out: float, seed: int = 0) -> dict[str, Split]:
    return module.assign(alike(documents), before, held_out, seed)


def test_nine_in_ten_documents_are_trained_on():
    assert Counter(assign(HUNDRED, {}, 0.1).values()) == {"train": 90, "valid": 5, "test": 5}


def test_each_folder_gives_its_share():
    splits = assign(HUNDRED, {}, 0.2)
    of_one = Counter(splits[d.id] for d in HUNDRED[:60])
    assert of_one["train"] == pytest.approx(48, abs=1)
    assert of_one["valid"] == pytest.approx(6, abs=1)


def test_an_astro_page_is_of_the_folder_above_its_own():
    pages = [replace(document(n), id=f"blog/{2000 + n % 2}/post-{n}/index.md") for n in range(40)]
    splits = assign(pages, {}, 0.2)
    assert Counter(id.split("/")[1] for id, split in splits.items() if split != "train") == {"2000": 4, "2001": 4}


def test_a_document_stays_where_it_was():
    before = assign(HUNDRED[:50], {}, 0.1)
    after = assign(HUNDRED, before, 0.1)
    assert {id: after[id] for id in before} == before
    assert Counter(after.values())["train"] == 90


def test_the_order_of_files_changes_nothing_but_the_seed_does():
    assert assign(HUNDRED[::-1], {}, 0.1) == assign(HUNDRED, {}, 0.1)
    assert assign(HUNDRED, {}, 0.1, seed=1) != assign(HUNDRED, {}, 0.1)


def test_near_duplicates_stand_on_one_side():
    copies = [replace(d, id=f"copies/{d.id}", text=d.text + "\n\nOne more line that was added later.") for d in HUNDRED]
    splits = assign([*HUNDRED, *copies], {}, 0.3)
    assert all(splits[d.id] == splits[copy.id] for d, copy in zip(HUNDRED, copies, strict=True))
    assert alike([*HUNDRED, *copies]) == sorted([f"copies/{d.id}", d.id] for d in HUNDRED)


def test_what_was_trained_on_tests_no_more():
    test = next(id for id, split in assign(HUNDRED, {}, 0.1).items() if split == "test")
    train = next(id for id, split in assign(HUNDRED, {}, 0.1).items() if split == "train")
    by_id = {d.id: d for d in HUNDRED}
    alike = [replace(d, text=by_id[train].text) if d.id == test else d for d in HUNDRED]
    assert assign(alike, assign(HUNDRED, {}, 0.1), 0.1)[test] == "train"


def test_a_footer_makes_no_duplicates():
    footer = "\n\nThis work is licensed under a licence that has a rather long name and a version number as well."
    assert alike([replace(d, text=d.text + footer) for d in HUNDRED]) == sorted([d.id] for d in HUNDRED)


@pytest.mark.parametrize("count", [3, 4, 10])
def test_of_few_documents_no_split_is_empty(count):
    assert set(assign(HUNDRED[:count], {}, 0.1).values()) == {"train", "valid", "test"}


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_documents_are_trained_on(count):
    assert set(assign(HUNDRED[:count], {}, 0.1).values()) == {"train"}


def test_no_documents_have_no_splits():
    assert assign([], {}, 0.1) == {}


def test_pairs_are_split_by_their_share():
    splits = assign_pairs([str(n) for n in range(200)], 0.1, seed=42)
    assert Counter(splits.values()) == {"train": 180, "valid": 10, "test": 10}


def test_thousands_of_conversations_are_assigned_without_comparing_each_with_all():
    posts = [f"voice:mastodon/outbox.json#{number:08x}" for number in range(20_000)]
    splits = module.assign([[id] for id in posts], {}, 0.1)
    assert Counter(splits.values()) == {"train": 18_000, "valid": 1000, "test": 1000}
