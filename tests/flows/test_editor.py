"""The editor of a real Langflow in a real browser: a chat of single parts built by hand, and a prompt that is kept."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows import server
from flows.builder import HYBRID_CHAT_ID
from flows.files import SHIPPED, owners_directory
from pipeline.chat.prompt import TUNED_RULE
from pipeline.settings import Settings
from tests.flows.running import running
from tests.notes_site import indexed_site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

EMPTY = {"nodes": [], "edges": [], "viewport": {"x": 0, "y": 0, "zoom": 1}}
PLACES = {
    "Chat Input": (40, 480),
    "Notes Retriever": (290, 80),
    "Persona Prompt": (670, 480),
    "MLX Model": (1060, 200),
    "Chat Output": (1480, 480),
}
PLACE = {"x": 907, "y": 208}
EDGES = [
    ("chatinput-noshownode-chat message-source", "retrievercomponent-shownode-question-left"),
    ("chatinput-noshownode-chat message-source", "personapromptcomponent-shownode-question-left"),
    ("retrievercomponent-shownode-passages-right", "personapromptcomponent-shownode-passages-left"),
    ("personapromptcomponent-shownode-prompt-right", "mlxmodelcomponent-shownode-input-left"),
    ("mlxmodelcomponent-shownode-model response-right", "chatoutput-noshownode-inputs-target"),
]


def apart(work: Callable[..., Any], *arguments: Any) -> Any:
    """The result of work that runs an event loop: the browser keeps one running in this thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work, *arguments).result()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Settings]:
    """A site of its own, because these tests change its flows in the editor."""
    with indexed_site(tmp_path / "site") as settings:
        yield settings


@contextmanager
def editing(site: Settings, open_page: Callable[..., Any], flow: str) -> Iterator[Any]:
    """The editor's page of a flow."""
    with open_page(2200, 1300) as page:
        page.set_default_timeout(60_000)
        page.goto(server.desk(site).new_link(server.base_url(site)))
        page.get_by_text("rag_chat").first.wait_for()
        page.goto(f"{server.base_url(site)}/flow/{flow}")
        page.get_by_test_id("sidebar-search-input").wait_for()
        yield page


def is_saved(response: Any, check: Callable[[dict[str, Any]], bool]) -> bool:
    """Whether the editor has saved a flow of which `check` is true."""
    request = response.request
    return bool(request.method == "PATCH" and "/api/v1/flows/" in request.url and check(response.json()["data"]))


def said(langflow: httpx.Client, flow: str, question: str) -> tuple[str, int]:
    """The last message of a flow that its owner runs, and in how many pieces it came."""
    body = {"input_value": question, "input_type": "chat", "output_type": "chat", "session_id": f"{flow} {question}"}
    response = langflow.post(f"/api/v1/run/{flow}?stream=true", json=body).raise_for_status()
    events = [json.loads(line) for line in response.text.splitlines() if line.strip()]
    errors = [event["data"] for event in events if event["event"] == "error"]
    assert not errors
    texts = [event["data"]["text"] for event in events if event["event"] == "add_message"]
    return texts[-1], sum(event["event"] == "token" for event in events)


def test_by_hand_and_kept(
    site: Settings, open_page: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "langflow.log"
    with running(site, log) as langflow:
        apart(server.push_flows, site)
        made = langflow.post("/api/v1/flows/", json={"name": "by_hand", "endpoint_name": "by_hand", "data": EMPTY})
        with editing(site, open_page, made.raise_for_status().json()["id"]) as page:
            build_by_hand(page)
        text, _ = said(langflow, "by_hand", "How long does the dough rise?")
        assert "two" in text.lower()

        # Every flow of visitors that needs no adapter, and the owner's.
        for flow in ("rag_chat", "compare"):
            text, pieces = said(langflow, flow, "How long does the dough rise?")
            assert "two hours" in text
            assert pieces > 1
        assert "### base" in text

        with editing(site, open_page, HYBRID_CHAT_ID) as page:
            page.get_by_test_id("textarea_str_rule").click()
            with page.expect_response(lambda response: is_saved(response, lambda data: "in rhyme" in str(data))):
                page.get_by_test_id("textarea_str_rule").fill("Answer in rhyme.")
        make_older(langflow)

    # Langflow is started again by a newer sitetwin: the prompt is as the owner left it, and can be seen and taken into a file.
    with running(site, log) as langflow:
        pushed = {one.name: one.state for one in apart(server.push_flows, site)}
        assert pushed["hybrid_chat"] == "unchanged"  # its file is
        assert list(map(str, apart(server.upgrade_flows, site))) == ["hybrid_chat: renewed Cited Answer"]
        node = cited_answer(hybrid_chat(langflow))
        assert node["position"] == PLACE
        assert "older version" not in str(node)
        moved, change = apart(server.changed_in_editor, site, "hybrid_chat")
        assert (moved.node, moved.field, moved.after) == ("Cited Answer", "place", "907, 208")
        assert (change.node, change.before, change.after) == ("Cited Answer", TUNED_RULE, "Answer in rhyme.")
        file = owners_directory(site) / "hybrid_chat.json"
        assert file in apart(server.pull_flows, site, owners_directory(site)).changed
        pulled = json.loads(file.read_text(encoding="utf-8"))
        assert cited_answer(pulled)["position"] == PLACE
        assert cited_answer(pulled)["data"]["node"]["template"]["rule"]["value"] == "Answer in rhyme."
        assert apart(server.changed_in_editor, site, "hybrid_chat") == []
        assert "Answer in rhyme." not in (SHIPPED / "hybrid_chat.json").read_text(encoding="utf-8")


def hybrid_chat(langflow: httpx.Client) -> dict[str, Any]:
    flow: dict[str, Any] = langflow.get(f"/api/v1/flows/{HYBRID_CHAT_ID}").raise_for_status().json()
    return flow


def cited_answer(flow: dict[str, Any]) -> dict[str, Any]:
    node: dict[str, Any] = next(node for node in flow["data"]["nodes"] if node["id"].startswith("CitedAnswer"))
    return node


def make_older(langflow: httpx.Client) -> None:
    """Leaves the edited flow as an older version of sitetwin saved it, with a node at the owner's place."""
    flow = hybrid_chat(langflow)
    node = cited_answer(flow)
    node["position"] = PLACE
    code = node["data"]["node"]["template"]["code"]
    code["value"] = f"# of an older version\n{code['value']}"
    langflow.patch(f"/api/v1/flows/{HYBRID_CHAT_ID}", json={"data": flow["data"]}).raise_for_status()


def build_by_hand(page: Any) -> None:
    """Drags five components from the sidebar to the canvas and connects them."""
    search, canvas = page.get_by_test_id("sidebar-search-input"), page.locator("#react-flow-id")
    for name, (x, y) in PLACES.items():
        search.fill(name)
        category = "input_output" if name.startswith("Chat") else "site_twin"
        page.get_by_test_id(f"{category}{name}").drag_to(canvas, target_position={"x": x, "y": y})
        page.get_by_test_id(f"title-{name}").wait_for()
    with page.expect_response(lambda response: is_saved(response, lambda data: len(data["edges"]) == len(EDGES))):
        for count, (source, target) in enumerate(EDGES, 1):
            page.get_by_test_id(f"handle-{source}").click()
            page.get_by_test_id(f"handle-{target}").click()
            page.locator(".react-flow__edge").nth(count - 1).wait_for(state="attached")
