import json
from pathlib import Path

import pytest

from tests.pipeline.commands.conftest import run


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
    assert found["explanation"]["passages"][0]["aligned"] == {"rank": 1, "score": found["passages"][0]["score"]}
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
        "form",
        "why_not",
        "rewritten",
        "not_rewritten",
        "unsupported",
        "model",
        "adapter",
        "timings",
    }
    assert "70 degrees" in answer["answer"]
    assert answer["citations"][0]["document"].endswith("tea.md")
    assert set(answer["timings"]) == {"retrieve_ms", "first_token_ms", "total_ms"}


@pytest.mark.parametrize("mode", ["lora", "hybrid"])
def test_a_mode_without_its_adapter_says_so(site: Path, mode: str) -> None:
    result = run(site, "ask", "x", "--mode", mode)
    assert result.exit_code == 1
    assert "`sitetwin train`, then `sitetwin promote RUN`; or ask with --mode rag" in result.stderr


def test_an_adapter_for_a_mode_without_one_is_refused(site: Path) -> None:
    result = run(site, "ask", "x", "--adapter", "mine")
    assert result.exit_code == 1
    assert "use --mode lora" in result.stderr
