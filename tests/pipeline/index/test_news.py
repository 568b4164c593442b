import pytest

from pipeline.index.news import news, sync_with_news
from pipeline.index.passages import FileStatus
from pipeline.settings import Settings, load_settings
from pipeline.site import Site

TOML = """
[[content]]
path = "notes"
visibility = "public"
[retrieval]
mode = "keyword"
"""


@pytest.fixture
def settings(tmp_path) -> Settings:
    (tmp_path / "notes").mkdir()
    for name in ("bread", "tea"):
        (tmp_path / "notes" / f"{name}.md").write_text(f"# {name}\n\nI make {name} on Sundays.\n", encoding="utf-8")
    (tmp_path / "sitetwin.toml").write_text(TOML, encoding="utf-8")
    return load_settings(tmp_path / "sitetwin.toml")


def synced(settings: Settings) -> list[tuple[str, str]]:
    with Site(settings).index() as index:
        _, found = sync_with_news(index, lambda *_: None, rebuild=False)
    return [(one.what, one.document) for one in found]


def test_what_became_of_each_document(settings: Settings) -> None:
    notes = settings.root / "notes"
    assert synced(settings) == [("added", "notes/bread.md"), ("added", "notes/tea.md")]
    assert synced(settings) == []
    (notes / "bread.md").write_text("# Bread\n\nI make bread on Mondays.\n", encoding="utf-8")
    (notes / "tea.md").unlink()
    (notes / "rye.md").write_text("# Rye\n\nRye needs a day.\n", encoding="utf-8")
    (notes / "bad.md").write_bytes(b"# Bad\n\n\xff\xfe\xfa broken \x00\x80")
    found = synced(settings)
    assert found[1:] == [("added", "notes/rye.md"), ("changed", "notes/bread.md"), ("removed", "notes/tea.md")]
    assert found[0][0] == "failed"
    assert "bad.md" in found[0][1]


def test_a_file_that_can_not_be_read_comes_first_with_its_reason() -> None:
    files = [
        FileStatus(path="b.md", state="failed", reason="save it as UTF-8"),
        FileStatus(path="a.md", state="indexed"),
    ]
    failed, added = news({}, {"a.md": "1"}, files)
    assert (failed.what, failed.document, failed.reason) == ("failed", "b.md", "save it as UTF-8")
    assert (added.what, added.document) == ("added", "a.md")
