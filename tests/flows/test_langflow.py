"""A real Langflow with a real index and the real engine: started once, asked, edited, pulled from."""

import asyncio
import copy
import json
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psutil
import pytest

from components.audience import PUBLIC_AND_PRIVATE
from flows import server
from flows.builder import RAG_CHAT_ID
from flows.client import run_flow
from flows.conversations import forget_logs, forget_old
from flows.files import SHIPPED, flows_to_serve, owners_directory, read_flow
from flows.pushing import Pushed
from pipeline.adapters import rollback
from pipeline.chat import Answer
from pipeline.engine.promoting import promote
from pipeline.errors import ServiceError
from pipeline.evaluation.golden import GoldenQuestion
from pipeline.evaluation.systems import find_system
from pipeline.jobs.evaluating.report.markdown import markdown
from pipeline.jobs.evaluating.run import evaluate
from pipeline.processes.endpoint import free_port
from pipeline.processes.left_out import read_left_out
from pipeline.settings import Mode, Settings, load_settings
from pipeline.site import Site
from pipeline.surroundings import PRIVATE, is_private
from tests.demo_adapter import make_adapter
from tests.flows.running import running
from tests.notes_site import indexed_site
from tests.ollama_server import MODEL

RYE = """# Rye bread

I bake rye bread every second Saturday. The dough needs three hours at 26 degrees, and I never hurry it.
A cold oven is the most common mistake. Steam in the first ten minutes gives the crust its gloss.
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(autouse=True)
def closed(own_umask: None) -> None:
    """What these tests write to the state is written as our processes do, which all begin with this umask."""
    os.umask(PRIVATE)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log") / "langflow.log"


@pytest.fixture(scope="module")
def langflow(site: Settings, log: Path) -> Iterator[httpx.Client]:
    """A running Langflow with the shipped flow, and a client of its API."""
    with running(site, log) as client:
        pushed = server.push_flows(site)
        assert pushed == [Pushed(name, "created") for name in sorted(path.stem for path in SHIPPED.glob("*.json"))]
        yield client


def ask(site: Settings, question: str, session: str, flow: str = "rag_chat") -> list[tuple[float, str | Answer]]:
    """What comes, with the time since the question in seconds."""
    started = time.monotonic()

    async def read() -> list[tuple[float, str | Answer]]:
        key = server.credentials(site).api_key
        pieces = run_flow(server.base_url(site), key, flow, question, session)
        return [(time.monotonic() - started, piece) async for piece in pieces]

    return asyncio.run(read())


def stored(langflow: httpx.Client) -> dict[str, Any]:
    flow: dict[str, Any] = langflow.get(f"/api/v1/flows/{RAG_CHAT_ID}").raise_for_status().json()
    return flow


def set_persona(flow: dict[str, Any], text: str) -> dict[str, Any]:
    edited = copy.deepcopy(flow)
    node = next(node for node in edited["data"]["nodes"] if node["id"].startswith("Cited"))
    node["data"]["node"]["template"]["persona"]["value"] = text
    return edited


def test_the_flow_answers_in_pieces_and_with_its_source(site: Settings, langflow: httpx.Client) -> None:
    *pieces, (_, answer) = ask(site, "How long does the dough rise?", "bread")
    assert isinstance(answer, Answer)
    assert "two hours" in answer.answer
    assert answer.citations[0].url == "/notes/bread#first-rise"
    assert len(pieces) > 1
    assert "".join(str(text) for _, text in pieces).strip() == answer.answer
    assert answer.timings.retrieve_ms > 0


def test_a_second_question_knows_the_first_and_another_session_does_not(site: Settings, langflow: httpx.Client) -> None:
    ask(site, "How is green tea made?", "tea")
    _, with_history = ask(site, "And for how long?", "tea")[-1]
    _, without = ask(site, "And for how long?", "nobody")[-1]
    assert isinstance(with_history, Answer)
    assert isinstance(without, Answer)
    assert "three minutes" in with_history.answer
    assert "three minutes" not in without.answer


def test_the_chats_with_an_adapter(site: Settings, langflow: httpx.Client) -> None:
    for flow in ("lora_chat", "hybrid_chat"):
        with pytest.raises(ServiceError, match="no adapter is promoted"):
            ask(site, "How long does the dough rise?", "early", flow=flow)
    make_adapter(site, "mine")
    promote(site, "mine")
    for mode in ("lora", "hybrid"):
        _, answer = ask(site, "How long does the dough rise?", mode, flow=f"{mode}_chat")[-1]
        assert isinstance(answer, Answer)
        assert (answer.mode, answer.adapter) == (mode, "mine")
    # The running flow's next message is answered under whatever is promoted by then.
    make_adapter(site, "newer")
    promote(site, "newer")
    for adapter in ("newer", "mine"):
        for flow in ("lora_chat", "hybrid_chat"):
            _, answer = ask(site, "How long does the dough rise?", f"{flow} {adapter}", flow=flow)[-1]
            assert isinstance(answer, Answer)
            assert answer.adapter == adapter
        rollback(site)
    make_adapter(site, "diary", "private")
    promote(site, "diary")
    with pytest.raises(ServiceError, match="visitors are answered by public ones alone"):
        ask(site, "Where is the spare key?", "visitor", flow="lora_chat")


@pytest.mark.parametrize("quote_first", [None, False])
@pytest.mark.parametrize("mode", ["rag", "lora", "hybrid"])
def test_a_flow_answers_as_sitetwin_ask_does(
    site: Settings, langflow: httpx.Client, mode: Mode, quote_first: bool | None
) -> None:
    """At temperature 0, quoted and written, about something that the notes hold and something that they don't."""
    make_adapter(site, f"same-{mode}-{quote_first}")
    promote(site, f"same-{mode}-{quote_first}")
    original = site.file.read_text(encoding="utf-8")
    chat = "" if quote_first is None else f"quote_first = {str(quote_first).lower()}\n"
    site.file.write_text(f"{original}\n[chat]\ntemperature = 0\nmax_tokens = 30\n{chat}", encoding="utf-8")
    try:
        settings = load_settings(site.file)
        for question in ("How long does the dough rise?", "What is the moon made of?"):
            _, by_flow = ask(settings, question, f"{mode} {quote_first} {question}", flow=f"{mode}_chat")[-1]
            *_, by_ask = Site(settings).assistant.ask(question, mode=mode, visibility="public")
            assert isinstance(by_flow, Answer)
            assert isinstance(by_ask, Answer)
            untimed = {"timings"}
            assert by_flow.model_dump(exclude=untimed) == by_ask.model_dump(exclude=untimed)
    finally:
        site.file.write_text(original, encoding="utf-8")
        rollback(site)


