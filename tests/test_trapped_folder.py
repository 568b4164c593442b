"""A site's folder holds a module of every name there is; none of our processes imports one of them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import anyio
import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from pipeline.processes import engine, vectors
from pipeline.processes.endpoint import free_port
from pipeline.settings import load_settings
from tests.notes_site import NOTES, end_services

SITETWIN = str(Path(sys.executable).with_name("sitetwin"))
CONFIG = """\
[[content]]
path = "notes"
visibility = "public"

[gateway]
port = {gateway}

[langflow]
port = {langflow}
"""
RYE = """# Rye bread

I bake rye bread every second Saturday. The dough needs three hours at 26 degrees, and I never hurry it.
A cold oven is the most common mistake. Steam in the first ten minutes gives the crust its gloss.
"""
PACKAGES = ("pipeline", "web", "flows", "mcp_server", "components", "benchmarks", "mcp")


class Trapped:
    def __init__(self, root: Path) -> None:
        self.root = root
        self._caught = root / "caught.txt"
        trap = f"with open({str(self._caught)!r}, 'a') as file:\n    file.write(__name__ + '\\n')\n"
        for name in {*sys.stdlib_module_names, *packages_distributions(), *PACKAGES}:
            module = root / name / "__init__.py" if name in PACKAGES else root / f"{name}.py"
            module.parent.mkdir(exist_ok=True, parents=True)
            module.write_text(trap, encoding="utf-8")
        (root / "notes").mkdir()
        for name, text in {**NOTES, "rye.md": RYE}.items():
            (root / "notes" / name).write_text(text, encoding="utf-8")
        ports = {"gateway": free_port(), "langflow": free_port()}
        (root / "sitetwin.toml").write_text(CONFIG.format(**ports), encoding="utf-8")

    @property
    def caught(self) -> list[str]:
        return self._caught.read_text(encoding="utf-8").split() if self._caught.exists() else []

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, timeout=300)
        assert self.caught == []
        return done


@pytest.fixture
def trapped(tmp_path: Path) -> Iterator[Trapped]:
    yield Trapped(tmp_path)
    end_services(load_settings(tmp_path / "sitetwin.toml"))


def test_the_traps_catch_a_process_that_is_not_careful(trapped: Trapped) -> None:
    subprocess.run([sys.executable, "-c", "import calendar"], cwd=trapped.root, check=True)
    assert trapped.caught == ["calendar"]


def test_the_command_itself(trapped: Trapped) -> None:
    assert trapped.run(SITETWIN, "search", "--help").returncode == 0


def test_the_module_as_typed_by_hand_takes_nothing_of_pythons_from_there(trapped: Trapped) -> None:
    # What is found before a line of ours runs is Python's affair: `python -m` looks here first.
    shutil.rmtree(trapped.root / "pipeline")
    for path in trapped.root.glob("*.py"):
        if path.stem not in {"calendar", "click", "email", "pydantic", "secrets"}:
            path.unlink()
    assert trapped.run(sys.executable, "-m", "pipeline", "search", "--help").returncode == 0


@pytest.mark.slow
def test_index_and_answer(trapped: Trapped) -> None:
    index = trapped.run(SITETWIN, "index")
    assert index.returncode == 0, index.stderr
    answer = json.loads(trapped.run(SITETWIN, "ask", "--json", "How long does the dough rise?").stdout)
    assert "two hours" in answer["answer"]
    # The vector store and the model were started from there.
    settings = load_settings(trapped.root / "sitetwin.toml")
    assert vectors.service(settings).find()
    trapped.run(SITETWIN, "ask", "--mode", "base", "Who are you?")
    assert engine.service(settings).find()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_everything_that_up_starts(trapped: Trapped) -> None:
    with subprocess.Popen([SITETWIN, "up"], cwd=trapped.root, stderr=subprocess.PIPE, text=True) as process:
        patience = threading.Timer(400, process.kill)
        patience.start()
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if line.startswith("ready after"):
                process.send_signal(signal.SIGTERM)
        patience.cancel()
    assert trapped.caught == []
    # Langflow's line goes on with the link to the editor: `langflow ready: open …`.
    ready = {line.split()[0] for line in said if line.split()[1:2] in (["ready"], ["ready:"])}
    assert ready == {"gateway", "vectors", "watcher", "engine", "langflow"}, said


@pytest.mark.slow
def test_review_and_retraining(trapped: Trapped) -> None:
    assert trapped.run(SITETWIN, "dataset", "build").returncode == 0
    command = [SITETWIN, "dataset", "review", "--no-browser"]
    with subprocess.Popen(command, cwd=trapped.root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "127.0.0.1" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
    started = trapped.run(SITETWIN, "retrain", "--force")
    assert started.returncode == 0, started.stderr
    trapped.run(SITETWIN, "retrain", "cancel")
    trapped.run(SITETWIN, "retrain", "status", "--wait")


@pytest.mark.slow
def test_the_printed_configuration_of_an_agent(trapped: Trapped) -> None:
    printed = json.loads(trapped.run(SITETWIN, "mcp", "config", "claude").stdout)["mcpServers"]["sitetwin"]

    async def tools() -> list[str]:
        server = StdioServerParameters(**printed, cwd=trapped.root, env=dict(os.environ))
        async with stdio_client(server) as streams, ClientSession(*streams) as session:
            await session.initialize()
            return [tool.name for tool in (await session.list_tools()).tools]

    assert "search" in anyio.run(tools)
    assert trapped.caught == []
