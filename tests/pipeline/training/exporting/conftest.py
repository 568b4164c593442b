import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.adapters import AdapterCard, base_hash, write_card
from pipeline.settings import Settings, Visibility, load_settings


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Path:
    """`tests.tiny_llama`'s bases and adapters."""
    folder = tmp_path_factory.mktemp("tiny")
    subprocess.run([sys.executable, "-m", "tests.tiny_llama", str(folder)], check=True, capture_output=True)
    return folder


@pytest.fixture
def home(tmp_path, tiny) -> Settings:
    """A site whose chat model is the tiny Llama."""
    file = tmp_path / "sitetwin.toml"
    persona = '[persona]\nname = "Ada"\nprompt = "Be brief."\n'
    file.write_text(f"[models]\nchat = {json.dumps(str(tiny / 'base'))}\n{persona}", encoding="utf-8")
    return load_settings(file)


@pytest.fixture
def adapter(home, tiny) -> Callable[..., Path]:
    """Puts one of the tiny adapters into the site and gives its folder."""

    def put(name: str, base: str = "base", visibility: Visibility = "public") -> Path:
        folder = home.state / "adapters" / name
        shutil.copytree(tiny / "adapters" / name, folder)
        base_folder = tiny / base
        write_card(folder, AdapterCard(base=str(base_folder), base_hash=base_hash(base_folder), visibility=visibility))
        return folder

    return put