def test_a_flow_is_a_system_of_an_evaluation(site: Settings, langflow: httpx.Client) -> None:
    questions = [
        GoldenQuestion(question="How long does green tea draw?", fact=("three",), page=("notes/tea.md",)),
        GoldenQuestion(question="At how many degrees does the dough rise?", fact=("24",), page=("notes/bread.md",)),
        GoldenQuestion(question="Where is the spare key?", answerable=False, why="outside"),
        GoldenQuestion(question="Who won the football world cup in 1954?", answerable=False, why="outside"),
    ]
    systems = [find_system(site, name) for name in ("rag", "flow:rag_chat")]
    made = evaluate(site, systems, questions, file="golden.jsonl", visibility="public")
    rag, visitors = (made.systems[name] for name in ("rag", "flow:rag_chat"))
    assert visitors.system.flow == "rag_chat"
    for ours, theirs in zip(rag.replies, visitors.replies, strict=True):
        assert theirs.answer.answer == ours.answer.answer
        assert theirs.answer.refused == ours.answer.refused
        assert [one.document for one in theirs.answer.citations] == [one.document for one in ours.answer.citations]
    for measure in ("accuracy", "citation_hit", "refusal_precision", "refusal_recall"):
        assert visitors.figures[measure].all.value == 1, measure
        assert visitors.values[measure] == rag.values[measure]
    # What shapes a flow's answer stands in Langflow, so nothing of it is kept.
    assert evaluate(site, systems, questions, file="golden.jsonl", visibility="public").kept == len(questions)
    report = markdown(made)
    assert "| flow:rag_chat | flow rag_chat |" in report


