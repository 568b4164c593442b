import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pipeline.commands.main import COMMANDS, main
from tests.pipeline.commands.conftest import run


def test_errors_are_one_line_with_the_next_step(tmp_path: Path) -> None:
    result = run(tmp_path, "status")
    assert result.exit_code == 1
    assert result.stderr.startswith("sitetwin: ")
    assert result.stderr.count("\n") == 1
    assert "sitetwin init" in result.stderr


def test_wrong_usage_is_status_2(site: Path) -> None:
    assert run(site, "search").exit_code == 2
    assert run(site, "no-such-command").exit_code == 2


def test_every_room_hangs_its_commands_in() -> None:
    out = CliRunner().invoke(main, ["--help"]).stdout
    assert all(f"  {name} " in out for name in ("up", "mcp", "flows", "ask", "index", "status", "doctor"))


@pytest.mark.parametrize("name", COMMANDS.kinds())
def test_each_line_of_the_table_names_a_command(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.name == name
    assert command.help


def test_a_group_of_commands_shows_its_own_alone() -> None:
    out = CliRunner().invoke(main, ["persona", "--help"]).stdout
    assert out.partition("Commands:")[2].split()[0] == "draft"
    assert "  flows " not in out
    assert "  review " in CliRunner().invoke(main, ["dataset", "--help"]).stdout


def test_a_command_loads_no_other_ones_file() -> None:
    look = (
        "import sys; from click.testing import CliRunner; from pipeline.commands.main import main; "
        "CliRunner().invoke(main, ['ask', '--help']); print(*sys.modules)"
    )
    modules = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout.split()
    files = {name for name in modules if name.startswith("pipeline.commands.")}
    assert files == {"pipeline.commands.main", "pipeline.commands.kit", "pipeline.commands.asking"}
    assert not {"numpy", "mlx", "httpx", "chromadb"} & set(modules)


@pytest.mark.parametrize("client", ["claude", "cursor"])
def test_mcp_config_is_json_that_names_this_site(site: Path, client: str) -> None:
    server = json.loads(run(site, "mcp", "config", client).stdout)["mcpServers"]["sitetwin"]
    assert Path(server["command"]).is_file()
    assert str(site / "sitetwin.toml") in server["args"]
