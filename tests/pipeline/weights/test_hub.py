import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tenacity import wait_none

from pipeline.errors import ModelError
from pipeline.surroundings import environment
from pipeline.weights.hub import fetch
from tests.hub import serving
from tests.tiny_llama import make_bases

NAME = "someone/tiny"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}", encoding="utf-8")
    (folder / "model.safetensors").write_bytes(os.urandom(24 * 1024**2))
    (folder / "modeling.py").write_text("raise SystemExit", encoding="utf-8")
    return folder


def test_a_line_that_breaks_is_gone_on_with(model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with serving(NAME, model, breaks=2) as (hub, address):
        folder = fetch(NAME, endpoint=address, cache=tmp_path / "cache", pause=wait_none())
        # The client keeps what it has in pieces of 10 MiB.
        assert hub.ranges == [f"bytes={10 * 1024**2}-"] * 2
        sent = hub.sent
        assert fetch(NAME, endpoint=address, cache=tmp_path / "cache", pause=wait_none()) == folder
        assert hub.sent == sent
    assert (folder / "model.safetensors").read_bytes() == (model / "model.safetensors").read_bytes()
    assert sorted(file.name for file in folder.iterdir()) == ["config.json", "model.safetensors"]
    assert not list((tmp_path / "cache").rglob("*.incomplete"))
    assert f"fetching {NAME} from the model hub" in capfd.readouterr().err


def test_a_model_that_is_not_there_is_said_at_once(model: Path, tmp_path: Path) -> None:
    with (
        serving(NAME, model) as (_, address),
        pytest.raises(ModelError, match=r"no model someone/other.*mend \[models\] chat"),
    ):
        fetch("someone/other", endpoint=address, cache=tmp_path / "cache")


def test_a_hub_that_is_gone_is_asked_again_and_then_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    with pytest.raises(ModelError, match=r"can't be fetched .* run the command again"):
        fetch(NAME, endpoint="http://127.0.0.1:9", cache=tmp_path / "cache", pause=wait_none())
    assert capfd.readouterr().err.count("the download broke; again in 0 s") == 5


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ask_fetches_before_the_engine_starts_and_says_so(tmp_path: Path) -> None:
    """With an engine that would have had half a second for all of it."""
    make_bases(tmp_path / "models")
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitetwin.toml").write_text(f'[models]\nchat = "{NAME}"\n[engine]\nidle_minutes = 0.05\n', encoding="utf-8")
    home = tmp_path / "home"
    with serving(NAME, tmp_path / "models" / "base", breaks=1) as (hub, address):
        variables = environment({"HF_ENDPOINT": address, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1"})
        asked = subprocess.run(
            [sys.executable, "-P", "-m", "pipeline", "ask", "Who are you?", "--mode", "base"],
            cwd=site, env=variables, capture_output=True, text=True, timeout=200,
        )  # fmt: skip
        assert asked.returncode == 0, asked.stderr
        assert f"fetching {NAME}" in asked.stderr
        assert hub.breaks == 0
        log = (site / ".sitetwin/logs/engine.log").read_text(encoding="utf-8")
    assert "fetching" not in log
    assert not list(home.rglob("*.incomplete"))
