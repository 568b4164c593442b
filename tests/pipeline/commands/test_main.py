import json
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
    (root / "notes" / "broken 🍵.md").write_bytes(b"---\ntitle: [\n---\nx\n")
    (root / "sitetwin.toml").write_text('[[content]]\npath = "notes"\nvisibility = "public"\n', encoding="utf-8")
    yield root
    service = vectors.service(load_settings(root / "sitetwin.toml"))
    if endpoint := service.find():
        service.stop(endpoint)


def run(site: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--config", str(site / "sitetwin.toml"), *arguments])


def test_index_search_and_status_agree(site: Path) -> None:
    report = json.loads(run(site, "index", "--json").stdout)
    assert (report["added"], report["failed"]) == (1, 1)
    found = json.loads(run(site, "search", "tea", "-k", "1", "--json").stdout)
    assert {"query", "retrieval", "passages", "took_ms"} <= set(found)
    assert {"id", "document", "title", "url", "heading", "text", "score", "visibility"} <= set(found["passages"][0])
    status = json.loads(run(site, "status", "--json").stdout)
    assert status["documents"] == {"indexed": 1, "skipped": 0, "failed": 1, "pending": 0}
    failed = next(file for file in status["files"] if file["state"] == "failed")
    assert "broken 🍵.md" in failed["path"]
    assert failed["reason"]


def test_people_read_lines(site: Path) -> None:
    run(site, "index")
    assert "70 degrees" in run(site, "search", "how hot is tea").stdout
    status = run(site, "status").stdout
    assert "broken 🍵.md" in status
    assert "adapter: none is promoted" in status


def test_search_is_filtered_and_explained(site: Path) -> None:
    run(site, "index")
    assert "70 degrees" in run(site, "search", "tea", "--folder", "notes/", "--visibility", "public").stdout
    assert "the nearest is notes" in run(site, "search", "tea", "--folder", "noets").stdout
    assert "has the tag green: there are none" in run(site, "search", "tea", "--tag", "green").stdout
    explained = run(site, "search", "tea", "--explain")
    assert "words:    tea" in explained.stdout
    found = json.loads(run(site, "search", "tea", "--explain", "--json").stdout)
    assert found["explanation"]["passages"][0]["fused"] == {"rank": 1, "score": found["passages"][0]["score"]}
    wrong = run(site, "search", "tea", "--after", "31.3.2024")
    assert wrong.exit_code == 2
    assert "as in 2024-03-31" in wrong.stderr
    assert run(site, "search", "tea", "--public", "--visibility", "private").exit_code == 2


def test_ask_is_one_json_document(site: Path) -> None:
    run(site, "index")
    answer = json.loads(run(site, "ask", "At how many degrees is green tea brewed?", "--json").stdout)
    assert set(answer) == {
        "question",
        "mode",
        "answer",
        "citations",
        "refused",
        "answerability",
        "model",
        "adapter",
        "timings",
    }
    assert "70 degrees" in answer["answer"]
    assert answer["citations"][0]["document"].endswith("tea.md")
    assert set(answer["timings"]) == {"retrieve_ms", "first_token_ms", "total_ms"}


def test_errors_are_one_line_with_the_next_step(tmp_path: Path) -> None:
    result = run(tmp_path, "status")
    assert result.exit_code == 1
    assert result.stderr.startswith("sitetwin: ")
    assert result.stderr.count("\n") == 1
    assert "sitetwin init" in result.stderr


@pytest.mark.parametrize("mode", ["lora", "hybrid"])
def test_a_mode_without_its_adapter_says_so(site: Path, mode: str) -> None:
    result = run(site, "ask", "x", "--mode", mode)
    assert result.exit_code == 1
    assert "`sitetwin train`, then `sitetwin promote RUN`; or ask with --mode rag" in result.stderr


def test_an_adapter_for_a_mode_without_one_is_refused(site: Path) -> None:
    result = run(site, "ask", "x", "--adapter", "mine")
    assert result.exit_code == 1
    assert "use --mode lora" in result.stderr


def test_wrong_usage_is_status_2(site: Path) -> None:
    assert run(site, "search").exit_code == 2
    assert run(site, "no-such-command").exit_code == 2


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


def test_every_room_hangs_its_commands_in() -> None:
    out = CliRunner().invoke(main, ["--help"]).stdout
    assert all(f"  {name} " in out for name in ("up", "mcp", "flows", "ask", "index", "status", "doctor"))


@pytest.mark.parametrize("client", ["claude", "cursor"])
def test_mcp_config_is_json_that_names_this_site(site: Path, client: str) -> None:
    server = json.loads(run(site, "mcp", "config", client).stdout)["mcpServers"]["sitetwin"]
    assert Path(server["command"]).is_file()
    assert str(site / "sitetwin.toml") in server["args"]
