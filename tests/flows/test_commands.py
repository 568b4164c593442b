import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from flows import files
from flows.commands import flows
from pipeline.errors import ServiceError
from pipeline.settings import Settings, load_settings

pytestmark = pytest.mark.slow
REPOSITORY = files.SHIPPED.parent


def _settings() -> Settings:
    return load_settings(REPOSITORY / "sitetwin.toml")


@pytest.fixture(autouse=True)
def _loaded(registry: object) -> None:
    """All of Langflow is imported by then, with its warnings."""


def test_build_writes_what_is_shipped(tmp_path: Path) -> None:
    result = CliRunner().invoke(flows, ["build", "--output", str(tmp_path)], catch_exceptions=False)
    assert result.exit_code == 0
    assert (tmp_path / "rag_chat.json").read_bytes() == (files.SHIPPED / "rag_chat.json").read_bytes()


def test_check_is_content_with_what_is_shipped() -> None:
    result = CliRunner().invoke(flows, ["check"], obj=_settings, catch_exceptions=False)
    assert result.exit_code == 0
    shipped = len(list(files.SHIPPED.glob("*.json")))
    assert shipped >= 4
    assert f"{shipped} flow(s) and the bundle fit Langflow 1." in result.stderr


def test_check_finds_a_changed_file_and_a_broken_edge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = json.loads((files.SHIPPED / "rag_chat.json").read_text(encoding="utf-8"))
    flow["data"]["edges"][0]["target"] = "Gone-1"
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "rag_chat.json").write_text(json.dumps(flow), encoding="utf-8")
    (tmp_path / "components").symlink_to(REPOSITORY / "components")
    monkeypatch.setattr(files, "SHIPPED", tmp_path / "flows")
    with pytest.raises(
        ServiceError,
        match=r"(?s)not what the components make now.*teach.json is missing.*Edge references non-existent node",
    ):
        CliRunner().invoke(flows, ["check"], obj=_settings, catch_exceptions=False)
