from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.commands.main import main
from pipeline.processes.endpoint import free_port


def test_pull_asks_the_editor_of_the_site_that_config_names(
    registry: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, port in (("here", free_port()), ("named", named := free_port())):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "sitetwin.toml").write_text(f"[langflow]\nport = {port}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path / "here")
    config = str(tmp_path / "named" / "sitetwin.toml")
    result = CliRunner().invoke(main, ["--config", config, "flows", "pull"])
    assert result.exit_code == 1
    assert f"no Langflow answers at http://127.0.0.1:{named}: run `sitetwin up`" in result.stderr
