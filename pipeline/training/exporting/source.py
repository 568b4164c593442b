"""What is exported: an adapter, and the base whose weights it was trained on.

Import this after `blas.preload()`.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx_lm.utils import load_config, load_model, load_tokenizer

from pipeline.adapters import CONFIG, WEIGHTS, Adapter, base_hash, find_adapter
from pipeline.dataset.versions import read_card, version_folder, versions
from pipeline.engine.lora import Overlay
from pipeline.engine.reading import load_overlay
from pipeline.errors import ModelError
from pipeline.settings import Settings
from pipeline.training.registry import runs
from pipeline.weights.locating import weights_folder

FULL = "full"
"""mlx-lm's word for a run that changed the model's own weights."""


@dataclass(frozen=True)
class ExportSource:
    adapter: Adapter
    base: Path
    """The folder with the base's weights."""
    persona: str
    """The standing instruction under which it has learnt to speak; "" for none."""

    @property
    def name(self) -> str:
        """The adapter's name."""
        return self.adapter.name

    @property
    def kind(self) -> str:
        """`lora`, `dora` or `full`.

        Raises:
            ModelError: the adapter's configuration is broken.
        """
        try:
            return str(json.loads((self.adapter.folder / CONFIG).read_bytes()).get("fine_tune_type", "lora"))
        except (ValueError, AttributeError) as error:
            raise ModelError(f"{self.adapter.folder / CONFIG} can't be read ({error}): train it again") from None

    @cached_property
    def config(self) -> dict[str, Any]:
        """The base's config.json."""
        return load_config(self.base)

    @property
    def is_quantised(self) -> bool:
        """Whether the base holds its weights in few bits."""
        return "quantization" in self.config

    @cached_property
    def tokenizer(self) -> Any:
        """The base's tokenizer, as mlx-lm loads it."""
        return load_tokenizer(self.base, eos_token_ids=self.config.get("eos_token_id"))

    def load_base(self) -> nn.Module:
        """Its weights are read from the disk when they are needed."""
        model, _ = load_model(self.base, lazy=True)
        return model

    def overlay(self, model: nn.Module) -> Overlay:
        """The adapter as the engine lays it over the base; not a full fine-tune.

        Raises:
            ModelError: it is broken, or does not fit.
        """
        return load_overlay(self.adapter, (0, 0, 0, 0), dict(model.named_modules()))

    def weights(self) -> dict[str, mx.array]:
        """
        Raises:
            ModelError: the file is broken.
        """
        try:
            arrays = mx.load(str(self.adapter.folder / WEIGHTS))
        except RuntimeError as error:
            raise ModelError(
                f"the adapter {self.name!r} can't be used ({' '.join(str(error).split())[:150]}): train it again"
            ) from None
        assert isinstance(arrays, dict)
        return arrays

    def warnings(self) -> list[str]:
        """What whoever passes the export on must know."""
        if self.adapter.visibility == "public":
            return []
        why = "was trained on private notes" if self.adapter.base_hash else "does not say what it was trained on"
        return [
            f"{self.name} {why}, and weights tell what they have read: keep this export to yourself, and let no visitors "
            "ask it"
        ]


def find_source(settings: Settings, name: str) -> ExportSource:
    """The adapter `name`, which has the name of the run that made it.

    Raises:
        ModelError: there is none (yet), or its base is not on this machine or no longer what it was.
    """
    unfinished = {run.name: run.state for run in runs(settings) if run.state != "done"}
    if name in unfinished:
        raise ModelError(
            f"the run {name!r} is {unfinished[name]} and has made no adapter: `sitetwin train --resume --name {name}` "
            "goes on with one that was interrupted, `sitetwin runs` lists those that are done"
        )
    adapter = find_adapter(settings, name)
    if adapter.remote:
        raise ModelError(f"{name!r} is a model at {adapter.remote.url}, and its weights are not here to be exported")
    base = weights_folder(adapter.base or settings.models.chat)
    if adapter.base_hash not in ("", base_hash(base)):
        raise ModelError(
            f"the weights of {adapter.base!r} are not those that {name!r} was trained on: put those back, or train again"
        )
    return ExportSource(adapter, base, _persona(settings, adapter))


def _persona(settings: Settings, adapter: Adapter) -> str:
    """That of its data set, else that of the settings."""
    if adapter.dataset in versions(settings):
        return read_card(version_folder(settings, adapter.dataset)).persona.instruction
    return settings.persona.instruction
