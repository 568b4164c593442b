import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.settings import ChatSettings, ContentSource, Settings
from pipeline.site import Site

LOOK = """
import sys
from pathlib import Path
from pipeline.settings import load_settings
from pipeline.site import Site
site = Site(load_settings(Path(sys.argv[1])))
print([passage.title for passage in site.assistant.open_index().search("heron", retrieval="keyword").passages])
print(*sys.modules)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "birds.md").write_text("# Birds\n\nA heron stood there.\n", encoding="utf-8")
    (tmp_path / "notes" / "empty.md").write_text("", encoding="utf-8")
    (tmp_path / "sitetwin.toml").write_text(
        '[[content]]\npath = "notes"\n[retrieval]\nmode = "keyword"\n[chat]\ndecline_below = 0.5\n', encoding="utf-8"
    )
    return Settings(
        root=tmp_path,
        content=[ContentSource(path=Path("notes"))],
        retrieval={"mode": "keyword"},  # type: ignore[arg-type]
        chat=ChatSettings(decline_below=0.5),
    )


def test_the_parts_are_those_that_the_settings_name(settings: Settings) -> None:
    site = Site(settings)
    [birds] = site.documents()
    assert [chunk.text for chunk in site.cut(birds)] == ["A heron stood there."]
    assert sorted(report.state for report in site.read()) == ["read", "skipped"]
    cosines = site.similarity("Where was the heron?", ["A heron stood there.", "The gateway listens on port 8765."])
    assert cosines[0] > 0.5 > 0.2 > cosines[1]
    vectors = site.embed(["A heron stood there."])
    assert vectors.shape == (1, site.embedder().dimension)
    assert np.linalg.norm(vectors) == pytest.approx(1)
    assert site.assistant.judge("heron", []).decline_below == 0.5
    assert site.teacher().name.startswith("extractive")
    assert site.judge() is None


def test_a_keyword_search_loads_no_runtime_and_no_client(settings: Settings) -> None:
    with Site(settings).index() as index:
        index.sync()
    command = [sys.executable, "-c", LOOK, str(settings.root / "sitetwin.toml")]
    found, modules = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert found == "['Birds']"
    assert not {"onnxruntime", "chromadb", "mlx"} & set(modules.split())
