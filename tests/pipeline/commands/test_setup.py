from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.commands.main import main
from pipeline.commands.setup import not_indexed
from pipeline.index.passages import FileStatus
from pipeline.settings import load_settings


def test_init_writes_settings_that_load_and_never_overwrites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "src" / "content").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main, ["init"]).exit_code == 0
    settings = load_settings(tmp_path / "sitetwin.toml")
    assert settings.content[0].kind == "astro"
    assert settings.content[0].default_visibility == "public"
    assert settings.content[0].url == "/{slug}/"
    before = (tmp_path / "sitetwin.toml").read_text(encoding="utf-8")
    again = CliRunner().invoke(main, ["init"])
    assert again.exit_code == 1
    assert "--force" in again.stderr
    assert (tmp_path / "sitetwin.toml").read_text(encoding="utf-8") == before


def test_a_collection_keeps_its_name_in_front_of_the_slug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "src" / "content" / "blog").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main, ["init", "--content", "src/content/blog"]).exit_code == 0
    assert load_settings(tmp_path / "sitetwin.toml").content[0].url == "/blog/{slug}/"


def test_a_vault_is_private_when_its_owner_does_not_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "My vault" / ".obsidian").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main, ["init", "--content", "My vault"]).exit_code == 0
    source = load_settings(tmp_path / "sitetwin.toml").content[0]
    assert (source.kind, source.default_visibility) == ("obsidian", "private")


def test_many_files_with_the_same_reason_share_a_line() -> None:
    def skipped(path: str, reason: str) -> FileStatus:
        return FileStatus(path=path, state="skipped", reason=reason, chunks=0, indexed_at="2026-01-01", visibility=None)

    templates = [skipped(f"/vault/Templates/{n}.md", "a template") for n in range(4)]
    manual = skipped("/vault/manual.pdf", "PDF is not read")
    indexed = manual.model_copy(update={"state": "indexed", "reason": ""})
    assert not_indexed([*templates, manual, indexed]) == [
        "skipped: 4 files in /vault/Templates (`sitetwin status --json` names them): a template",
        "skipped: /vault/manual.pdf: PDF is not read",
    ]
    assert not_indexed(templates[:3]) == [f"skipped: /vault/Templates/{n}.md: a template" for n in range(3)]
