import datetime
from pathlib import Path

import pytest

from pipeline.weights import blas

blas.preload(1)

from pipeline.advice.evaluations import last_evaluation  # noqa: E402
from pipeline.advice.gathering import gather  # noqa: E402
from pipeline.advice.memory import table  # noqa: E402
from pipeline.chat.records import Answer, Citation  # noqa: E402
from pipeline.dataset.plan import sources_of  # noqa: E402
from pipeline.dataset.records import Pair  # noqa: E402
from pipeline.dataset.versions import DatasetCard, DatasetRow, write_version  # noqa: E402
from pipeline.errors import SitetwinError  # noqa: E402
from pipeline.evaluation.doubt import Estimate  # noqa: E402
from pipeline.evaluation.figures import Compared, Figure  # noqa: E402
from pipeline.evaluation.golden import GoldenQuestion  # noqa: E402
from pipeline.evaluation.systems import System  # noqa: E402
from pipeline.jobs.evaluating.record import Evaluation, Reply, SystemResult, write  # noqa: E402
from pipeline.machine import Machine  # noqa: E402
from pipeline.settings import ContentSource, DatasetSettings, PersonaSettings, RetrievalSettings, Settings  # noqa: E402
from pipeline.site import Site  # noqa: E402
from pipeline.training import registry  # noqa: E402
from pipeline.training.config import TrainingConfig  # noqa: E402
from pipeline.training.curves import Forgetting  # noqa: E402

TODAY = datetime.date(2026, 11, 29)
NOW = datetime.datetime(2026, 11, 29, tzinfo=datetime.UTC)
MAC = Machine("darwin", "arm64", "15.0", 16 * 2**30)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "tea.md").write_text("---\ndate: 2026-11-01\n---\n# Tea\n\nGreen tea is brewed at 70 degrees.\n", "utf-8")
    (notes / "boat.md").write_text("---\ndate: 2026-10-01\n---\n# Boat\n\nThe boat has a red sail.\n", "utf-8")
    (tmp_path / "golden.jsonl").write_text(
        '{"question": "How hot is green tea brewed?", "fact": "70", "page": "tea.md"}\n'
        '{"question": "Which colour has the sail of the boat?", "fact": "red", "page": "tea.md"}\n'
        '{"question": "Who won?", "answerable": false}\n',
        "utf-8",
    )
    # With words alone no vector store is started.
    settings = Settings(
        root=tmp_path,
        content=[ContentSource(path=notes, visibility="public")],
        retrieval=RetrievalSettings(mode="keyword", passages=1),
    )
    return Site(settings)


def facts(site: Site):
    return gather(site, MAC, table(MAC), TODAY)


def test_a_bare_site(site: Site) -> None:
    found = facts(site)
    assert (found.documents, found.pairs, found.search, found.trained, found.evaluation) == (2, None, None, None, None)
    assert found.changes is not None
    assert (found.changes.basis, found.changes.days) == ("dates", 2)
    assert found.golden == {"fact": 2, "unanswerable": 1}
    assert (found.can_answer, found.can_train) == ("7B in 8 bits", "7B in 4 bits")


def test_the_search_is_measured_on_the_golden_questions(site: Site) -> None:
    with site.index() as index:
        index.sync()
    search = facts(site).search
    assert search is not None
    # The second question's page is said to be another one, so half of them are found.
    assert (search.questions, search.recall, search.diluted) == (2, 0.5, 0.0)
    assert 0 < search.p50_ms <= search.p95_ms


def pair(site: Site, name: str) -> Pair:
    document = next(one for one in site.documents() if one.id.endswith(name))
    (source,) = sources_of(document, site.cut)
    return Pair(
        question=f"What about {name}?", answer="It is so.", kind="fact", source=document.id, chunk_index=0,
        chunks=(source.chunk,), accuracy=9, style=9,
    )  # fmt: skip


