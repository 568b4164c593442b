import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from pipeline.evaluation.votes import kept_votes
from pipeline.settings import Settings
from tests.web.comparing import KEY, OWNER, Model
from web.app import create_app
from web.owner import kept_key, new_key


@pytest.fixture
def gateway(compared: Settings, backend: Any, clock: Any, model: Model) -> TestClient:
    app = create_app(compared, backend, clock, owner_key=KEY, connect=lambda adapter: model)
    return TestClient(app, base_url="http://localhost:8765")


def events(response: Any) -> list[tuple[str, Any]]:
    found = []
    for block in response.text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        found.append((fields["event"], json.loads(fields["data"])))
    return found


def ask(gateway: TestClient, question: str = "Where does the starter live?", **more: Any) -> Any:
    headers = more.pop("headers", {})
    return gateway.post("/api/compare", json={"question": question, "systems": ["base", "rag"]} | more, headers=headers)


def test_each_column_streams_and_ends_with_sources_passages_and_times(gateway: TestClient) -> None:
    got = events(ask(gateway))
    assert got[0] == (
        "columns", {"ballot": "", "columns": [{"column": "A", "name": "base"}, {"column": "B", "name": "rag"}]},
    )  # fmt: skip
    pieces = "".join(data["text"] for kind, data in got if (kind, data.get("column")) == ("piece", "A"))
    ended = {data["column"]: data for kind, data in got if kind == "answered"}
    assert pieces == ended["A"]["answer"]["answer"] == "Of the model. It ends."
    assert "It lives in a jar." in ended["B"]["answer"]["answer"]
    assert ended["B"]["answer"]["citations"][0]["url"] == "http://localhost:8765/notes/starter"
    assert ended["B"]["passages"][0]["url"] == "http://localhost:8765/notes/starter"
    assert ended["B"]["answer"]["timings"]["total_ms"] > 0
    assert (ended["A"]["passages"], ended["A"]["reason"]) == ([], "")


def test_a_refusal_says_why(gateway: TestClient) -> None:
    got = events(ask(gateway, "Who won the cup of 1974?", systems=["rag"]))
    (answered,) = [data for kind, data in got if kind == "answered"]
    assert answered["answer"]["refused"]
    assert answered["reason"] == "Nothing in the notes is about this question."


def test_visitors_are_shown_public_text_alone_and_the_owner_all(gateway: TestClient) -> None:
    found = {}
    for who, headers in (("visitor", {}), ("owner", OWNER)):
        got = events(ask(gateway, "What is the secret ingredient?", systems=["rag"], headers=headers))
        found[who] = json.dumps(got[-1][1])
    assert "rye" in found["owner"]
    assert "rye" not in found["visitor"]


def test_it_is_closed_to_visitors_unless_the_settings_open_it(gateway: TestClient, compared: Settings) -> None:
    compared.gateway.compare = False
    for response in (gateway.get("/api/compare"), ask(gateway), gateway.post("/api/compare/vote", json={})):
        assert response.status_code == 403
        assert "sitetwin compare" in response.json()["message"]
    wrong = {"authorization": f"Bearer {KEY[:-1]}"}
    assert gateway.get("/api/compare", headers=wrong).status_code == 403
    assert gateway.get("/api/compare", headers=OWNER).json()["owner"] is True


def test_without_a_key_nobody_is_the_owner(compared: Settings, backend: Any) -> None:
    compared.gateway.compare = False
    gateway = TestClient(create_app(compared, backend), base_url="http://localhost:8765")
    for header in ("Bearer ", "Bearer", ""):
        assert gateway.get("/api/compare", headers={"authorization": header}).status_code == 403


def test_probes_are_golden_questions_and_visitors_get_none_about_private_notes(gateway: TestClient) -> None:
    asked = {}
    for who, headers in (("visitor", {}), ("owner", OWNER)):
        found = gateway.get("/api/compare", headers=headers).json()
        asked[who] = {probe["tries"]: probe["question"] for probe in found["probes"]}
        assert [system["name"] for system in found["systems"]] == ["base", "rag"]
    assert asked["owner"] == {
        "held": "What is the secret ingredient?",
        "nowhere": "Who won the cup of 1974?",
        "voice": "How does a morning feel?",
    }
    assert asked["visitor"] == asked["owner"] | {"held": "Where does the starter live?"}


def test_each_column_counts_as_a_question_of_a_visitor_and_the_owner_is_not_limited(gateway: TestClient) -> None:
    assert [ask(gateway).status_code for _ in range(3)] == [200, 200, 429]
    assert gateway.post("/api/chat", json={"question": "How long?"}).status_code == 429
    assert [ask(gateway, headers=OWNER).status_code for _ in range(3)] == [200, 200, 200]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"question": " "}, 400, "question"),
        ({"systems": []}, 400, "systems"),
        ({"systems": ["lora:best-1"]}, 400, "there is no 'lora:best-1' here"),
        ({"systems": ["rag"], "blind": True}, 400, "needs two"),
        ({"question": "x" * 201}, 413, "200 characters"),
        ({"question": "x" * 9000}, 413, "too long"),
    ],
)
def test_what_can_t_be_asked_is_refused_with_a_reason(
    gateway: TestClient, body: dict[str, Any], status: int, words: str
) -> None:
    response = ask(gateway, **body)
    assert response.status_code == status
    assert words in response.json()["message"]


def test_while_the_site_starts_it_says_so(gateway: TestClient, backend: Any) -> None:
    backend.starting = ["the model"]
    response = ask(gateway)
    assert (response.status_code, response.headers["retry-after"]) == (503, "2")
    assert response.json()["message"] == "Still starting: the model."


