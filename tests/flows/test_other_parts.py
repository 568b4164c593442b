"""Flows beside the chat in a real Langflow: with Langflow's own parts, with an agent, a retraining, a teacher of Ollama."""

import asyncio
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows import reading, server
from flows.builder import AGENT_ID, MODEL, RETRAIN_ID, RETRIEVER, TEACH_ID
from flows.client import run_flow
from flows.drawing import add, connect, new_flow, set_value
from flows.registry import Registry
from pipeline.chat import Answer
from pipeline.jobs.retraining.job import read_job
from pipeline.settings import Settings
from tests.answering_server import Server, answering, streamed
from tests.flows.running import running
from tests.ollama_server import MODEL as OLLAMAS_MODEL
from tests.retraining_site import SMALL, end_processes, make_site
from tests.tiny_llama import make_bases

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

QUESTION = "How long does the dough rise?"
RYE = """# Rye bread

I bake rye bread every second Saturday. The dough needs three hours at 26 degrees, and I never hurry it.
A cold oven is the most common mistake. Steam in the first ten minutes gives the crust its gloss.
"""
OLLAMA_TEACHER = "ext:site_twin:OllamaTeacherComponent@official"


@pytest.fixture(scope="module")
def langflow(site: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with running(site, tmp_path_factory.mktemp("log") / "langflow.log") as client:
        server.push_flows(site)
        yield client


def events(langflow: httpx.Client, flow: str, question: str) -> list[dict[str, Any]]:
    """What a run of the owner streams."""
    body = {"input_value": question, "input_type": "chat", "output_type": "chat", "session_id": f"{flow} {question}"}
    response = langflow.post(f"/api/v1/run/{flow}?stream=true", json=body, timeout=600).raise_for_status()
    found = [json.loads(line) for line in response.text.splitlines() if line.strip()]
    assert not [event["data"] for event in found if event["event"] == "error"]
    return found


def last_message(found: list[dict[str, Any]]) -> dict[str, Any]:
    message: dict[str, Any] = [event["data"] for event in found if event["event"] == "add_message"][-1]
    return message


def edit(langflow: httpx.Client, flow_id: str, changes: dict[str, dict[str, Any]]) -> None:
    """Sets fields of the nodes whose ids begin so, as the editor saves them."""
    flow = langflow.get(f"/api/v1/flows/{flow_id}").raise_for_status().json()
    for start, values in changes.items():
        (node,) = (node for node in reading.nodes(flow) if node["id"].startswith(start))
        for name, value in values.items():
            reading.fields(node)[name]["value"] = value
    langflow.patch(f"/api/v1/flows/{flow_id}", json={"data": flow["data"]}).raise_for_status()


def scripted(folder: Path, model: Server) -> str:
    """A site without notes, whose model is a server that says what the test wrote down."""
    config = f'[models]\nchat = "m"\n[engine]\nurl = "{model.url}"\n'
    (folder / "sitetwin.toml").write_text(config, encoding="utf-8")
    return str(folder)


def test_the_passages_go_through_langflows_parser_and_prompt(
    langflow: httpx.Client, registry: Registry, tmp_path: Path
) -> None:
    from lfx.base.prompts.api_utils import process_prompt_template

    flow = new_flow("3d0f6a52-8c1e-4b97-a5d4-60b2e9c7f183", "own_prompt", "", "BookUser")
    kinds = {
        "ask": "ChatInput", "find": RETRIEVER, "parse": "ParserComponent", "prompt": "Prompt Template", "model": MODEL,
        "say": "ChatOutput",
    }  # fmt: skip
    for place, (node_id, kind) in enumerate(kinds.items()):
        add(flow, registry, kind, node_id, x=place * 400, y=0)
    set_value(flow, "parse", "pattern", "{title}: {text}")
    prompt = reading.inner(reading.by_id(flow)["prompt"])
    set_value(flow, "prompt", "template", "{notes}\n\nQuestion: {question}\nAnswer in one short sentence.")
    process_prompt_template(
        prompt["template"]["template"]["value"], "template", prompt.setdefault("custom_fields", {}), prompt["template"]
    )
    connect(flow, "ask", "message", "find", "question")
    connect(flow, "find", "passages", "parse", "input_data")
    connect(flow, "parse", "parsed_text", "prompt", "notes")
    connect(flow, "ask", "message", "prompt", "question")
    connect(flow, "prompt", "prompt", "model", "input_value")
    connect(flow, "model", "text_output", "say", "input_value")
    with answering() as model:
        set_value(flow, "model", "site", scripted(tmp_path, model))
        langflow.post("/api/v1/flows/", json=flow).raise_for_status()
        model.answers = [streamed({"content": "Two hours."})]
        assert last_message(events(langflow, "own_prompt", QUESTION))["text"] == "Two hours."
    ((_, _, told),) = model.asked
    prompted = told["messages"][-1]["content"]
    assert "Baking bread: " in prompted
    assert "The dough rises for two hours at 24 degrees." in prompted
    assert "flower pot" not in prompted
    assert prompted.endswith(f"Question: {QUESTION}\nAnswer in one short sentence.")


def test_the_agent_calls_the_search_and_its_sources_are_named(
    site: Settings, langflow: httpx.Client, tmp_path: Path
) -> None:
    """Its model says what the test wrote down; search, agent and sources are the real ones."""
    with answering() as model:
        edit(langflow, AGENT_ID, {"MLXModel": {"site": scripted(tmp_path, model)}})
        call = {"index": 0, "id": "c1", "function": {"name": "search_notes", "arguments": '{"question": "dough"}'}}
        model.answers = [streamed({"tool_calls": [call]}), streamed({"content": "The dough rises for two hours."})]

        async def ask() -> list[str | Answer]:
            key = server.credentials(site).api_key
            return [piece async for piece in run_flow(server.base_url(site), key, "agent", QUESTION, "visitor-1")]

        *_, answer = asyncio.run(ask())
        told = model.asked[1][2]["messages"][-1]
    assert told["role"] == "tool"
    assert "The dough rises for two hours at 24 degrees." in told["content"]
    assert isinstance(answer, Answer)
    assert answer.answer == "The dough rises for two hours [1]."
    assert [(one.document, one.url) for one in answer.citations] == [("notes/bread.md", "/notes/bread#first-rise")]


def test_a_retraining_shows_each_step_and_how_it_ended(langflow: httpx.Client, tmp_path: Path) -> None:
    """Of another small site, which the nodes name, with a tiny model."""
    for folder in ("models", "site"):
        (tmp_path / folder).mkdir()
    make_bases(tmp_path / "models")
    small = make_site(tmp_path / "site", tmp_path / "models" / "base")
    keys = "\n".join(f"{key}={value}" for key, value in SMALL.items() if not isinstance(value, dict))
    named = {"site": str(small.root)}
    edit(langflow, RETRAIN_ID, {"SyncNotes": named, "AdapterTraining": {**named, "values": keys}})
    try:
        found = events(langflow, "retrain", "")
        again = events(langflow, "retrain", "once more")
    finally:
        end_processes(small)
    shown = "".join(event["data"]["chunk"] for event in found if event["event"] == "token")
    places = [shown.find(f"step {number} of 3") for number in (1, 2, 3)]
    assert -1 not in places
    assert places == sorted(places)
    job = read_job(small)
    assert job is not None
    assert (job.state, job.run) == ("done", "best-1")
    message = last_message(found)
    assert "| lora | accuracy | base" in message["text"]
    assert ["best-1-" in str(file) for file in message["files"]] == [True]
    assert "nothing has changed since" in last_message(again)["text"]


@pytest.mark.ollama
def test_a_teacher_of_ollama_writes_pairs(
    site: Settings, langflow: httpx.Client, registry: Registry, ollama: str
) -> None:
    (site.root / "notes" / "rye.md").write_text(RYE, encoding="utf-8")
    flow = copy.deepcopy(langflow.get(f"/api/v1/flows/{TEACH_ID}").raise_for_status().json())
    kept = [node for node in reading.nodes(flow) if node["id"].startswith(("NoteChunks", "PairFilter"))]
    chunks, pair_filter = (node["id"] for node in kept)
    flow = {**new_flow("c1a7e0d9-52b4-4f68-9b3e-07d6a4f8e215", "of_ollama", "", "Bot"), "data": flow["data"]}
    flow["data"] |= {"nodes": kept, "edges": []}
    add(flow, registry, OLLAMA_TEACHER, "teacher", x=400, y=0)
    values = {"model": f"{OLLAMAS_MODEL}:latest", "base_url": ollama, "kinds": ["fact"], "pairs_per_chunk": 1}
    for name, value in values.items():
        reading.fields(reading.by_id(flow)["teacher"])[name]["value"] = value
    connect(flow, chunks, "chunks", "teacher", "chunks")
    connect(flow, "teacher", "pairs", pair_filter, "pairs")
    langflow.post("/api/v1/flows/", json=flow).raise_for_status()
    body = {"input_value": "", "input_type": "text", "output_type": "debug", "session_id": "teach"}
    response = langflow.post("/api/v1/run/of_ollama", json=body, timeout=600)
    assert response.is_success, response.text
    made = {node["component_id"]: node["outputs"] for run in response.json()["outputs"] for node in run["outputs"]}
    rows = made[pair_filter]["reviewed"]["message"]
    assert rows
    assert {row["source"] for row in rows} == {"notes/rye.md"}
    assert all(row["accepted"] or row["reason"] for row in rows)