def trained_site(site: Site) -> None:
    rows = [DatasetRow(pair=pair(site, name), split="train", original="") for name in ("tea.md", "boat.md")]
    card = DatasetCard(
        version=1, made_at=NOW, visibility="public", teacher="t", judge=None, settings=DatasetSettings(),
        persona=PersonaSettings(), corpus="", documents=2, chunks=2, failed_tasks=0, accepted=2, rejected=0,
        splits={"train": 2, "valid": 0, "test": 0}, split_of={}, near_duplicates=[],
    )  # fmt: skip
    write_version(site.settings, card, rows, [])
    run = registry.Run(
        name="best-1", preset="best", config=TrainingConfig(), data_set=1, data_visibility="public",
        rows={"train": 2, "valid": 0}, visibility="public", base="demo", base_hash="", made_at=NOW,
    )  # fmt: skip
    registry.create(site.settings, run)
    run.state, run.forgetting = "done", Forgetting(before=2.9, after=3.2)
    run.scores = [
        registry.RunScore(adapter="best-1", asked=asked, mode="lora", questions=9, mean=mean)
        for asked, mean in (("held out", 0.2), ("seen", 0.7))
    ]
    registry.write(site.settings, run)


def test_the_newest_run_and_the_notes_that_changed_since(site: Site) -> None:
    trained_site(site)
    found = facts(site).trained
    assert found is not None
    assert (found.adapter, found.rows, found.rise, found.seen, found.unseen) == (
        "best-1",
        2,
        pytest.approx(0.3),
        0.7,
        0.2,
    )
    assert (found.changed, found.documents) == ([], 2)
    notes = site.settings.root / "notes"
    (notes / "tea.md").write_text("# Tea\n\nGreen tea is brewed at 80 degrees.\n", "utf-8")
    assert facts(site).trained.changed == ["notes/tea.md"]
    (notes / "boat.md").unlink()
    assert facts(site).trained.changed == ["notes/boat.md", "notes/tea.md"]


def reply(question: str, answer: str, document: str) -> Reply:
    citation = Citation(n=1, document=document, title="", url="", heading="", quote="")
    said = Answer(question=question, mode="rag", answer=answer, citations=[citation], refused=False, model="m")
    return Reply(question=question, answer=said)


def test_the_last_evaluation_is_read_from_its_record(site: Site) -> None:
    half, some = (Estimate(value=value, low=0, high=1, count=2) for value in (0.5, 0.4))
    rag = SystemResult(
        system=System(name="rag", mode="rag"), model="m", adapter="", memory_mb=None,
        replies=[
            reply("How hot?", "Hot [1].", "tea.md"), reply("Which tea?", "Green [1].", "tea.md"), reply("Who?", "I", "tea.md"),
        ],
        figures={"accuracy": Figure(all=half, kinds={"fact": some})},
    )  # fmt: skip
    made = Evaluation(
        number=10, made_at=NOW, seconds=1, visibility=None, file="golden.jsonl", known={}, data_set=None, kept=0, parallel=1,
        questions=[
            GoldenQuestion(question="How hot?", fact=("70",), page=("tea.md",)),
            GoldenQuestion(question="Which tea?", fact=("green",), page=("tea.md",)),
            GoldenQuestion(question="Who?", answerable=False, kind="unanswerable"),
        ],
        systems={"rag": rag},
        comparisons=[
            Compared(a="rag", b="base", measure="accuracy", difference=-0.5, low=-1, high=0, p=0.01, raw_p=0.01, questions=2)
        ],
    )  # fmt: skip
    write(site.settings, made)
    reports = site.settings.state / "reports"
    (reports / "eval-9.json").write_text("{}")
    found = last_evaluation(site.settings)
    assert found is not None
    read = found.systems["rag"]
    assert (found.number, found.questions, read.figures, read.kinds) == (
        10,
        3,
        {"accuracy": 0.5},
        {"accuracy": {"fact": 0.4}},
    )
    assert (read.ignored, read.cited, found.gaps[0].is_shown) == (1, 2, True)
    (reports / "eval-10.json").write_text("{")
    with pytest.raises(SitetwinError, match=r"eval-10\.json can't be read: .*sitetwin eval"):
        last_evaluation(site.settings)
