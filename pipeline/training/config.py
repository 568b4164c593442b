"""What a run is trained with: mlx-lm's own keys, presets, and files of older projects.

A preset is laid under the file, the file under what the command line sets; so a file only says what it wants otherwise.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import SettingsError

Preset = Literal["underfit", "best", "overfit"]
Optimizer = Literal["adam", "adamw", "muon", "sgd", "adafactor"]
Values = dict[str, Any]

KEYS = {
    "q_proj": "self_attn", "k_proj": "self_attn", "v_proj": "self_attn", "o_proj": "self_attn",
    "gate_proj": "mlp", "up_proj": "mlp", "down_proj": "mlp",
}  # fmt: skip
"""Where in a layer each of the projections is that older files name without it."""


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class LoraParameters(Part):
    rank: int = Field(16, ge=1, le=1024)
    dropout: float = Field(0.05, ge=0, lt=1)
    scale: float = Field(2.0, gt=0)
    """The product of the two small matrices is multiplied by it; elsewhere it is written alpha / rank."""
    keys: list[str] | None = Field([f"{place}.{name}" for name, place in KEYS.items()], min_length=1)
    """The layers' parts that get one, by their name within a layer; None: all that can."""


class Schedule(Part):
    name: str
    arguments: list[float] = Field(min_length=1)
    warmup: int = Field(0, ge=0)
    warmup_init: float = Field(0.0, ge=0)