def test_private_notes_are_not_told(site: Settings, langflow: httpx.Client) -> None:
    _, answer = ask(site, "Where is the spare key?", "key")[-1]
    assert isinstance(answer, Answer)
    assert "flower pot" not in answer.answer
    assert not [citation for citation in answer.citations if "diary" in citation.document]


def test_no_dropdown_shows_a_visitor_private_notes(site: Settings, langflow: httpx.Client) -> None:
    original = stored(langflow)
    flow = copy.deepcopy(original)
    retriever = next(node for node in flow["data"]["nodes"] if node["id"].startswith("Retriever"))
    retriever["data"]["node"]["template"]["visibility"]["value"] = PUBLIC_AND_PRIVATE
    question = "Where is the spare key?"
    langflow.patch(f"/api/v1/flows/{RAG_CHAT_ID}", json={"data": flow["data"]}).raise_for_status()
    try:
        # Not the gateway's check, which comes before, but the node itself.
        with pytest.raises(ServiceError, match="visitors are refused: Notes Retriever is open to private text"):
            ask(site, question, "visitor")
        body = {"input_value": question, "session_id": "owner"}
        assert "flower pot" in langflow.post("/api/v1/run/rag_chat", json=body).raise_for_status().text
    finally:
        langflow.patch(f"/api/v1/flows/{RAG_CHAT_ID}", json={"data": original["data"]}).raise_for_status()


def test_a_flow_that_names_another_site_shows_a_visitor_its_public_notes(
    site: Settings, langflow: httpx.Client, tmp_path: Path
) -> None:
    notes = {
        "cake.md": "# Cake\n\nThe cake bakes for fifty minutes.\n",
        "safe.md": "---\nprivate: true\n---\n# Safe\n\nThe number of the safe is 4711.\n",
    }
    original = stored(langflow)
    flow = copy.deepcopy(original)
    fields = [node["data"]["node"].get("template") or {} for node in flow["data"]["nodes"]]
    question = "What is the number of the safe?"
    with indexed_site(tmp_path / "other", notes) as other:
        try:
            for field in fields:
                if "site" in field:
                    field["site"]["value"] = str(other.root)
            langflow.patch(f"/api/v1/flows/{RAG_CHAT_ID}", json={"data": flow["data"]}).raise_for_status()
            _, answer = ask(site, "How long does the cake bake?", "cake")[-1]
            assert isinstance(answer, Answer)
            assert "fifty minutes" in answer.answer
            _, answer = ask(site, question, "safe")[-1]
            assert isinstance(answer, Answer)
            assert "4711" not in answer.model_dump_json()
            for field in fields:
                if "k" in field:
                    field["visibility"]["value"] = PUBLIC_AND_PRIVATE
            langflow.patch(f"/api/v1/flows/{RAG_CHAT_ID}", json={"data": flow["data"]}).raise_for_status()
            with pytest.raises(ServiceError, match="visitors are refused: Notes Retriever is open to private text"):
                ask(site, question, "visitor")
            body = {"input_value": question, "session_id": "owner of both"}
            assert "4711" in langflow.post("/api/v1/run/rag_chat", json=body).raise_for_status().text
        finally:
            langflow.patch(f"/api/v1/flows/{RAG_CHAT_ID}", json={"data": original["data"]}).raise_for_status()


