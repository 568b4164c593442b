"""The review page for single answers of an evaluation."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from pipeline.chat import Answer, Citation
from pipeline.commands.main import main
from pipeline.evaluation.golden import GoldenQuestion
from pipeline.evaluation.labels import Labels
from pipeline.evaluation.systems import System
from pipeline.jobs.evaluating.record import Evaluation, Reply, SystemResult
from pipeline.settings import Settings
from web.review.answers import AnswerReview
from web.review.app import create_app

TOKEN = "secret-of-this-start"
MOVED = GoldenQuestion(question="When did I move?", fact=("2013", "two thousand thirteen"), page=("moved.md",))
TEA = GoldenQuestion(question="How hot is tea?", fact=("70",), page=("tea.md",), kind="paraphrase")
NOTHING = GoldenQuestion(question="Who won?", answerable=False)
SAID = {
    "base": ["In 2012.", "It is 70.", "Nobody."],
    "rag": ["Ten years before 2023 [1].", "It is 70.", "That is not in these notes."],
    "shy": ["", "", ""],
}


def replies(system: str) -> list[Reply]:
    cited = [
        Citation(n=1, document="moved.md", title="Moved", url="", heading="", quote="I moved ten years before 2023.")
    ]
    return [
        Reply(
            question=one.question,
            answer=Answer(
                question=one.question, mode="rag", answer=text, citations=cited if "[1]" in text else [],
                refused=system == "shy", model="m",
            ),
        )
        for one, text in zip((MOVED, TEA, NOTHING), SAID[system], strict=True)
    ]  # fmt: skip


@pytest.fixture
def evaluation() -> Evaluation:
    systems = {
        name: SystemResult(system=System(name=name), model="m", adapter="", memory_mb=None, replies=replies(name))
        for name in SAID
    }
    return Evaluation(
        number=3, made_at=datetime.now(UTC), seconds=1, visibility=None, file="golden.jsonl", known={}, data_set=None,
        questions=[MOVED, TEA, NOTHING], kept=0, parallel=1, systems=systems, comparisons=[],
    )  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(root=tmp_path)


def app(settings: Settings, evaluation: Evaluation) -> Any:
    return create_app(AnswerReview(settings, evaluation), TOKEN)


@pytest.fixture
def client(settings: Settings, evaluation: Evaluation) -> TestClient:
    return TestClient(app(settings, evaluation), base_url=f"http://127.0.0.1:9/{TOKEN}/")


def ids(client: TestClient) -> dict[str, str]:
    """The ids by what is said."""
    listed = client.get("api/pairs").json()["pairs"]
    return {client.get(f"api/pairs/{one['id']}").json()["answer"]: one["id"] for one in listed}


def decide(client: TestClient, id: str, action: str, **words: str) -> Any:
    return client.post("api/decisions", json={"pair": id, "action": action, **words})


def test_each_answer_that_can_be_right_is_listed_once_without_its_system(client: TestClient) -> None:
    assert set(ids(client)) == {"In 2012.", "It is 70.", "Ten years before 2023."}
    found = client.get("api/pairs").json()
    assert (found["total"], found["decided"], found["edits"], found["title"]) == (
        3, 0, False, "answers of evaluation 3",
    )  # fmt: skip
    cited = client.get(f"api/pairs/{ids(client)['Ten years before 2023.']}").json()
    assert cited["marks"] == ["fact", "must say 2013 or two thousand thirteen"]
    assert [source["text"] for source in cited["sources"]] == ["I moved ten years before 2023."]
    assert not re.search(r"\b(?:base|rag)\b", json.dumps([found["pairs"], cited]))
    assert client.get("api/pairs/nothing").status_code == 404


def test_a_quotation_is_shown_without_its_marks_and_labelled_as_it_was_said(
    settings: Settings, evaluation: Evaluation
) -> None:
    said = "> Ten years.\n> \n> - Before 2023. [1]"
    answer = evaluation.systems["rag"].replies[0].answer
    evaluation.systems["rag"].replies[0].answer = answer.model_copy(update={"answer": said})
    client = TestClient(app(settings, evaluation), base_url=f"http://127.0.0.1:9/{TOKEN}/")
    decide(client, ids(client)["Ten years.\n\n- Before 2023."], "accept")
    assert Labels(settings).of(MOVED.question, said) is True


def test_right_wrong_and_undo_are_kept_at_once(client: TestClient, settings: Settings) -> None:
    known = ids(client)
    right = decide(client, known["Ten years before 2023."], "accept").json()
    assert (right["decided"], right["pair"]["outcome"], right["pair"]["decision"]) == (1, "Right", "accept")
    wrong = decide(client, known["In 2012."], "reject").json()
    assert (wrong["decided"], wrong["pair"]["outcome"], wrong["pair"]["accepted"]) == (2, "Wrong", False)
    labels = Labels(settings)
    assert labels.of(MOVED.question, "Ten years before 2023 [1].") is True
    assert labels.of(MOVED.question, "In 2012.") is False
    assert decide(client, known["In 2012."], "undo").json()["decided"] == 1
    assert Labels(settings).of(MOVED.question, "In 2012.") is None
    refused = decide(client, known["In 2012."], "edit", question="When?", answer="In 2013.")
    assert (refused.status_code, "can't be edited" in refused.json()["error"]) == (400, True)


def test_labels_hold_in_the_next_evaluation_and_the_filter_finds_what_has_none(
    client: TestClient, settings: Settings, evaluation: Evaluation
) -> None:
    decide(client, ids(client)["It is 70."], "accept")
    again = TestClient(
        app(settings, evaluation.model_copy(update={"number": 4})), base_url=f"http://127.0.0.1:9/{TOKEN}/"
    )
    assert again.get("api/pairs").json()["decided"] == 1
    counts = {
        query: len(again.get(f"api/pairs?{query}").json()["pairs"])
        for query in ("decision=open", "decision=decided", "outcome=right", "outcome=wrong", "kind=fact", "text=before")
    }
    assert counts == {
        "decision=open": 2, "decision=decided": 1, "outcome=right": 1, "outcome=wrong": 0, "kind=fact": 2, "text=before": 1,
    }  # fmt: skip


def test_without_an_evaluation_it_names_the_command_that_makes_one(tmp_path: Path) -> None:
    config = tmp_path / "sitetwin.toml"
    config.write_text("", encoding="utf-8")
    result = CliRunner().invoke(main, ["--config", str(config), "eval", "label", "--no-browser"])
    assert (result.exit_code, result.stderr) == (1, "sitetwin: there is no evaluation yet: `sitetwin eval` makes one\n")


@pytest.mark.slow
def test_the_page_labels_by_keyboard_and_has_no_editor(
    settings: Settings, evaluation: Evaluation, serve: Callable[[Any], str], page: Any
) -> None:
    page.goto(f"{serve(app(settings, evaluation))}/{TOKEN}/")
    page.get_by_role("button", name="Right").wait_for()
    assert page.title() == "Are the answers right?"
    assert page.get_by_role("button", name="Edit").count() == 0
    page.keyboard.press("e")
    assert not page.get_by_label("Answer", exact=True).is_visible()
    page.keyboard.press("a")
    page.get_by_text("1 of 3 decided", exact=True).wait_for()
    page.keyboard.press("r")
    page.get_by_text("2 of 3 decided", exact=True).wait_for()
    said = [json.loads(line)["right"] for line in Labels(settings).file.read_text(encoding="utf-8").splitlines()]
    assert said == [True, False]
