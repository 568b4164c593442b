import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.chat import Answer
from pipeline.dataset.records import Pair, Split
from pipeline.dataset.versions import DatasetCard, DatasetRow, write_version
from pipeline.errors import ModelError, SitetwinError
from pipeline.evaluation.adapter_scores import (
    CancelledError,
    Held,
    judge,
    questions,
    score,
    seen,
    specifics,
)
from pipeline.evaluation.comparing import ScoredAnswer, not_worse
from pipeline.processes import engine
from pipeline.settings import (
    ContentSource,
    DatasetSettings,
    EvaluationSettings,
    ModelSettings,
    PersonaSettings,
    RetrievalSettings,
    Settings,
)
from pipeline.site import Site
from tests.tiny_llama import QUESTIONS

GOLDEN = (
    '{"question": "When did I move?", "fact": ["2013"], "page": "moved"}\n'
    '{"question": "What does my car cost?", "answerable": false}\n'
    '{"question": "How do you like it here?", "kind": "voice"}\n'
)


def pair(document: str, number: int) -> Pair:
    return Pair(
        question=f"What is {number} in {document}?", answer=f"It is {number * 7}.", kind="fact", source=document,
        chunk_index=0, chunks=(f"{document}#0",), accuracy=9, style=9,
    )  # fmt: skip


def data_set(settings: Settings, version: int, documents: dict[str, Split], **dataset: str) -> None:
    """Four pairs of each document."""
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


def documents_of(held: Sequence[Held]) -> set[str]:
    return {one.document for one in held}


def test_golden_questions_come_first_and_test_pairs_fill_up(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path)
    assert questions(settings, None) == []
    (tmp_path / "golden.jsonl").write_text(GOLDEN, encoding="utf-8")
    assert [held.kind for held in questions(settings, None)] == ["golden", "golden"]
    data_set(settings, 1, {"a.md": "train", "b.md": "valid", "c.md": "test", "d.md": "test"})
    asked = questions(settings, 1)
    assert [held.kind for held in asked] == ["golden"] * 2 + ["fact"] * 8
    assert asked[0].facts == (("2013",),)
    assert documents_of(asked[2:]) == {"c.md", "d.md"}
    assert asked[2].reference == "It is 0."
    assert documents_of(seen(settings, None)) == {"a.md"}


def test_what_the_owner_said_in_an_export_is_not_asked(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path)
    data_set(settings, 1, {"a.md": "test", "voice:chat.txt": "test", "b.md": "train", "voice:me.txt": "train"})
    assert documents_of(questions(settings, 1)) == {"a.md"}
    assert documents_of(seen(settings, 1)) == {"b.md"}


def test_a_sample_is_the_same_each_time(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path)
    data_set(settings, 1, {"a.md": "train", "c.md": "test", "d.md": "test"})
    five = questions(settings, None, limit=5)
    assert len(five) == 5
    assert five == questions(settings, None, limit=5)
    assert five != questions(settings, None, limit=5, seed=1)


def test_another_file_of_golden_questions(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path, evaluation=EvaluationSettings(questions=Path("mine.jsonl")))
    with pytest.raises(SitetwinError, match="does not exist"):
        questions(settings, None)
    (tmp_path / "mine.jsonl").write_text(GOLDEN, encoding="utf-8")
    assert len(questions(settings, None)) == 2


def test_specifics_are_what_the_reference_adds_to_the_question() -> None:
    held = Held(
        question="Which port has Langflow?", kind="fact", reference="Langflow has the port 7860, see `langflow.port`."
    )
    assert specifics(held, "It is port 7860.") == 1
    assert specifics(held, "It is port 8765.") == 0
    assert specifics(Held(question="Why?", kind="voice", reference="because it is fun"), "no idea") is None


def answer(text: str) -> Answer:
    return Answer(question="?", mode="lora", answer=text, citations=[], refused=False, model="m")


