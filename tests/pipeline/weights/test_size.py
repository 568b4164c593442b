import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from pipeline.weights.size import parameters


@pytest.mark.parametrize("bits", [4, 8])
def test_packed_weights_count_as_what_they_hold(tmp_path: Path, bits: int) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"quantization": {"bits": bits, "group_size": 64}}))
    packed: dict[str, np.ndarray] = {
        "layer.weight": np.zeros((10, 64 * bits // 32), np.uint32),
        "layer.scales": np.zeros((10, 1), np.float16),
        "layer.biases": np.zeros((10, 1), np.float16),
        "norm.weight": np.zeros(64, np.float16),
    }
    save_file(packed, tmp_path / "model.safetensors")

    assert parameters(tmp_path) == 10 * 64 + 64


def test_the_parts_of_a_model_are_added(tmp_path: Path) -> None:
    for part in (1, 2):
        save_file({f"weight{part}": np.zeros((3, 5), np.float32)}, tmp_path / f"model-0000{part}-of-00002.safetensors")

    assert parameters(tmp_path) == 30


def test_a_folder_without_weights_has_none(tmp_path: Path) -> None:
    assert parameters(tmp_path) == 0
