"""What a newcomer gets from `sitetwin up`: a real start, a real browser, a real agent, the real Langflow."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import httpx
import psutil
import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from benchmarks.running import Site, newcomers_folder, running_site
from flows import server as langflow
from pipeline.processes import engine, vectors
from pipeline.processes.endpoint import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with newcomers_folder() as root, running_site(root) as site:
        yield site


def sitetwin(site: Site, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        env=site.environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)], ids=["desktop", "phone"])
def test_a_visitor_asks_and_follows_a_source(
    site: Site, open_page: Callable[..., Any], width: int, height: int
) -> None:
    with open_page(width, height) as page:
        page.goto(site.url)
        page.get_by_role("button", name="Open the chat").click()
        page.get_by_role("textbox", name="Your question").fill("Which port does the page use?")
        page.get_by_role("button", name="Send").click()
        answer = page.locator("site-twin .it").last
        answer.get_by_role("button", name="Copy the answer").wait_for(timeout=60_000)
        assert "8765" in answer.inner_text()
        answer.get_by_role("link", name="First run", exact=False).first.click()
        page.wait_for_url("**/docs/first-run#which-ports-are-used")
        assert page.locator("h2:target").inner_text() == "Which ports are used"
        assert site.environment.get("LANGFLOW_API_KEY", "sk-") not in page.content()


def test_the_stream_comes_in_pieces_through_langflow(site: Site) -> None:
    with httpx.stream("POST", f"{site.url}/api/chat", json={"question": "What is sitetwin?"}, timeout=120) as response:
        events = [line for line in response.iter_lines() if line.startswith("event: ")]
    assert events.count("event: token") > 5
    assert events[-1] == "event: answer"
    assert "langflow" in json.loads((site.settings.run_directory / "up.rows.json").read_text())


def test_a_question_about_nothing_here_is_declined(site: Site) -> None:
    answer = json.loads(sitetwin(site, "ask", "--json", "What is the capital of Peru?").stdout)
    assert answer["refused"] is True
    assert answer["citations"] == []


def test_the_base_model_answers_without_notes(site: Site) -> None:
    answer = json.loads(sitetwin(site, "ask", "--json", "--mode", "base", "Who wrote Hamlet?").stdout)
    assert "Shakespeare" in answer["answer"]
    assert answer["citations"] == []


def test_every_guide_is_indexed(site: Site) -> None:
    status = json.loads(sitetwin(site, "status", "--json").stdout)
    assert status["documents"]["indexed"] == len(list((site.settings.root / "docs").glob("*.md")))
    assert {name: process["state"] for name, process in status["processes"].items()} == dict.fromkeys(
        ("vectors", "engine", "gateway", "langflow", "watcher"), "running"
    )
    assert status["processes"]["gateway"]["url"] == site.url


def test_a_second_up_is_told_where_the_first_one_is(site: Site) -> None:
    second = sitetwin(site, "up")
    assert second.returncode == 1
    assert site.url in second.stderr
    assert "Traceback" not in second.stderr


def test_a_dead_child_comes_back(site: Site) -> None:
    gateway = next(p for p in psutil.Process(site.process.pid).children() if "web.gateway" in p.cmdline())
    os.kill(gateway.pid, signal.SIGKILL)
    # A connection that the dying process still took would be reset.
    gateway.wait(30)
    transport = httpx.HTTPTransport(retries=10)
    with httpx.Client(transport=transport, timeout=30) as client:
        assert client.get(f"{site.url}/healthz").is_success


def test_the_editor_shows_the_flow_and_the_category(site: Site, open_page: Callable[..., Any]) -> None:
    key = langflow.credentials(site.settings).api_key
    flows = httpx.get(
        f"{langflow.base_url(site.settings)}/api/v1/flows/", headers={"x-api-key": key}, timeout=60
    ).json()
    flow = next(flow for flow in flows if flow["endpoint_name"] == "rag_chat")
    with open_page(1600, 900) as page:
        page.goto(langflow.desk(site.settings).new_link(langflow.base_url(site.settings)))
        page.goto(f"{langflow.base_url(site.settings)}/flow/{flow['id']}")
        for node in ("Notes Retriever", "MLX Model", "Cited Answer"):
            page.locator(".react-flow__node", has_text=node).first.wait_for(timeout=60_000)
        page.get_by_text("Site twin", exact=False).first.wait_for()


def test_an_agent_finds_the_same_over_stdio(site: Site) -> None:
    async def call() -> Any:
        server = StdioServerParameters(command=sys.executable, args=["-m", "pipeline", "mcp"], env=site.environment)
        async with stdio_client(server) as streams, ClientSession(*streams) as session:
            await session.initialize()
            return await session.call_tool("ask", {"question": "Which port does the page use?"})

    with ThreadPoolExecutor(1) as thread:  # the browser's own event loop holds this one
        result = thread.submit(anyio.run, call).result()
    assert not result.isError
    assert "8765" in result.structuredContent["answer"]
    assert any(c["document"] == "docs/first-run.md" for c in result.structuredContent["citations"])


@pytest.fixture
def small_site(tmp_path: Path) -> Path:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.md").write_text("# A\n\nSome words.\n", encoding="utf-8")
    (tmp_path / "sitetwin.toml").write_text(
        '[[content]]\npath = "notes"\nvisibility = "public"\n[langflow]\nenabled = false\n', encoding="utf-8"
    )
    return tmp_path


def test_ctrl_c_stops_everything_it_started_and_nothing_else(small_site: Path) -> None:
    with running_site(small_site) as other:
        store = json.loads((small_site / ".sitetwin/run/vectors.json").read_text())["pid"]
        children = psutil.Process(other.process.pid).children(recursive=True)
        other.process.send_signal(signal.SIGINT)
        assert other.process.wait(timeout=60) == 0
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    assert not psutil.pid_exists(store)


def test_after_a_kill_the_next_up_clears_away_and_starts(small_site: Path) -> None:
    port = str(free_port())
    with running_site(small_site, {"SITETWIN_GATEWAY__PORT": port}) as first:
        first.process.kill()
        first.process.wait()
    with running_site(small_site, {"SITETWIN_GATEWAY__PORT": port}) as second:
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").is_success
    # The shared owners were the killed one's, so the second left them to their idle clock.
    for service in (vectors.service(second.settings), engine.service(second.settings)):
        if endpoint := service.find():
            service.stop(endpoint)
