"""A real client over stdio starts, follows and cancels a retraining."""

import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.shared.memory import create_connected_server_and_client_session as connected

from mcp_server.server import create_server
from pipeline.jobs.retraining.job import read_job
from pipeline.settings import Settings
from tests.retraining_site import end_processes, make_site, until

TOOLS = {"retrain", "retrain_status", "cancel_retrain"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Settings]:
    subprocess.run([sys.executable, "-m", "tests.tiny_llama", str(tmp_path / "tiny")], check=True, capture_output=True)
    settings = make_site(tmp_path, tmp_path / "tiny" / "base")
    yield settings
    end_processes(settings)


@asynccontextmanager
async def client_of(settings: Settings) -> AsyncIterator[ClientSession]:
    """What `sitetwin mcp config` has clients start."""
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "pipeline", "--config", str(settings.file), "mcp"]
    )
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        yield session


@pytest.mark.anyio
async def test_only_the_owners_server_changes_anything(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path)
    async with connected(create_server(settings)) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(tools) == {"search", "ask", "compare", *TOOLS}
    assert all(tool.outputSchema for tool in tools.values())
    writing = {name for name, tool in tools.items() if tool.annotations and not tool.annotations.readOnlyHint}
    assert writing == {"retrain", "cancel_retrain"}
    async with connected(create_server(settings, "public")) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == {"search", "ask"}
        refused = await client.call_tool("retrain", {})
    assert refused.isError
    assert read_job(settings) is None


@pytest.mark.anyio
async def test_without_a_job_the_next_step_is_named(tmp_path: Path) -> None:
    async with connected(create_server(Settings(root=tmp_path))) as client:
        status = await client.call_tool("retrain_status", {})
        cancelled = await client.call_tool("cancel_retrain", {})
    assert status.isError
    assert "retrain starts one" in str(status.content)
    assert cancelled.isError
    assert "no retraining is under way" in str(cancelled.content)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.anyio
async def test_it_goes_on_when_the_server_ends_and_the_next_one_cancels_it(site: Settings) -> None:
    async with client_of(site) as client:
        began = time.monotonic()
        started = await client.call_tool("retrain", {"preset": "overfit"})
        again = await client.call_tool("retrain", {})
        assert time.monotonic() - began < 60
        assert not started.isError, started.content
        assert started.structuredContent is not None
        assert started.structuredContent["state"] == "running"
        assert again.structuredContent is not None
        for key in ("number", "pid", "request"):
            assert again.structuredContent[key] == started.structuredContent[key]
    # The client has ended that server and whatever it had started.
    async with client_of(site) as client:
        status = await client.call_tool("retrain_status", {})
        assert status.structuredContent is not None
        assert (status.structuredContent["state"], status.structuredContent["number"]) == ("running", 1)
        assert status.structuredContent["summary"].startswith("retraining 1: step ")
        cancelled = await client.call_tool("cancel_retrain", {})
        assert not cancelled.isError
    job = until(site, lambda job: job.state != "running")
    assert job.state == "cancelled"