def tables_with(database: Path, text: str) -> list[str]:
    """The tables that hold `text` in some row."""
    with closing(sqlite3.connect(database)) as opened:
        names = [name for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return [name for name in names if any(text in str(row) for row in opened.execute(f'SELECT * FROM "{name}"'))]


def test_old_conversations_of_visitors_are_deleted(site: Settings, langflow: httpx.Client) -> None:
    url, key = server.base_url(site), server.credentials(site).api_key

    def forget(before: datetime) -> int:
        async def run() -> int:
            async with httpx.AsyncClient(trust_env=False) as http:
                return await forget_old(http, url, key, before)

        return asyncio.run(run())

    def sessions() -> set[str]:
        return set(langflow.get("/api/v1/monitor/messages/sessions", params={"limit": 200}).json())

    asked = "How long, pray, does the dough of your bread rise?"
    ask(site, asked, "visitor-1")
    ask(site, "How long does the dough rise?", "my own")
    assert forget(datetime.now(UTC) - timedelta(days=1)) == 0
    assert {"visitor-1", "my own"} <= sessions()
    assert forget(datetime.now(UTC) + timedelta(minutes=1)) >= 1
    assert {name for name in sessions() if name.startswith("visitor-")} == set()
    assert "my own" in sessions()
    assert tables_with(server.directory(site) / server.DATABASE, asked) == []


def test_old_logs_of_nodes_are_deleted_while_langflow_runs(site: Settings, langflow: httpx.Client) -> None:
    """Older versions of sitetwin let Langflow write them."""
    database, now = server.directory(site) / server.DATABASE, datetime.now(UTC).replace(microsecond=0)
    with closing(sqlite3.connect(database)) as opened, opened:
        for days in (8, 6):
            row = {"flow_id": UUID(RAG_CHAT_ID).hex, "timestamp": f"{now - timedelta(days=days):%Y-%m-%d %H:%M:%S.%f}"}
            built = row | {"build_id": uuid4().hex, "id": "node", "valid": True, "job_id": None}
            done = row | {"id": uuid4().hex, "vertex_id": "node", "status": "success", "inputs": json.dumps("asked")}
            for table, values in (("vertex_build", built), ("transaction", done)):
                names = ", ".join(values)
                opened.execute(
                    f'INSERT INTO "{table}" ({names}) VALUES ({", ".join("?" * len(values))})', [*values.values()]
                )
    assert forget_logs(database, now - timedelta(days=7)) == 2
    assert forget_logs(database, now - timedelta(days=7)) == 0
    assert langflow.get("/api/v1/monitor/builds", params={"flow_id": RAG_CHAT_ID}).json()["vertex_builds"].keys() == {
        "node"
    }
    assert forget_logs(database, now) == 2  # one of each


def test_a_visitors_request_can_not_change_a_node(site: Settings, langflow: httpx.Client) -> None:
    tweaks = {"RetrieverComponent-n2tes": {"visibility": "public and private"}}
    body = {"input_value": "Where is the spare key?", "session_id": "tweak", "tweaks": tweaks}
    response = langflow.post("/api/v1/run/rag_chat", json=body)
    assert response.status_code == 422
    assert "flower pot" not in response.text


def test_the_bundle_is_a_category_of_its_own(langflow: httpx.Client) -> None:
    names = [component["display_name"] for component in langflow.get("/api/v1/all").json()["site_twin"].values()]
    assert sorted(names) == [
        "Adapter Choice", "Adapter Training", "Ask Notes", "Cited Answer", "Compare", "Evaluate", "MLX Model",
        "Name Sources", "Notes Retriever", "Notes to Chunks", "Ollama Teacher", "Pair Filter", "Persona Prompt", "Reranker", "Sync Notes",
        "Teacher",
    ]  # fmt: skip


def test_a_page_of_another_site_and_a_rebound_name_are_refused_with_the_key_too(langflow: httpx.Client) -> None:
    assert langflow.get("/api/v1/flows/").is_success
    for headers in ({"origin": "https://evil.example"}, {"host": "evil.example"}):
        assert langflow.get("/api/v1/flows/", headers=headers).status_code == 403


def test_the_retrievers_filters_hold_in_a_flow(site: Settings, langflow: httpx.Client) -> None:
    """Of the notes only the one on tea has a tag and a day."""
    original = stored(langflow)

    def cited(question: str, **filters: str) -> set[str]:
        flow = copy.deepcopy(original)
        node = next(node for node in flow["data"]["nodes"] if node["id"].startswith("Retriever"))
        for name, value in filters.items():
            node["data"]["node"]["template"][name]["value"] = value
        langflow.patch(f"/api/v1/flows/{RAG_CHAT_ID}", json={"data": flow["data"]}).raise_for_status()
        _, answer = ask(site, question, f"filters {sorted(filters.items())}")[-1]
        assert isinstance(answer, Answer)
        return {citation.document for citation in answer.citations}

    tea, bread = "How long does black tea draw?", "How long does the dough rise?"
    try:
        assert cited(tea, folder="notes", tags="drinks", after="2024-03-31", before="2024-03-31") == {"notes/tea.md"}
        assert cited(tea, tags="drinks, food") == set()
        assert cited(tea, after="2024-04-01") == set()
        assert cited(tea, before="2024-03-30") == set()
        assert cited(bread, folder="elsewhere") == set()
        assert cited(bread, folder="notes") == {"notes/bread.md"}
        with pytest.raises(ServiceError, match="yesterday"):
            cited(bread, after="yesterday")
    finally:
        langflow.patch(f"/api/v1/flows/{RAG_CHAT_ID}", json={"data": original["data"]}).raise_for_status()


def test_the_teaching_flow_goes_from_notes_to_reviewed_pairs(site: Settings, langflow: httpx.Client) -> None:
    (site.root / "notes" / "rye.md").write_text(RYE, encoding="utf-8")
    body = {"input_value": "", "input_type": "text", "output_type": "debug", "session_id": "teach"}
    response = langflow.post("/api/v1/run/teach", json=body).raise_for_status()
    made = {node["component_id"]: node["outputs"] for run in response.json()["outputs"] for node in run["outputs"]}
    rows = made["PairFilterComponent-f9ilt"]["reviewed"]["message"]
    assert {row["source"] for row in rows} == {"notes/rye.md"}
    assert any(row["accepted"] for row in rows)
    assert all(row["accepted"] or row["reason"] for row in rows)
    assert not list((site.state / "datasets").glob("*/card.json"))


def test_the_teaching_flow_has_nothing_to_say_to_a_visitor(site: Settings, langflow: httpx.Client) -> None:
    with pytest.raises(ServiceError, match="ended without an answer"):
        ask(site, "What do you teach?", "visitor", flow="teach")


@pytest.mark.ollama
def test_refresh_list_below_the_model_asks_ollama(langflow: httpx.Client, site: Settings, ollama: str) -> None:
    def pressed(url: str) -> httpx.Response:
        flow = flows_to_serve(site)[0]["teach"]
        node = next(node for node in flow["data"]["nodes"] if node["id"].startswith("Teacher"))["data"]["node"]
        template = node["template"]
        template["base_url"]["value"] = url
        body = {
            "code": template["code"]["value"], "template": template, "field": "model",
            "field_value": template["model"]["value"], "tool_mode": False,
        }  # fmt: skip
        return langflow.post("/api/v1/custom_component/update", json=body)

    options = pressed(ollama).raise_for_status().json()["template"]["model"]["options"]
    assert options[:2] == ["as in sitetwin.toml", "extractive"]
    assert f"ollama:{MODEL}:latest" in options
    refused = pressed(f"http://127.0.0.1:{free_port()}")
    assert refused.status_code == httpx.codes.BAD_REQUEST
    assert "run `ollama serve`" in refused.json()["detail"]


def test_a_flow_without_cited_answer_still_answers(site: Settings, langflow: httpx.Client) -> None:
    flow = copy.deepcopy(flows_to_serve(site)[0]["rag_chat"])
    flow["data"]["nodes"] = [node for node in flow["data"]["nodes"] if node["id"].startswith("Chat")]
    source, target = (node["data"]["id"] for node in flow["data"]["nodes"])
    edge = next(edge for edge in flow["data"]["edges"] if edge["target"] == target)
    edge |= {"source": source, "id": "e"}
    edge["data"]["sourceHandle"] = {
        "dataType": "ChatInput",
        "id": source,
        "name": "message",
        "output_types": ["Message"],
    }
    edge["sourceHandle"] = ""
    flow["data"]["edges"] = [edge]
    created = langflow.post("/api/v1/flows/", json={**flow, "id": None, "name": "echo", "endpoint_name": "echo"})
    created.raise_for_status()
    *pieces, (_, answer) = ask(site, "Hello there", "echo", flow="echo")
    assert isinstance(answer, Answer)
    assert (answer.answer, answer.citations) == ("Hello there", [])
    assert [text for _, text in pieces] == ["Hello there"]
    langflow.delete(f"/api/v1/flows/{created.json()['id']}").raise_for_status()


def test_an_error_of_a_node_says_what_to_do(site: Settings, langflow: httpx.Client) -> None:
    original = stored(langflow)
    broken = copy.deepcopy(original)
    broken["data"]["edges"] = [edge for edge in broken["data"]["edges"] if not edge["source"].startswith("MLX")]
    langflow.patch(f"/api/v1/flows/{RAG_CHAT_ID}", json={"data": broken["data"]}).raise_for_status()
    try:
        with pytest.raises(ServiceError) as caught:
            ask(site, "How long does the dough rise?", "broken")
        assert "Playground" in str(caught.value) or ": " in str(caught.value)
        assert "\n" not in str(caught.value)
    finally:
        langflow.patch(f"/api/v1/flows/{RAG_CHAT_ID}", json={"data": original["data"]}).raise_for_status()


def test_a_newer_file_replaces_an_unedited_flow_only(site: Settings, langflow: httpx.Client) -> None:
    owners = owners_directory(site) / "rag_chat.json"
    assert Pushed("rag_chat", "unchanged") in server.push_flows(site)

    assert server.serves_shipped(site)
    # The owner edits: a push of the same file and of a newer one leave that alone.
    edited = set_persona(stored(langflow), "Speak like a pirate.")
    langflow.patch(f"/api/v1/flows/{RAG_CHAT_ID}", json={"data": edited["data"]}).raise_for_status()
    assert not server.serves_shipped(site)
    assert Pushed("rag_chat", "unchanged") in server.push_flows(site)
    owners.parent.mkdir()
    newer = set_persona(flows_to_serve(site)[0]["rag_chat"], "Be formal.")
    owners.write_text(httpx.Response(200, json=newer).text, encoding="utf-8")
    assert Pushed("rag_chat", "kept") in server.push_flows(site)
    assert "pirate" in str(stored(langflow)["data"])

    # Pulled, the file is the editor's flow, and a file changed after that is pushed again.
    # Edited here and in the editor: both are kept and named.
    assert "it was edited here and in the editor" in read_left_out(site)["rag_chat"]
    assert [difference.after for difference in server.changed_in_editor(site, "rag_chat")] == ["Speak like a pirate."]
    pulled = server.pull_flows(site, owners.parent)
    theirs = owners.parent / "conflicts" / "rag_chat.json"
    assert pulled.conflicts == [theirs]
    assert owners not in pulled.changed
    assert ("formal" in owners.read_text("utf-8"), "pirate" in theirs.read_text("utf-8")) == (True, True)
    assert server.push_flow(site, "rag_chat") == theirs
    assert "formal" in str(stored(langflow)["data"])
    assert "rag_chat" not in read_left_out(site)

    # Sitetwin's own goes beside it.
    assert server.restore_flow(site, "rag_chat") == server.restore_flow(site, "rag_chat") == "rag_chat_as_shipped"
    flows = langflow.get("/api/v1/flows/").json()
    copied = [flow for flow in flows if flow["endpoint_name"] == "rag_chat_as_shipped"]
    assert len(copied) == 1
    langflow.delete(f"/api/v1/flows/{copied[0]['id']}").raise_for_status()

    langflow.patch(f"/api/v1/flows/{RAG_CHAT_ID}", json={"data": edited["data"]}).raise_for_status()
    assert owners in server.pull_flows(site, owners.parent).changed
    assert server.pull_flows(site, owners.parent).changed == []
    assert "pirate" in str(read_flow(owners))
    assert Pushed("rag_chat", "unchanged") in server.push_flows(site)
    owners.write_text(httpx.Response(200, json=set_persona(read_flow(owners), "Be brief.")).text, encoding="utf-8")
    assert Pushed("rag_chat", "updated") in server.push_flows(site)
    assert "Be brief." in str(stored(langflow)["data"])


def test_an_upgrade_renews_the_code_of_an_edited_flow(site: Settings, langflow: httpx.Client) -> None:
    original = stored(langflow)
    edited = set_persona(original, "Speak like a pirate.")
    retriever = next(node for node in edited["data"]["nodes"] if node["id"].startswith("Retriever"))
    retriever["position"] = {"x": 7, "y": 8}
    template = retriever["data"]["node"]["template"]
    template["code"]["value"] = f"# of an older version\n{template['code']['value']}"
    template["k"]["value"] = 2
    del template["tags"]
    langflow.patch(f"/api/v1/flows/{RAG_CHAT_ID}", json={"data": edited["data"]}).raise_for_status()
    try:
        assert list(map(str, server.upgrade_flows(site))) == ["rag_chat: renewed Notes Retriever (new field Tags)"]
        assert server.upgrade_flows(site) == []
        changed = {(one.node, one.field): one.after for one in server.changed_in_editor(site, "rag_chat")}
        assert changed[("Cited Answer", "Persona")] == "Speak like a pirate."
        assert changed[("Notes Retriever", "Passages")] == "2"
        renewed = next(node for node in stored(langflow)["data"]["nodes"] if node["id"].startswith("Retriever"))
        assert renewed["position"] == {"x": 7, "y": 8}
        assert "older version" not in str(renewed)
        _, answer = ask(site, "How long does the dough rise?", "upgraded")[-1]
        assert isinstance(answer, Answer)
        assert "two hours" in answer.answer
    finally:
        langflow.patch(f"/api/v1/flows/{RAG_CHAT_ID}", json={"data": original["data"]}).raise_for_status()


def test_a_deleted_flow_stays_deleted_unless_visitors_need_it(site: Settings, langflow: httpx.Client) -> None:
    ids = {name: flow["id"] for name, flow in flows_to_serve(site)[0].items()}
    server.push_flows(site)
    for name in ("teach", "rag_chat"):
        langflow.delete(f"/api/v1/flows/{ids[name]}").raise_for_status()
    states = {flow.name: flow.state for flow in server.push_flows(site)}
    assert (states["teach"], states["rag_chat"]) == ("deleted", "created")
    with pytest.raises(ServiceError, match="deleted in the editor: `sitetwin flows push teach` makes it again"):
        server.changed_in_editor(site, "teach")
    assert server.push_flow(site, "teach") is None
    assert server.changed_in_editor(site, "teach") == []


def test_a_flow_that_is_refused_holds_up_no_other(site: Settings, langflow: httpx.Client) -> None:
    flows = owners_directory(site)
    flows.mkdir(exist_ok=True)
    shipped = flows_to_serve(site)[0]["teach"]
    bad = {
        "oops.json": "{oops",
        "number.json": json.dumps({**shipped, "id": "not-a-uuid", "endpoint_name": "number"}),
        "fifth.json": json.dumps(
            {**shipped, "id": "11111111-1111-5111-8111-111111111111", "name": "v5", "endpoint_name": "fifth"}
        ),
    }
    for name, text in bad.items():
        (flows / name).write_text(text, encoding="utf-8")
    try:
        refused = {flow.name: flow.reason for flow in server.push_flows(site) if flow.state == "refused"}
        assert set(refused) == {"oops.json", "number", "fifth"}
        assert read_left_out(site) == refused
        assert "oops.json is left out" in server.ready_text(site)
    finally:
        for name in bad:
            (flows / name).unlink()
    assert not [flow for flow in server.push_flows(site) if flow.state == "refused"]
    assert read_left_out(site) == {}


def test_the_link_opens_the_editor_once(site: Settings, langflow: httpx.Client, open_page: Callable[..., Any]) -> None:
    link = server.desk(site).new_link(server.base_url(site))
    with open_page(1600, 900) as page:
        page.goto(link)
        page.get_by_text("rag_chat").first.wait_for(timeout=60_000)
        assert "key=" not in page.url
    with httpx.Client(trust_env=False) as other:
        assert other.get(link).status_code == 401


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("setpriv"), reason="only root may act as another account")
def test_another_account_reads_nothing_and_starts_nothing(site: Settings, langflow: httpx.Client) -> None:
    url, mark = server.base_url(site), site.root / "started"
    body = json.dumps({"command": "sh", "args": [f"touch {mark}"]})
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    calls = [
        ["/api/v1/auto_login"], ["/api/v1/flows/"], ["/api/v1/monitor/messages"], ["/api/v1/config"], ["/"], ["/docs"],
        ["/api/v1/login", "-d", "username=owner&password=x"],
        ["/api/v1/users/", "-H", "content-type: application/json", "-d", '{"username":"u","password":"p"}'],
        ["/api/v2/mcp/servers/evil", "-H", "content-type: application/json", "-d", body],
        ["/api/v1/run/rag_chat", "-H", "content-type: application/json", "-d", '{"input_value":"spare key"}'],
    ]  # fmt: skip
    for path, *options in calls:
        command = [*nobody, "curl", "-s", "-w", "%{http_code}", *options, url + path]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert said.endswith("401"), (path, said)
        assert "flower pot" not in said
    (pid,) = [
        c.pid for c in psutil.net_connections("tcp") if c.laddr.port == site.langflow.port and c.status == "LISTEN"
    ]
    assert [
        path for path in (site.state, *site.state.rglob("*")) if not path.is_symlink() and not is_private(path)
    ] == []
    assert subprocess.run([*nobody, "cat", f"/proc/{pid}/environ"], capture_output=True).returncode
    assert not mark.exists()


def test_not_even_the_owner_starts_a_program_from_a_flow(site: Settings, langflow: httpx.Client) -> None:
    for command in ("python", "sh", "docker", "npx", "uvx"):
        refused = langflow.post("/api/v2/mcp/servers/local", json={"command": command, "args": ["x"]})
        assert (refused.status_code, "not allowed" in refused.text) == (422, True)


def test_secrets_reach_neither_log_nor_flow(site: Settings, langflow: httpx.Client, log: Path, tmp_path: Path) -> None:
    secrets = server.credentials(site)
    server.pull_flows(site, tmp_path)
    texts = [path.read_text(encoding="utf-8") for path in tmp_path.glob("*.json")]
    assert texts
    texts.append(log.read_text(encoding="utf-8"))
    assert not [text for text in texts if secrets.api_key in text or secrets.password in text]
