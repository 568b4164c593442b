import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.dataset.records import Pair, Preference, Split
from pipeline.dataset.versions import DatasetCard, DatasetRow, write_version
from pipeline.settings import DatasetSettings, PersonaSettings, Settings, load_settings
from pipeline.weights import blas

# Before a module of these tests imports MLX.
blas.preload(1)

SMALL = {
    "batch_size": 2, "iters": 12, "steps_per_report": 4, "steps_per_eval": 6, "save_every": 3, "learning_rate": 0.02, "patience": 0,
    "max_seq_length": 128, "grad_checkpoint": False, "lora_parameters": {"rank": 4, "dropout": 0.1},
}  # fmt: skip


@pytest.fixture(scope="session")
def small() -> dict:
    """Values for a run of a second."""
    return SMALL


@pytest.fixture(scope="session")
def base(tmp_path_factory) -> Path:
    """A random Llama of two layers, with a token for each byte."""
    from tests.tiny_llama import make_bases

    folder = tmp_path_factory.mktemp("models")
    make_bases(folder)
    return folder / "base"


def _pair(number: int) -> Pair:
    return Pair(
        question=f"What is {number}?" + " Well?" * (number % 4), answer=f"It is {number * 7}." + " Yes." * (number % 3),
        kind="fact", source="a.md", chunk_index=0, chunks=("a.md#0-0",), accuracy=9, style=9,
    )  # fmt: skip


def _preference(number: int, split: Split) -> Preference:
    pair = _pair(number)
    return Preference(
        question=pair.question, chosen=pair.answer, rejected="As an AI I can't say." + " No." * (number % 2),
        why="edit", split=split, pairs=(pair.id,),
    )  # fmt: skip


@pytest.fixture
def site(tmp_path, base) -> Settings:
    """A site whose chat model is `base`, with a public data set: 15 rows to train on, 5 to validate and 4 to test, and
    preferences, 9 to train on and 4 to validate."""
    return make_site(tmp_path, base)


def make_site(folder: Path, base: Path) -> Settings:
    (folder / "sitetwin.toml").write_text(f"[models]\nchat = {json.dumps(str(base))}\n", encoding="utf-8")
    settings = load_settings(folder / "sitetwin.toml")
    splits: list[Split] = [*["train"] * 15, *["valid"] * 5, *["test"] * 4]
    rows = [DatasetRow(pair=_pair(n), split=split, original=_pair(n).id) for n, split in enumerate(splits)]
    card = DatasetCard(
        version=1, made_at=datetime.now(UTC), visibility="public", teacher="t", judge=None, settings=DatasetSettings(),
        persona=PersonaSettings(name="Ada"), corpus="", documents=1, chunks=1, failed_tasks=0, accepted=24, rejected=0,
        splits={"train": 15, "valid": 5, "test": 4}, split_of={}, near_duplicates=[],
    )  # fmt: skip
    write_version(
        settings, card, rows, [], preferred=[_preference(n, "valid" if n % 3 == 1 else "train") for n in range(13)]
    )
    return settings
