"""The benchmark's parts on a tiny random Llama: that they measure what they say, not how much."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import psutil
import pytest

from benchmarks.engine import (
    ADAPTERS,
    Chats,
    at_work,
    engine_chats,
    make_adapter,
    measure_beside,
    measure_chats,
    measure_swap,
)
from pipeline.adapters import adapters_directory
from pipeline.processes import engine
from pipeline.settings import ModelSettings, Settings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    # MLX gets its BLAS once in a process.
    code = "import sys, pathlib; from tests.tiny_llama import make_bases; make_bases(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, capture_output=True)
    return folder / "base"


@pytest.fixture(scope="module")
def settings(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(root=tmp_path_factory.mktemp("site"), models=ModelSettings(chat=str(base)))
    (settings.root / "sitetwin.toml").write_text("", encoding="utf-8")
    for number, name in enumerate(ADAPTERS):
        make_adapter(adapters_directory(settings) / name, base, number)
    return settings


@pytest.fixture(scope="module")
def chats(settings: Settings) -> Iterator[Chats]:
    yield engine_chats(settings, tokens=4)
    service = engine.service(settings)
    if endpoint := service.find():
        service.stop(endpoint)


def test_taking_up_an_adapter_is_compared_with_loading_the_model_again(settings: Settings, base: Path) -> None:
    figures = measure_swap(adapters_directory(settings), base, 1)
    assert set(figures) == {"reload_ms", "swap_ms", "change_ms", "swap_ratio"}
    assert float(figures["change_ms"]) < float(figures["swap_ms"])
    assert figures["swap_ratio"] == pytest.approx(float(figures["reload_ms"]) / float(figures["swap_ms"]), rel=0.05)


def test_both_servers_are_asked_and_the_base_stays_what_it_was(chats: Chats, base: Path) -> None:
    figures = measure_chats(chats, base, rounds=1, tokens=4, counts=(1, 2))
    speeds = {name: float(value) for name, value in figures.items() if name != "base_unchanged"}
    assert set(speeds) == {
        f"tokens_per_second_{name}" for name in ("1", "1_adapter", "1_mlx_lm_server", "2", "2_mlx_lm_server", "2_mixed")
    }
    assert all(speed > 0 for speed in speeds.values())
    assert figures["base_unchanged"] == "yes"


def test_chats_are_measured_beside_a_command_and_without_it(chats: Chats, settings: Settings) -> None:
    figures = measure_beside(chats, ["watch"], settings.root, rounds=1, at_work_seconds=0.1)
    assert set(figures) == {
        f"{name}_watching" for name in ("tokens_per_second_beside", "tokens_per_second_without", "beside")
    }
    assert not [child for child in psutil.Process().children() if "watch" in child.cmdline()]


def test_a_command_that_fails_is_named(settings: Settings) -> None:
    with pytest.raises(click.ClickException, match="sitetwin train ended before"), at_work(["train"], settings.root):
        pass
