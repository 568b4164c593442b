"""Imports an adapter of another program: read, checked against the base, and put beside the site's own."""

import json
import shutil
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx_lm.utils import load_model

from pipeline import adapters, files
from pipeline.adapters import Adapter, AdapterCard, adapters_directory, base_hash, find_adapter, write_card
from pipeline.engine.reading import check_adapter
from pipeline.errors import ModelError
from pipeline.settings import Settings, Visibility
from pipeline.training.importing.peft import is_peft, read_peft
from pipeline.training.registry import runs
from pipeline.weights.locating import weights_folder

ARCHIVE = "adapters.npz"
"""The weights' file of mlx-lm before version 0.14."""


def import_adapter(settings: Settings, folder: Path, name: str, visibility: Visibility) -> Adapter:
    """Copies the adapter in `folder` to the site under `name`, for the base that `[models] chat` names.

    Args:
        folder: of PEFT (TRL, Unsloth and axolotl write it too) or of mlx-lm.
        visibility: of the text that it was trained on.

    Raises:
        ModelError: it can't be read, does not fit the base, or the name is taken; nothing is written.
    """
    _check_name(settings, name)
    base = weights_folder(settings.models.chat)
    with files.new_folder(adapters_directory(settings) / name) as draft:
        arrays, config = _read(folder, base)
        if arrays:
            mx.save_safetensors(str(draft / adapters.WEIGHTS), arrays)
        else:
            shutil.copyfile(folder / adapters.WEIGHTS, draft / adapters.WEIGHTS)
        (draft / adapters.CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        card = AdapterCard(base=settings.models.chat, base_hash=base_hash(base), visibility=visibility)
        write_card(draft, card)
        check_adapter(Adapter(name, draft, card.base, card.base_hash, visibility), base)
    return find_adapter(settings, name)


def _check_name(settings: Settings, name: str) -> None:
    if not adapters.is_adapter_name(name):
        raise ModelError(f"{name!r} is no name for an adapter: use letters, digits, dot, dash and underscore in --name")
    if (adapters_directory(settings) / name).exists() or name in {run.name for run in runs(settings)}:
        raise ModelError(f"there is an adapter or a run {name!r} already: choose another --name, or remove that one")


def _read(folder: Path, base: Path) -> tuple[dict[str, mx.array], dict[str, Any]]:
    """The arrays and mlx-lm's configuration; {} where the weights' file can be copied as it is."""
    if not folder.is_dir():
        raise ModelError(f"{folder} is no folder: name the one that holds the adapter's files")
    if is_peft(folder):
        model: nn.Module
        model, _ = load_model(base, lazy=True)
        return read_peft(folder, model)
    weights = next((file for name in (adapters.WEIGHTS, ARCHIVE) if (file := folder / name).is_file()), None)
    if weights is None:
        raise ModelError(
            f"{folder} holds no adapter (no adapter_model.safetensors, {adapters.WEIGHTS} or {ARCHIVE}): name the folder "
            "that PEFT's save_pretrained or mlx_lm.lora wrote"
        )
    try:
        config = json.loads((folder / adapters.CONFIG).read_bytes())
        arrays = mx.load(str(weights)) if weights.name == ARCHIVE else {}
    except (OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:150]
        raise ModelError(f"the adapter in {folder} can't be read ({reason}): copy all of its files again") from None
    assert isinstance(arrays, dict)
    return arrays, config
