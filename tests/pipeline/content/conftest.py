from pathlib import Path

import pytest

from pipeline.content import read_sources
from pipeline.settings import ContentSource, Settings

DATA = Path(__file__).resolve().parents[3] / ".." / "shared" / "data"


@pytest.fixture
def read(tmp_path):
    """Reports by id of everything below `tmp_path/notes`, a source with the given settings."""

    def read(**options):
        settings = Settings(root=tmp_path, content=[ContentSource(path=Path("notes"), **options)])
        return {report.id: report for report in read_sources(settings)}

    (tmp_path / "notes").mkdir()
    return read


@pytest.fixture(scope="session")
def real_reports():
    """Reports of the blog, the vault and the corpora that lie beside the project."""
    if not DATA.is_dir():
        pytest.skip(f"no test data at {DATA}")
    blog = ContentSource(path=DATA / "astro-blog", kind="astro", url="/{year}/{month}/{day}/{stem}/")
    vault = ContentSource(path=DATA / "obsidian-vault", kind="obsidian")
    corpora = ContentSource(path=DATA / "chunking-evaluation")
    return list(read_sources(Settings(root=DATA, content=[blog, vault, corpora])))
