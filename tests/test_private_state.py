"""Whatever the umask, what sitetwin keeps is for its owner alone."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.settings import Settings, load_settings
from pipeline.surroundings import is_private
from tests.notes_site import end_services

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SITETWIN = str(Path(sys.executable).with_name("sitetwin"))
CONFIG = """\
[[content]]
path = "notes"
visibility = "public"

[models]
chat = {chat}

[langflow]
enabled = false
"""
BREADS = ("rye", "wheat", "spelt", "barley", "oat", "emmer")
NOTE = """# {bread} bread

I bake {bread} bread every second Saturday. The dough of {bread} needs three hours at 26 degrees, and I never hurry it. A loaf of {bread} keeps for five days in a linen bag.

## Oven

A cold oven is the most common mistake with {bread}. Steam in the first ten minutes gives the crust of {bread} its gloss. I let the stone warm up for a whole hour.
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Settings]:
    code = "import sys, pathlib; from tests.tiny_llama import make_bases; make_bases(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "models")], check=True)
    (tmp_path / "notes").mkdir()
    for bread in BREADS:
        (tmp_path / "notes" / f"{bread}.md").write_text(NOTE.format(bread=bread), encoding="utf-8")
    chat = json.dumps(str(tmp_path / "models" / "base"))
    (tmp_path / "sitetwin.toml").write_text(CONFIG.format(chat=chat), encoding="utf-8")
    settings = load_settings(tmp_path / "sitetwin.toml")
    yield settings
    end_services(settings)


def test_nothing_is_open_to_other_accounts(site: Settings) -> None:
    def run(*arguments: str) -> None:
        command = [SITETWIN, *arguments]
        done = subprocess.run(command, cwd=site.root, capture_output=True, text=True, timeout=300, umask=0)
        assert done.returncode == 0, done.stderr
        assert open_ones(site.state) == [], arguments

    run("index")
    run("ask", "--mode", "base", "Who are you?")
    run("dataset", "build")
    run("train", "--set", "iters=2", "--set", "num_layers=1", "--force")
    command = [SITETWIN, "dataset", "review", "--no-browser"]
    with subprocess.Popen(command, cwd=site.root, stdout=subprocess.PIPE, text=True, umask=0) as review:
        assert review.stdout is not None
        assert "127.0.0.1" in review.stdout.readline()
        assert open_ones(site.state) == []
        review.send_signal(signal.SIGINT)
    made = {path.name for path in site.state.iterdir()}
    assert {"index.db", "chroma", "run", "logs", "datasets", "runs", "adapters"} <= made
    assert not is_private(site.file), "what is not kept in the state directory has the modes that its owner chose"


def open_ones(state: Path) -> list[Path]:
    found = []
    for path in (state, *state.rglob("*")):
        # A data base's journal may go in between.
        with suppress(FileNotFoundError):
            if not path.is_symlink() and not is_private(path):
                found.append(path)
    return found
