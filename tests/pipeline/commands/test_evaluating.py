import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipeline.commands.main import main
from tests.answering_server import Server

TOML = """
[[content]]
path = "notes"
visibility = "public"
[models]
chat = "m"
[engine]
url = "{url}"
[retrieval]
mode = "keyword"
[chat]
quote_first = true
"""
QUESTIONS = [
    {"question": "When did I move to Utah?", "fact": "2013", "page": "moved"},
    {"question": "Who won the chess match?", "answerable": False},
]


@pytest.fixture
def site(tmp_path: Path, server: Server) -> Path:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "moved.md").write_text("# Moved\n\nI moved to Utah in 2013.\n", encoding="utf-8")
    (tmp_path / "golden.jsonl").write_text("".join(json.dumps(one) + "\n" for one in QUESTIONS), encoding="utf-8")
    file = tmp_path / "sitetwin.toml"
    file.write_text(TOML.format(url=server.url), encoding="utf-8")
    reply = {"choices": [{"message": {"content": "In 1987."}, "finish_reason": "stop"}]}
    server.answer = lambda body: (200, {"Content-Type": "application/json"}, reply)  # type: ignore[method-assign]
    return file


def test_eval_prints_one_json_document_and_writes_the_report(site: Path) -> None:
    done = CliRunner().invoke(main, ["--config", str(site), "eval", "--systems", "base,rag", "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["systems"]["rag"]["accuracy"]["value"] == 1
    assert found["systems"]["base"]["accuracy"]["value"] == 0
    assert set(found["systems"]["base"]["accuracy"]) >= {"value", "low", "high"}
    assert found["comparisons"] == []  # one question with a fact decides nothing
    reports = {path.suffix for path in (site.parent / ".sitetwin" / "reports").iterdir()}
    assert {".json", ".md"} <= reports


def test_eval_shows_the_figures_and_where_the_report_is(site: Path) -> None:
    done = CliRunner().invoke(main, ["--config", str(site), "eval", "--systems", "rag"])
    assert "Accuracy" in done.stdout
    assert "100% (21 to 100)" in done.stdout
    assert "eval-1" in done.stderr


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["eval", "--systems", "rga"], "there is no system 'rga'"),
        (["eval", "--questions", "gone.jsonl"], "gone.jsonl does not exist"),
        (["eval", "compare", "1", "2"], "there is no evaluation 1"),
    ],
)
def test_bad_input_gets_one_line_that_ends_in_the_next_step(site: Path, words: list[str], error: str) -> None:
    done = CliRunner().invoke(main, ["--config", str(site), *words])
    assert done.exit_code == 1
    assert error in done.stderr
    assert done.stderr.count("\n") == 1


def test_cancel_says_when_nothing_is_under_way(site: Path) -> None:
    assert CliRunner().invoke(main, ["--config", str(site), "eval", "cancel"]).output == "no evaluation is under way\n"


def test_report_and_compare_take_the_latest_without_a_number(site: Path) -> None:
    def said(*words: str) -> str:
        done = CliRunner().invoke(main, ["--config", str(site), "eval", *words])
        return done.stdout if done.exit_code == 0 else done.stderr

    assert "there is no evaluation yet: `sitetwin eval` makes one" in said("report")
    said("--systems", "rag", "--json")
    assert "there is only one evaluation" in said("compare")
    said("--systems", "rag", "--json")
    assert said("report").strip().endswith("eval-2.html")
    # One question with a fact decides nothing, and both are named.
    for words in (("compare",), ("compare", "1"), ("compare", "1", "2")):
        assert "evaluations 1 and 2 have fewer than five questions in common" in said(*words)


@pytest.mark.slow
def test_after_sigkill_what_was_answered_is_not_asked_again(site: Path, server: Server) -> None:
    questions = [{"question": f"How high is hill {n}?", "answerable": False} for n in range(12)]
    (site.parent / "golden.jsonl").write_text("".join(json.dumps(one) + "\n" for one in questions), encoding="utf-8")
    reply, is_enough = server.answer, threading.Event()

    def answer(body: dict[str, Any]) -> Any:
        if len(server.asked) > 7:
            is_enough.set()
            never.wait(60)
        return reply(body)

    never = threading.Event()
    server.answer = answer  # type: ignore[method-assign]
    command = [sys.executable, "-m", "pipeline", "--config", str(site), "eval", "--systems", "base"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as killed:
        assert is_enough.wait(120)
        killed.send_signal(signal.SIGKILL)
        assert killed.wait(20) == -signal.SIGKILL
    never.set()
    server.answer = reply  # type: ignore[method-assign]
    kept = len(list((site.parent / ".sitetwin" / "evaluation" / "answers").glob("*.json")))
    # Four are asked at a time, so at least four of eight were answered.
    assert 4 <= kept <= 7
    asked = len(server.asked)
    done = CliRunner().invoke(main, ["--config", str(site), "eval", "--systems", "base"])
    assert done.exit_code == 0, done.output
    assert len(server.asked) - asked == 12 - kept
    assert f"{kept} of 12 answers were kept" in " ".join(done.stdout.split())
