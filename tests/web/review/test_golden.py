from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pipeline import jsonl
from pipeline.evaluation.golden import GoldenQuestion, load
from pipeline.evaluation.golden_draft import Proposal
from pipeline.evaluation.golden_proposals import proposals_file
from pipeline.settings import ContentSource, Settings
from pipeline.site import Site
from web.review.app import create_app
from web.review.golden import GoldenReview

TOKEN = "secret-of-this-start"
ASKED = '{"question": "Which colour has the sail?", "fact": "red", "page": "boat.md"}\n'


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "tea.md").write_text("# Tea\n\nGreen tea is brewed at 70 degrees.\n", encoding="utf-8")
    (notes / "boat.md").write_text("# Boat\n\nThe boat has a red sail.\n", encoding="utf-8")
    (tmp_path / "golden.jsonl").write_text(ASKED, encoding="utf-8")
    settings = Settings(root=tmp_path, content=[ContentSource(path=notes)])
    site = Site(settings)
    chunk = next(chunk.id for document in site.documents() for chunk in site.cut(document) if "tea" in document.id)
    tea = GoldenQuestion(question="How hot is tea?", fact=("70",), page=("notes/tea.md",))
    cup = GoldenQuestion(question="Who made the cup?", answerable=False, kind="unanswerable", why="missing_detail")
    jsonl.write(
        proposals_file(settings),
        [Proposal(golden=tea, origin="the test split", chunks=(chunk,)), Proposal(golden=cup, origin="by rules")],
    )
    return settings


def app(settings: Settings) -> Any:
    site = Site(settings)
    return create_app(GoldenReview(settings, site.documents, site.cut), TOKEN)


def open_review(settings: Settings) -> TestClient:
    return TestClient(app(settings), base_url=f"http://127.0.0.1:9/{TOKEN}/")


def ids(client: TestClient) -> dict[str, str]:
    return {pair["question"]: pair["id"] for pair in client.get("api/pairs").json()["pairs"]}


def decide(client: TestClient, id: str, action: str, **words: str) -> Any:
    return client.post("api/decisions", json={"pair": id, "action": action, **words})


def asked(settings: Settings) -> list[str]:
    return [question.question for question in load(settings.root / "golden.jsonl")]


def test_it_lists_proposals_and_what_is_asked_with_words_of_its_own(settings: Settings) -> None:
    found = open_review(settings).get("api/pairs").json()
    assert [(pair["question"], pair["state"]) for pair in found["pairs"]] == [
        ("How hot is tea?", "proposed"), ("Who made the cup?", "proposed"), ("Which colour has the sail?", "asked"),
    ]  # fmt: skip
    assert found["title"] == "golden.jsonl and proposals"
    assert found["words"]["title"] == "Review of the golden questions"
    assert found["choices"]["outcomes"] == [["asked", "asked already (1)"], ["proposed", "proposed (2)"]]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("outcome=proposed", 2),
        ("kind=unanswerable", 1),
        ("source=boat.md", 1),
        ("text=RED sail", 1),
        ("decision=open", 3),
        ("decision=decided", 0),
    ],
)
def test_the_filter_chooses(settings: Settings, query: str, count: int) -> None:
    assert len(open_review(settings).get(f"api/pairs?{query}").json()["pairs"]) == count


def test_one_is_shown_with_its_lines_and_its_text(settings: Settings) -> None:
    client = open_review(settings)
    known = ids(client)
    tea = client.get(f"api/pairs/{known['How hot is tea?']}").json()
    assert tea["answer"] == "kind: fact\nfact: 70\npage: notes/tea.md"
    assert (tea["outcome"], tea["marks"]) == ("Proposed", ["fact", "the test split"])
    assert "Green tea is brewed" in tea["sources"][0]["text"]
    sail = client.get(f"api/pairs/{known['Which colour has the sail?']}").json()
    assert "The boat has a red sail." in sail["sources"][0]["text"]
    assert client.get("api/pairs/nothing").status_code == 404


