from pathlib import Path

import pytest

from pipeline.machine import CHAT_MODELS, Machine, chat_model, choose

GIB = 2**30


def mac(gigabytes: int, version: str = "15.1", processor: str = "arm64") -> Machine:
    return Machine("darwin", processor, version, gigabytes * GIB)


@pytest.mark.parametrize(
    ("gigabytes", "size"), [(8, "4b"), (16, "12b"), (18, "12b"), (24, "12b"), (32, "12b"), (48, "27b"), (64, "27b")]
)
def test_a_mac_gets_a_model_that_fits(gigabytes: int, size: str) -> None:
    chosen = choose(mac(gigabytes))
    assert chosen is not None
    assert f"-{size}-" in chosen.name
    assert chosen.needed <= mac(gigabytes).for_models


def test_each_model_fits_the_smallest_mac_that_it_is_chosen_for() -> None:
    for model in CHAT_MODELS:
        assert model.needed <= mac(model.memory).for_models


@pytest.mark.parametrize("machine", [mac(64, processor="x86_64"), Machine("linux", "aarch64", "", 64 * GIB), mac(4)])
def test_others_get_none(machine: Machine) -> None:
    assert choose(machine) is None


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("mlx-community/gemma-3-12b-it-4bit", 7.0),
        ("mlx-community/Qwen3-8B-4bit", 4.5),
        ("mlx-community/Qwen2.5-0.5B-Instruct-8bit", 0.53),
        ("Qwen/Qwen3-4B", 8.0),
    ],
)
def test_a_hub_model_is_as_large_as_its_name_says(name: str, weights: float) -> None:
    found = chat_model(name)
    assert found is not None
    assert found.weights == pytest.approx(weights, abs=0.01)


def test_a_folder_is_as_large_as_its_weights(tmp_path: Path) -> None:
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.truncate(3_000_000_000)
    found = chat_model(str(tmp_path))
    assert found is not None
    assert (found.weights, found.download) == (3.0, 0)
    assert chat_model("demo") is None
