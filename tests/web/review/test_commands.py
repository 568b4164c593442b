import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from pipeline.commands.main import main


@pytest.fixture
def config(review):
    """A sitetwin.toml beside the data set."""
    file = review.settings.root / "sitetwin.toml"
    file.write_text("[langflow]\nenabled = false\n", encoding="utf-8")
    return file


@pytest.mark.slow
def test_it_serves_this_machine_until_it_is_interrupted(config):
    command = [sys.executable, "-m", "pipeline", "--config", config, "dataset", "review", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        address = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{20,}/", address)
        assert httpx.get(address, timeout=30).status_code == 200
        assert httpx.get(f"{address}api/pairs", timeout=30).json()["total"] > 100
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert "sitetwin dataset build" in process.stdout.read()


@pytest.mark.slow
def test_the_token_is_on_no_command_line(config, tmp_path):
    seen = tmp_path / "seen"
    browser = tmp_path / "browser"
    # Ends the review as soon as the browser has said what it was started with, and what it found there.
    browser.write_text(
        f'#!/bin/sh\necho "$1" > {seen}.part; cat "${{1#file://}}" >> {seen}.part; mv {seen}.part {seen}; kill -INT $REVIEW\n',
        encoding="utf-8",
    )
    browser.chmod(0o700)
    code = (
        "import os; os.environ['REVIEW'] = str(os.getpid()); from pipeline.commands.main import main; "
        f"main(['--config', {str(config)!r}, 'dataset', 'review'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "BROWSER": str(browser)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    address = done.stdout.splitlines()[0]
    opened, page = seen.read_text(encoding="utf-8").split("\n", 1)
    assert address.split("/")[3] not in opened
    assert f"url={address}" in page
    assert not Path(opened.removeprefix("file://")).exists()


def run(config, *options):
    return CliRunner().invoke(main, ["--config", str(config), "dataset", "review", "--no-browser", *options])


def test_without_a_data_set_it_names_the_command_that_makes_one(tmp_path):
    config = tmp_path / "sitetwin.toml"
    config.write_text("", encoding="utf-8")
    result = run(config)
    assert (result.exit_code, result.stderr) == (
        1,
        "sitetwin: there is no data set yet: run `sitetwin dataset build`\n",
    )


def test_a_version_that_is_not_there_is_an_error(config):
    assert "there is no data set 9: name one of 1" in run(config, "--version", "9").stderr


def test_a_port_that_is_taken_is_an_error(config):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run(config, "--port", str(port))
    assert result.exit_code == 1
    assert f"port {port} can't be used" in result.stderr


@pytest.mark.slow
def test_golden_questions_are_reviewed_on_the_same_page(tmp_path):
    (tmp_path / "sitetwin.toml").write_text("", encoding="utf-8")
    (tmp_path / "golden.jsonl").write_text('{"question": "Who?", "answerable": false}\n', encoding="utf-8")
    config = tmp_path / "sitetwin.toml"
    command = [sys.executable, "-m", "pipeline", "--config", config, "golden", "review", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        address = process.stdout.readline().strip()
        assert [pair["question"] for pair in httpx.get(f"{address}api/pairs", timeout=30).json()["pairs"]] == ["Who?"]
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert "your golden questions" in process.stdout.read()
