from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipeline.commands.main import main
from pipeline.processes import vectors
from pipeline.settings import load_settings


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("site with a space")
    (root / "notes").mkdir()
    (root / "notes" / "tea.md").write_text("# Tea\n\nGreen tea is brewed at 70 degrees.\n", encoding="utf-8")
    (root / "notes" / "broken 🍵.md").write_bytes(b"---\ntitle: tea\nx\n")
    (root / "sitetwin.toml").write_text('[[content]]\npath = "notes"\nvisibility = "public"\n', encoding="utf-8")
    yield root
    service = vectors.service(load_settings(root / "sitetwin.toml"))
    if endpoint := service.find():
        service.stop(endpoint)


def run(site: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--config", str(site / "sitetwin.toml"), *arguments])