def test_accept_edit_drop_and_undo_change_the_file_at_once(settings: Settings) -> None:
    client = open_review(settings)
    known = ids(client)
    tea = known["How hot is tea?"]
    assert decide(client, tea, "accept").json()["decided"] == 1
    assert asked(settings) == ["Which colour has the sail?", "How hot is tea?"]
    lines = "fact: 70 | seventy\npage: tea.md"
    edited = decide(client, tea, "edit", question="How hot is green tea?", answer=lines).json()["pair"]
    assert (edited["question"], edited["answer"]) == ("How hot is green tea?", f"kind: {'fact'}\n{lines}")
    assert asked(settings) == ["Which colour has the sail?", "How hot is green tea?"]
    decide(client, tea, "reject")
    assert asked(settings) == ["Which colour has the sail?"]
    decide(client, tea, "undo")
    assert asked(settings) == ["Which colour has the sail?"]
    sail = known["Which colour has the sail?"]
    decide(client, sail, "reject")
    assert asked(settings) == []
    decide(client, sail, "undo")
    assert asked(settings) == ["Which colour has the sail?"]


def test_a_decision_changes_its_own_line_and_leaves_the_others_as_they_are_written(settings: Settings) -> None:
    first = '{"question":"Who won?",   "answerable": false}'
    file = settings.root / "golden.jsonl"
    file.write_text(f"\ufeff{ASKED}\n{first}\r\n", encoding="utf-8")
    client = open_review(settings)
    sail = ids(client)["Which colour has the sail?"]
    decide(client, sail, "edit", question="Which colour?", answer="fact: red\npage: boat.md")
    assert file.read_text("utf-8") == (
        '{"question": "Which colour?", "facts": [["red"]], "page": ["boat.md"]}\n' + first + "\n"
    )
    assert load(file)[1].kind == "unanswerable"


def test_an_edit_that_is_not_whole_changes_nothing_and_says_why(settings: Settings) -> None:
    client = open_review(settings)
    tea = ids(client)["How hot is tea?"]
    refused = decide(client, tea, "edit", question="How hot?", answer="fact: 70")
    assert (refused.status_code, "has a fact and a page" in refused.json()["error"]) == (409, True)
    assert client.get("api/pairs").json()["decided"] == 0
    assert asked(settings) == ["Which colour has the sail?"]


def test_decisions_outlive_the_review_and_no_question_is_listed_twice(settings: Settings) -> None:
    client = open_review(settings)
    known = ids(client)
    decide(client, known["How hot is tea?"], "edit", question="How hot is green tea?", answer="fact: 70\npage: tea.md")
    decide(client, known["Who made the cup?"], "accept")
    again = open_review(settings).get("api/pairs").json()
    assert [(pair["question"], pair["decision"]) for pair in again["pairs"]] == [
        ("How hot is green tea?", "edit"), ("Who made the cup?", "accept"), ("Which colour has the sail?", None),
    ]  # fmt: skip
    assert asked(settings) == ["Which colour has the sail?", "How hot is green tea?", "Who made the cup?"]


@pytest.mark.slow
def test_the_page_accepts_and_edits_by_keyboard(settings: Settings, serve: Callable[[Any], str], page: Any) -> None:
    page.goto(f"{serve(app(settings))}/{TOKEN}/")
    page.get_by_role("heading", name="How hot is tea?").wait_for()
    assert page.title() == "Review of the golden questions"
    page.keyboard.press("e")
    lines = page.get_by_label("What a right answer says, and which page holds it")
    lines.fill("fact: 70\nfact: green\npage: tea.md")
    page.keyboard.press("Control+Enter")
    page.get_by_role("heading", name="Who made the cup?").wait_for()
    page.keyboard.press("a")
    page.get_by_role("heading", name="Which colour has the sail?").wait_for()
    assert load(settings.root / "golden.jsonl")[1].groups == (("70",), ("green",))
    assert asked(settings) == ["Which colour has the sail?", "How hot is tea?", "Who made the cup?"]
