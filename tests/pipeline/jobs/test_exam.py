from pathlib import Path

import pytest

from pipeline.errors import SitetwinError
from pipeline.settings import ContentSource, RetrievalSettings, Settings
from pipeline.weights import blas

blas.preload(1)

from pipeline.jobs.exam import golden_exam  # noqa: E402
from pipeline.training.loop import TrainingStoppedError, never  # noqa: E402

GOLDEN = """{"question": "Where did I move in 2013?", "kind": "fact", "fact": ["Utah"], "page": ["moving"], "reference": "To Utah."}
{"question": "Which band saw do I own?", "kind": "fact", "fact": ["Inca"], "page": ["saw"], "reference": "An Inca."}
{"question": "How do you feel about saws?", "kind": "voice", "reference": "Fond."}
"""


class Model:
    """Knows one of two answers."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def generate(self, messages, *, max_tokens, temperature):
        self.asked.append(messages[-1]["content"])
        assert max_tokens <= 80
        yield "I moved to Utah in 2013 [1]." if "move in 2013" in messages[-1]["content"] else "I own an old plane."


@pytest.fixture
def site(tmp_path: Path) -> Settings:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "moving.md").write_text("# Moving\n\nIn 2013 I moved to Utah.\n", encoding="utf-8")
    (tmp_path / "notes" / "saw.md").write_text("# Saw\n\nI own a band saw, an Inca.\n", encoding="utf-8")
    (tmp_path / "golden.jsonl").write_text(GOLDEN, encoding="utf-8")
    return Settings(
        root=tmp_path,
        content=[ContentSource(path=Path("notes"), visibility="public")],
        retrieval=RetrievalSettings(mode="keyword"),
    )


def test_a_model_is_asked_the_golden_questions_with_passages(site: Settings) -> None:
    from pipeline.site import Site

    with Site(site).index() as index:
        index.sync()
    model, exam = Model(), golden_exam(site, 5, "public")
    share = exam(model, never)
    assert len(model.asked) == 2
    assert all("Utah" in asked or "Inca" in asked for asked in model.asked), "passages stand in the prompt"
    assert share >= 0.5
    assert exam(model, never) == share
    with pytest.raises(TrainingStoppedError):
        exam(model, lambda: True)


def test_no_golden_questions_are_an_error_with_the_next_step(site: Settings) -> None:
    (site.root / "golden.jsonl").unlink()
    with pytest.raises(SitetwinError, match="golden draft"):
        golden_exam(site, 5, "public")