def test_visitors_don_t_read_errors_and_the_owner_does(compared: Settings, backend: Any) -> None:
    compared.models.chat = str(compared.root / "weights.gguf")
    gateway = TestClient(create_app(compared, backend, owner_key=KEY), base_url="http://localhost:8765")
    told = {}
    for who, headers in (("visitor", {}), ("owner", OWNER)):
        got = events(ask(gateway, systems=["base"], headers=headers))
        assert got[1] == ("waits", {"column": "A", "text": "the model weights.gguf is loaded"})
        told[who] = got[-1]
    assert told["visitor"][0] == told["owner"][0] == "failed"
    assert str(compared.root) not in told["visitor"][1]["text"]
    assert str(compared.root) in told["owner"][1]["text"]


@pytest.mark.parametrize("file", [".sitetwin/evaluation/votes.jsonl", "golden.jsonl"])
def test_a_damaged_line_is_named_to_the_owner_alone(gateway: TestClient, compared: Settings, file: str) -> None:
    damaged = compared.root / file
    damaged.parent.mkdir(parents=True, exist_ok=True)
    damaged.write_text("{}\n", encoding="utf-8")
    told = {}
    for who, headers in (("visitor", {}), ("owner", OWNER)):
        response = gateway.get("/api/compare", headers=headers)
        assert response.status_code == 500
        told[who] = response.json()["message"]
    assert told["owner"].startswith(f"{damaged}:1: ")
    assert "The site's owner finds the reason" in told["visitor"]
    assert damaged.name not in told["visitor"]


def test_a_blind_comparison_tells_words_alone_until_the_vote_and_keeps_it(
    gateway: TestClient, compared: Settings
) -> None:
    got = events(ask(gateway, blind=True))
    assert [kind for kind, _ in got] == ["columns", "ended", "ended", "answered", "answered"]
    assert "rag" not in json.dumps(got)
    assert [set(data) for kind, data in got if kind == "answered"] == [{"column", "answer"}] * 2
    answers = {data["column"]: data["answer"]["answer"] for kind, data in got if kind == "answered"}
    quoting = next(letter for letter, text in answers.items() if "jar" in text)
    assert not answers[quoting].startswith(">")
    assert "[1]" not in answers[quoting]
    ballot = got[0][1]["ballot"]
    assert gateway.post("/api/compare/vote", json={"ballot": ballot, "column": "Z"}).status_code == 400
    cast = gateway.post("/api/compare/vote", json={"ballot": ballot, "column": quoting}).json()
    assert cast["names"][quoting] == "rag"
    assert cast["ended"][quoting]["answer"]["citations"]
    assert cast["votes"][0]["system"] == "rag"
    assert cast["votes"][0]["guessing"] == 0.5
    (vote,) = kept_votes(compared)
    assert (vote.chosen, vote.by_owner, sorted(vote.systems)) == ("rag", False, ["base", "rag"])
    assert gateway.post("/api/compare/vote", json={"ballot": ballot, "column": quoting}).status_code == 409
    assert gateway.get("/api/compare").json()["votes"] == cast["votes"]


def test_who_can_t_tell_votes_for_none(gateway: TestClient, compared: Settings) -> None:
    ballot = events(ask(gateway, blind=True))[0][1]["ballot"]
    votes = gateway.post("/api/compare/vote", json={"ballot": ballot, "column": ""}).json()["votes"]
    assert [one["chosen"]["value"] for one in votes] == [0.0, 0.0]
    assert kept_votes(compared)[0].chosen == ""


def test_blind_columns_are_shuffled(gateway: TestClient, compared: Settings) -> None:
    seen = set()
    for _ in range(40):
        ballot = events(ask(gateway, blind=True, headers=OWNER))[0][1]["ballot"]
        vote = gateway.post("/api/compare/vote", json={"ballot": ballot, "column": ""}, headers=OWNER).json()
        seen.add(tuple(vote["names"].values()))
        if len(seen) == 2:
            return
    raise AssertionError(f"the order is always {seen}")


def test_a_key_is_the_owner_s_alone_and_new_at_each_start(tmp_path: Path) -> None:
    assert kept_key(tmp_path) == ""
    first = new_key(tmp_path)
    assert kept_key(tmp_path) == first
    assert new_key(tmp_path) != first
    assert (tmp_path / "owner.key").stat().st_mode & 0o777 == 0o600


def test_whoever_leaves_while_a_model_loads_gives_the_slot_back(
    compared: Settings, backend: Any, model: Model, serve: Callable[[Any], str]
) -> None:
    compared.gateway.concurrent_chats = 1
    asked, loaded = threading.Event(), threading.Event()

    def connect(adapter: str | None) -> Model:
        asked.set()
        assert loaded.wait(60)
        return model

    url = f"{serve(create_app(compared, backend, owner_key=KEY, connect=connect))}/api/compare"
    question = {"question": "Where does the starter live?", "systems": ["base"]}
    with httpx.Client(trust_env=False, headers=OWNER, timeout=20) as client:
        with client.stream("POST", url, json=question) as first:
            pieces = first.iter_text()
            assert next(pieces).startswith("event: columns")
            assert asked.wait(20)
            assert client.post(url, json=question).json()["error"] == "busy"
        # The first is gone, and its model is still being loaded.
        assert _is_admitted(client, url, question)
    assert not model.closed.is_set()
    loaded.set()
    assert model.closed.wait(20)


def _is_admitted(client: httpx.Client, url: str, question: dict[str, Any], tries: int = 100) -> bool:
    gap = threading.Event()
    for _ in range(tries):
        with client.stream("POST", url, json=question) as response:
            if response.status_code == 200 and next(response.iter_text()).startswith("event: columns"):
                return True
        gap.wait(0.1)
    return False
