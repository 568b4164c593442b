"""How many parameters a model on this machine has."""

import json
import math
from pathlib import Path

from safetensors import safe_open

_OF_GROUPS = (".scales", ".biases")
"""MLX keeps these beside quantised weights: they are no parameters of the model."""


def parameters(folder: Path) -> int:
    """The number of parameters of the weights in `folder`, from the heads of its files; 0 if it holds no weights."""
    config = folder / "config.json"
    quantised = json.loads(config.read_bytes()).get("quantization") if config.is_file() else None
    # MLX packs quantised weights into whole numbers of 32 bits.
    packed = 32 / quantised["bits"] if quantised else 1
    total = 0.0
    for file in folder.glob("*.safetensors"):
        with safe_open(str(file), framework="numpy") as weights:
            for name in weights.keys():  # noqa: SIM118 - it is no mapping
                if not (quantised and name.endswith(_OF_GROUPS)):
                    tensor = weights.get_slice(name)
                    total += math.prod(tensor.get_shape()) * (packed if tensor.get_dtype() == "U32" else 1)
    return round(total)
