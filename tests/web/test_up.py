import io
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from rich.console import Console

from pipeline.errors import ServiceError, SettingsError
from pipeline.processes.endpoint import free_port
from pipeline.processes.supervisor import ProcessRow
from pipeline.settings import GatewaySettings, LangflowSettings, Settings
from web.rows import RowsFile
from web.screen import UpScreen
from web.up import up


def site(root: Path, port: int) -> Settings:
    return Settings(root=root, gateway=GatewaySettings(port=port), langflow=LangflowSettings(enabled=False))


def quiet_screen() -> UpScreen:
    return UpScreen(Console(file=io.StringIO()))


def test_a_port_in_use_is_named_with_its_holder_and_setting(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(ServiceError) as error:
            up(site(tmp_path, port), quiet_screen())
    assert f"port {port} can't be used" in str(error.value)
    assert f"process {os.getpid()}" in str(error.value)
    assert "gateway.port" in str(error.value)


def test_a_second_up_is_told_where_the_first_is(tmp_path: Path) -> None:
    settings = site(tmp_path, free_port())
    settings.run_directory.mkdir(parents=True)
    with FileLock(settings.run_directory / "up.lock"), pytest.raises(ServiceError, match="runs here already") as error:
        up(settings, quiet_screen())
    assert str(settings.gateway.port) in str(error.value)


def rows(*states: str) -> list[ProcessRow]:
    return [
        ProcessRow(name, state=state, log=Path("x.log"))
        for name, state in zip(("engine", "langflow"), states, strict=False)
    ]  # type: ignore[arg-type]


def test_visitors_learn_what_is_still_starting(tmp_path: Path) -> None:
    file = RowsFile(tmp_path)
    assert list(file.starting()) == []
    file.write(rows("ready", "starting"))
    assert list(file.starting()) == ["Langflow"]
    assert list(file.starting(besides=("langflow",))) == []
    file.remove()
    assert list(file.starting()) == []


def test_a_flow_that_only_langflow_can_run_is_refused_before_anything_starts(tmp_path: Path) -> None:
    settings = site(tmp_path, free_port())
    settings.langflow.flow = "my_chat"
    with pytest.raises(SettingsError, match="'my_chat', which can't run without Langflow"):
        up(settings, quiet_screen())
    assert not settings.state.exists()


def test_without_a_terminal_each_change_is_a_line_and_ready_comes_once() -> None:
    out = io.StringIO()
    screen = UpScreen(Console(file=out, width=200))
    engine, langflow = rows("starting", "starting")
    with screen.open([engine, langflow], "http://127.0.0.1:8765"):
        screen.show(engine)
        engine.become("failed", "no memory")
        screen.show(engine)
        for row in (engine, langflow, langflow):
            row.become("ready")
            screen.show(row)
    said = out.getvalue()
    assert "engine failed: no memory (log: x.log)" in said
    assert said.count("ready after") == 1
    assert said.rstrip().splitlines()[-1] == "langflow ready"


def test_on_a_terminal_one_table_shows_all() -> None:
    out = io.StringIO()
    screen = UpScreen(Console(file=out, force_terminal=True, width=120))
    engine, langflow = rows("ready", "starting")
    engine.url = "http://127.0.0.1:1"
    with screen.open([engine, langflow], "http://127.0.0.1:8765"):
        screen.refresh()
        langflow.become("ready")
        screen.refresh()
    assert "http://127.0.0.1:1" in out.getvalue()
    assert "Ctrl-C stops everything" in out.getvalue()
    assert "http://127.0.0.1:8765" in out.getvalue()


def test_up_loads_nothing_of_the_chat_before_it_starts_the_processes():
    """The chat's modules take a second of CPU, and each process of the site would begin so much later."""
    code = "import sys, web.up; sys.exit(', '.join({'pipeline.chat', 'numpy', 'langflow_sdk'} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert ran.stderr.strip() == ""