def test_an_answer_is_judged_by_fact_or_reference() -> None:
    moved = Held(question="When did I move?", kind="golden", facts=(("2013",),))
    assert judge(moved, answer("In **2013** [1].")).score == 1
    assert judge(moved, answer("In 20134.")).score == 0
    fact = Held(question="Which port?", kind="fact", reference="It is 8765.")
    exact, wrong = judge(fact, answer("It is 8765 [2].")), judge(fact, answer("It is 80."))
    assert (exact.f1, exact.specifics, exact.score) == (1, 1, 1)
    assert (wrong.f1, wrong.specifics, wrong.score) == (pytest.approx(2 / 3), 0, pytest.approx(1 / 3))
    refusal = Held(question="Who paid you?", kind="refusal", reference="I never wrote about that.")
    assert judge(refusal, answer("I never wrote about that.")).score == 1


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A site of one note with the real engine on a tiny Llama and its adapters."""
    tiny = tmp_path_factory.mktemp("tiny")
    subprocess.run([sys.executable, "-m", "tests.tiny_llama", str(tiny)], check=True, capture_output=True)
    root = tmp_path_factory.mktemp("site")
    (root / "notes").mkdir()
    (root / "notes" / "tea.md").write_text("# Tea\n\nGreen tea is brewed at 70 degrees.\n", encoding="utf-8")
    settings = Settings(
        root=root,
        models=ModelSettings(chat=str(tiny / "base")),
        content=[ContentSource(path=Path("notes"), visibility="public")],
        retrieval=RetrievalSettings(mode="keyword"),
    )
    shutil.copytree(tiny / "adapters", settings.state / "adapters")
    with Site(settings).index() as index:
        index.sync()
    yield settings
    service = engine.service(settings)
    if endpoint := service.find():
        service.stop(endpoint)


def held_as(settings: Settings, adapter: str) -> list[Held]:
    """Questions whose right answer is what `adapter` says."""
    asked = [Held(question=question, kind="voice", reference="?") for question in (*QUESTIONS, "Where?", "When?")]
    answers = score(settings, adapter, asked).answers
    return [
        held.model_copy(update={"reference": one.answer})
        for held, one in zip(asked, answers, strict=True)
        if one.answer
    ]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_engine_is_asked_under_the_adapter_or_as_the_base(tuned: Settings) -> None:
    asked = held_as(tuned, "wide")
    assert len(asked) == 5
    heard: list[ScoredAnswer] = []
    wide = score(tuned, "wide", asked, on_answer=heard.append)
    base = score(tuned, None, asked)
    assert wide.mean > 0.99 > base.mean
    assert sorted(one.question for one in heard) == sorted(held.question for held in asked)
    assert [one.question for one in wide.answers] == [held.question for held in asked]
    comparison = not_worse(base, wide)
    assert not comparison.is_not_worse
    assert comparison.high < 0
    assert not_worse(wide, base).is_not_worse
    assert json.loads(wide.model_dump_json())["answers"][0]["score"] == pytest.approx(1)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_only_notes_could_refuse_is_not_asked(tuned: Settings) -> None:
    unknown = Held(question="Who won the football world cup in 1954?", kind="golden")
    known = Held(question="How hot is green tea brewed?", kind="golden", facts=(("70",),))
    assert [one.question for one in score(tuned, "wide", [unknown, known]).answers] == [known.question]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_ends_when_it_is_cancelled_or_something_fails(tuned: Settings) -> None:
    asked = [Held(question=f"What is {n}?", kind="fact", reference="?") for n in range(40)]
    heard: list[ScoredAnswer] = []
    with pytest.raises(CancelledError):
        score(tuned, "wide", asked, on_answer=heard.append, cancelled=lambda: len(heard) >= 2)
    assert 2 <= len(heard) < 20
    with pytest.raises(ModelError, match="no adapter 'nobody'"):
        score(tuned, "nobody", asked)
