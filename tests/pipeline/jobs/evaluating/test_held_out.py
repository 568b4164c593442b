"""What adapters are asked."""

from datetime import UTC, datetime
from pathlib import Path

from pipeline.dataset.records import Pair, Split
from pipeline.dataset.versions import DatasetCard, DatasetRow, write_version
from pipeline.jobs.evaluating.held_out import held_out, trained_on
from pipeline.settings import DatasetSettings, PersonaSettings, Settings

GOLDEN = """\
{"question": "When did I move?", "fact": "2013", "page": "moved"}
{"question": "What does my car cost?", "answerable": false}
"""


def data_set(settings: Settings, version: int, documents: dict[str, Split], **dataset: str) -> None:
    """Four pairs of each document, of which one has no fact to check."""
    rows = [
        DatasetRow(pair=pair(document, n), split=split, original="")
        for document, split in documents.items()
        for n in range(4)
    ]
    card = DatasetCard(
        version=version, made_at=datetime.now(UTC), visibility="public", teacher="t", judge=None,
        settings=DatasetSettings.model_validate(dataset), persona=PersonaSettings(), corpus="", documents=3, chunks=3,
        failed_tasks=0, accepted=len(rows), rejected=0, splits={"train": 0, "valid": 0, "test": 0},
        split_of=documents, near_duplicates=[],
    )  # fmt: skip
    write_version(settings, card, rows, [])


def pair(document: str, number: int) -> Pair:
    return Pair(
        question=f"What is {number} in {document}?", answer=f"It is {number * 700}." if number else "it is nothing",
        kind="fact", source=document, chunk_index=0, chunks=(f"{document}#0",), accuracy=9, style=9,
    )  # fmt: skip


def test_golden_questions_come_first_and_pairs_of_the_test_split_fill_up(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path)
    (tmp_path / "golden.jsonl").write_text(GOLDEN, encoding="utf-8")
    data_set(settings, 1, {"a.md": "train", "b.md": "valid", "c.md": "test"})
    asked = held_out(settings, 1, None)
    assert [one.question for one in asked] == ["When did I move?", "What does my car cost?"] + [
        f"What is {n} in c.md?" for n in range(4)
    ]
    assert [(one.kind, one.groups, one.page) for one in asked[2:4]] == [
        ("voice", (), ()),
        ("fact", (("700",),), ("c.md",)),
    ]
    assert asked[2].reference == "it is nothing"


def test_what_the_other_adapter_was_trained_on_is_left_out(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path)
    data_set(settings, 1, {"a.md": "test", "b.md": "train"})
    data_set(settings, 2, {"a.md": "train", "b.md": "test", "c.md": "test"})
    assert {one.question[-5:] for one in held_out(settings, 2, 1)} == {"c.md?"}
    data_set(settings, 3, {"b.md": "train"}, split_by="pair")
    assert {one.question[-5:] for one in held_out(settings, 2, 3)} == {"c.md?"}
    # Of a data set that is gone nothing is known.
    assert {one.question[-5:] for one in held_out(settings, 2, 9)} == {"b.md?", "c.md?"}


def test_what_the_owner_said_in_an_export_is_no_question_to_compare_by(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path)
    data_set(settings, 1, {"a": "train", "b": "test", "voice:chat.txt": "test"})
    assert {golden.question for golden in held_out(settings, 1, None)} == {pair("b", n).question for n in range(4)}


def test_what_was_trained_on_is_asked_without_golden_questions(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path)
    (tmp_path / "golden.jsonl").write_text(GOLDEN, encoding="utf-8")
    data_set(settings, 1, {"a.md": "train", "b.md": "test", "voice:chat.txt": "train"})
    assert [one.question for one in trained_on(settings, 1)] == [f"What is {n} in a.md?" for n in range(4)]
    few = trained_on(settings, 1, 2)
    assert few == trained_on(settings, 1, 2)
    assert len(few) == 2
    assert len(held_out(settings, 1, None, 3)) == 3