class TrainingConfig(Part):
    fine_tune_type: Literal["lora", "dora", "full"] = "lora"
    optimizer: Optimizer = "adam"
    optimizer_config: dict[Optimizer, dict[str, int | float | bool | list[float] | None]] = {}
    seed: int = Field(0, ge=0)
    num_layers: int = Field(-1, ge=-1)
    """Counted from the last; -1: all."""
    batch_size: int = Field(2, ge=1)
    epochs: float = Field(3, gt=0)
    iters: int | None = Field(None, ge=1)
    """Batches that are read; None: by epochs and rows."""
    val_batches: int = Field(-1, ge=-1)
    """-1: all that there are."""
    learning_rate: float = Field(1e-5, gt=0)
    lr_schedule: Schedule | None = None
    steps_per_report: int = Field(10, ge=1)
    steps_per_eval: int | None = Field(None, ge=1)
    """None: 100, but at least ten evaluations in a run."""
    save_every: int | None = Field(None, ge=1)
    """None: as often as there is an evaluation."""
    max_seq_length: int = Field(2048, ge=8)
    """Tokens; what a row has more is cut off."""
    grad_checkpoint: bool = True
    """Layers are computed a second time on the way back, instead of kept: less memory, a third more time."""
    pack_weights: bool | None = None
    """On a Linux CPU the frozen weights of an fp32 Llama are held once more for each of the two ways, in the order in which
    its products read them: up to three times the model's memory, a sixth less time. None: where there is room."""
    grad_accumulation_steps: int = Field(1, ge=1)
    lora_parameters: LoraParameters = LoraParameters()
    mask_prompt: bool = True
    """Only answers are learnt, not the questions."""
    patience: int = Field(3, ge=0)
    """So many evaluations in a row without a better one end the run; 0: never."""
    keep_last: bool = False
    """The last weights become an adapter too, `RUN-last`, to be heard beside the best."""

    def for_rows(self, rows: int) -> "TrainingConfig":
        """The same with everything decided that depends on how many rows are trained on."""
        iters = self.iters or max(1, int(self.epochs * (rows // self.batch_size)))
        every = self.steps_per_eval or min(100, max(1, iters // 10))
        return self.model_copy(update={"iters": iters, "steps_per_eval": every, "save_every": self.save_every or every})

    def learns_like(self, other: "TrainingConfig") -> bool:
        """Whether both mean the same adapter; how the frozen weights are held makes none."""
        return self.model_copy(update={"pack_weights": other.pack_weights}) == other


PRESETS: dict[Preset, Values] = {
    "underfit": {"epochs": 0.5, "patience": 0},
    "best": {},
    "overfit": {"epochs": 5, "patience": 0, "keep_last": True, "lora_parameters": {"rank": 64, "dropout": 0.0}},
}
"""What differs from the defaults, which are the first project's configuration."""

DEMO: Values = {"learning_rate": 2e-4, "grad_checkpoint": False}
"""For SmolLM2-135M: so small a model needs larger steps, and its layers fit into memory.

Measured on pairs of docs/ and a blog (851 to train on, 42 to validate, batches of 2), validation loss 3.770 before:

| learning rate | 30 iterations | 60 | 90 | 120 |
| --- | --- | --- | --- | --- |
| 5e-5 | 3.395 | 3.306 | 3.291 | 3.253 |
| 1e-4 | 3.330 | 3.258 | 3.242 | 3.203 |
| 2e-4 | 3.358 | 3.250 | 3.206 | 3.185 |
| 4e-4 | 3.617 | | | |
| 1e-3 | 5.154 | 4.703 | 4.167 | 4.075 |
"""

RENAMED = {
    "lora_layers": "num_layers", "iterations": "iters", "eval_every": "steps_per_eval",
    "max_length": "max_seq_length", "lr": "learning_rate", "num_epochs": "epochs", "lora_config": "lora_parameters",
}  # fmt: skip
OURS = {
    "model": "the model is [models] chat",
    "data": "the data set is the newest, or --data-set",
    "adapter_path": "adapters are in .sitetwin/adapters",
    "adapter_file": "adapters are in .sitetwin/adapters, as adapters.safetensors",
    "resume_adapter_file": "`sitetwin train --resume` goes on with a run",
    **dict.fromkeys(
        "train test test_batches config report_to wandb project_name trust_remote_code hf_dataset".split(),
        "it has no meaning here",
    ),
    "clear_cache_threshold": "memory is given back after each evaluation",
}
"""mlx-lm's keys that sitetwin decides itself, and how."""


def configuration(
    preset: Preset = "best", *layers: Mapping[str, Any], is_demo: bool = False, source: str = "the configuration"
) -> TrainingConfig:
    """The preset with each of `layers` over it.

    Raises:
        SettingsError: a key that is not known, named with the nearest one that is, or a value that can't be.
    """
    values: Values = {}
    for layer in (DEMO if is_demo else {}, PRESETS[preset], *layers):
        values = merge(values, layer)
    try:
        return TrainingConfig.model_validate(values)
    except ValidationError as error:
        raise SettingsError(f"{source}: {_explain(error)}") from None


def read_file(path: Path) -> tuple[Values, list[str]]:
    """The values of a YAML file in today's words, and what was translated or left out.

    Raises:
        SettingsError: it can't be read.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        raise SettingsError(f"{path} does not exist: name another file with --config") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid YAML ({' '.join(str(error).split())}): mend that line") from None
    if not isinstance(values, dict):
        raise SettingsError(f"{path} holds no keys: write lines like `batch_size: 2`")
    return translate(values)


def parse_assignments(assignments: Iterable[str]) -> Values:
    """`batch_size=1` and `lora_parameters.rank=8` as values.

    Raises:
        SettingsError: there is no `=`.
    """
    values: Values = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise SettingsError(f"{assignment!r} sets nothing: write KEY=VALUE, e.g. batch_size=1")
        nested = yaml.safe_load(text)
        for part in reversed(name.strip().split(".")):
            nested = {part: nested}
        values = merge(values, nested)
    return values


def translate(values: Mapping[str, Any]) -> tuple[Values, list[str]]:
    """A file of an older project, or of mlx_lm.lora, in today's keys; with one message for each change."""
    new: Values = {}
    messages = []
    lora: Values = {}
    for key, value in values.items():
        if key in OURS:
            messages.append(f"{key}: left out, {OURS[key]}")
        elif key in ("layer_keys", "alpha", "rank", "dropout", "scale"):
            lora[key] = value
            if key not in ("alpha", "layer_keys"):
                messages.append(f"{key}: now lora_parameters.{key}")
        elif key == "use_dora":
            new["fine_tune_type"] = "dora" if value else "lora"
            messages.append(f"use_dora: now fine_tune_type {new['fine_tune_type']}")
        elif key in RENAMED:
            new[RENAMED[key]] = value
            messages.append(f"{key}: now {RENAMED[key]}")
        else:
            new[key] = value
    nested = new.get("lora_parameters")
    if lora or isinstance(nested, dict):
        new["lora_parameters"] = _translate_lora({**(nested or {}), **lora}, messages)
    return new, messages


def _translate_lora(values: Values, messages: list[str]) -> Values:
    new = {key: value for key, value in values.items() if key not in ("layer_keys", "alpha")}
    if "layer_keys" in values:
        new["keys"] = values["layer_keys"]
        messages.append("layer_keys: now lora_parameters.keys")
    if isinstance(keys := new.get("keys"), Sequence) and not isinstance(keys, str):
        new["keys"] = [f"{KEYS[key]}.{key}" if key in KEYS else key for key in keys]
        if new["keys"] != list(keys):
            messages.append(f"keys: now with the names that mlx-lm knows, e.g. {new['keys'][0]}")
    if "alpha" in values:
        rank = new.get("rank", LoraParameters().rank)
        # Where a file had both, mlx-lm took their product.
        factor = new.get("scale", 1)
        try:
            new["scale"] = float(factor) * float(values["alpha"]) / int(rank)
        except (TypeError, ValueError, ZeroDivisionError):
            raise SettingsError(
                f"alpha {values['alpha']!r} and rank {rank!r} give no scale: set lora_parameters.scale"
            ) from None
        how = "scale × alpha / rank" if "scale" in values else "alpha / rank"
        messages.append(f"alpha: now lora_parameters.scale, {how} = {new['scale']:g}")
    return new


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> Values:
    """`above` over `below`, also within parts like lora_parameters."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = merge(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged


def _explain(error: ValidationError) -> str:
    """The first problem as one sentence; of an unknown key the nearest known one."""
    problem: Any = error.errors()[0]
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] != "extra_forbidden":
        return f"{where}: {problem['msg']}"
    places: dict[Any, type[BaseModel]] = {"lora_parameters": LoraParameters, "lr_schedule": Schedule}
    known = list(places.get(problem["loc"][0], TrainingConfig).model_fields)
    near = difflib.get_close_matches(str(problem["loc"][-1]), known, n=1, cutoff=0.5)
    return f"unknown key {where}: " + (f"did you mean {near[0]!r}?" if near else f"known there: {', '.join(known)}")
