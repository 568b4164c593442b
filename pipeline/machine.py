"""What a machine is, and which chat model has room on it. Facts are handed in, so a Linux machine can test a Mac's."""

import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

MACOS = 14
"""MLX needs this version or a later one."""
OVERHEAD = 1.5
"""Gigabytes of the engine beside weights and chats: Python, what a step computes with, what is kept of answered chats."""
CHATS = 4
"""That are answered at the same time; more wait for their turn."""
SMALL_MAC = 36
"""Gigabytes up to which Metal lends two thirds of the memory to models; above, three quarters."""


@dataclass(frozen=True, slots=True)
class Machine:
    system: str
    """As sys.platform has it: darwin, linux."""
    processor: str
    """As platform.machine has it; x86_64 on a Mac also for a Python that runs under Rosetta."""
    version: str
    """Of macOS; elsewhere empty."""
    memory: int
    """Bytes."""

    @property
    def is_apple_silicon(self) -> bool:
        """Whether it is a Mac with Apple silicon."""
        return self.system == "darwin" and self.processor == "arm64"

    @property
    def gigabytes(self) -> int:
        """As a Mac is sold: of 2^30 bytes."""
        return round(self.memory / 2**30)

    @property
    def for_models(self) -> float:
        """Gigabytes that a model may take: what Metal advises on a Mac, else what is left to a desktop's programs."""
        return self.memory / 1e9 * (2 / 3 if self.gigabytes <= SMALL_MAC else 3 / 4)


@dataclass(frozen=True, slots=True)
class ChatModel:
    """Of those that `sitetwin init` chooses from; sizes in gigabytes."""

    name: str
    memory: int
    """Of the smallest Mac that it is chosen for, as it is sold."""
    download: float
    weights: float
    chat: float
    """What the engine keeps of one chat of 2,048 tokens."""

    @property
    def needed(self) -> float:
        """Memory in bytes that the model takes while it answers: weights, caches of CHATS chats, overhead."""
        return self.weights + CHATS * self.chat + OVERHEAD


CHAT_MODELS = (
    ChatModel("mlx-community/gemma-3-4b-it-4bit", 8, 3.4, 2.9, 0.16),
    ChatModel("mlx-community/gemma-3-12b-it-4bit", 16, 8.0, 7.0, 0.47),
    ChatModel("mlx-community/gemma-3-27b-it-4bit", 48, 16.9, 15.8, 0.6),
)
"""Estimates, from the models' shapes: layers, heads and windows give a chat's bytes."""


def this_machine() -> Machine:
    """The machine that this process runs on; memory in bytes."""
    return Machine(sys.platform, platform.machine(), platform.mac_ver()[0], psutil.virtual_memory().total)


def choose(machine: Machine) -> ChatModel | None:
    """The largest model that is chosen for such a Mac; None: no Mac that runs MLX on its graphics processor."""
    fitting = [model for model in CHAT_MODELS if machine.is_apple_silicon and model.memory <= machine.gigabytes]
    return fitting[-1] if fitting else None


def chat_model(name: str) -> ChatModel | None:
    """What is known of a hub model or a folder; of an unknown hub model, what its name says. None: nothing."""
    if known := next((model for model in CHAT_MODELS if model.name == name), None):
        return known
    folder = Path(name).expanduser()
    if folder.is_dir():
        weights = sum(file.stat().st_size for file in folder.glob("model*.safetensors")) / 1e9
        return ChatModel(name, 0, 0.0, weights, weights / 16)
    said = re.search(r"(?<![\d.])(\d+(?:\.\d+)?)[bB]\b", name)
    if not said or "/" not in name:
        return None
    bits = re.search(r"(\d)-?bit", name)
    # Scales of the groups add half a bit.
    weights = float(said[1]) * ((int(bits[1]) + 0.5) if bits else 16) / 8
    return ChatModel(name, 0, weights, weights, weights / 16)
