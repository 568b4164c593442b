"""The configuration of a run: mlx-lm's own keys, presets, and files of older projects.

A file's values replace those of the preset, and the command line's replace both. So a file states only what differs.
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
Method = Literal["sft", "dpo", "orpo"]
Values = dict[str, Any]

KEYS = {
    "q_proj": "self_attn", "k_proj": "self_attn", "v_proj": "self_attn", "o_proj": "self_attn",
    "gate_proj": "mlp", "up_proj": "mlp", "down_proj": "mlp",
}  # fmt: skip
"""The place of each projection in a layer. Older files name the projections without it."""


class ConfigPart(BaseModel):
    """A part of the configuration. It can't be changed, and an unknown key in it is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class LoraParameters(ConfigPart):
    """The shape of the adapter (LoRA, Hu et al. 2021)."""

    rank: int = Field(16, ge=1, le=1024)
    dropout: float = Field(0.05, ge=0, lt=1)
    scale: float = Field(2.0, gt=0)
    """The factor of the product of the two small matrices, elsewhere written alpha / rank."""
    keys: list[str] | None = Field([f"{place}.{name}" for name, place in KEYS.items()], min_length=1)
    """The projections that are adapted, by their name within a layer; None: all that can be."""


class LearningRateSchedule(ConfigPart):
    """A schedule of the learning rate: the name and arguments of one of mlx.optimizers."""

    name: str
    arguments: list[float] = Field(min_length=1)
    warmup: int = Field(0, ge=0)
    warmup_init: float = Field(0.0, ge=0)


class TrainingConfig(ConfigPart):
    """Everything that a run is trained with, in mlx-lm's keys."""

    fine_tune_type: Literal["lora", "dora", "full"] = "lora"
    method: Method = "sft"
    """What is learnt: the answers of the data set (supervised fine-tuning), or its preferences by DPO or ORPO."""
    beta: float = Field(0.1, gt=0)
    """How strongly preferences count: of DPO the weight of the margin, of ORPO the weight of the odds (its lambda)."""
    optimizer: Optimizer = "adam"
    optimizer_config: dict[Optimizer, dict[str, int | float | bool | list[float] | None]] = {}
    seed: int = Field(0, ge=0)
    num_layers: int = Field(-1, ge=-1)
    """The layers that are trained, counted from the last; -1: all."""
    batch_size: int = Field(2, ge=1)
    epochs: float = Field(3, gt=0)
    iters: int | None = Field(None, ge=1)
    """The batches that are read; None: as `epochs` and the rows give."""
    val_batches: int = Field(-1, ge=-1)
    """The batches of an evaluation; -1: all."""
    learning_rate: float = Field(1e-5, gt=0)
    lr_schedule: LearningRateSchedule | None = None
    """A schedule of MLX with its own rates, in place of `learning_rate` and `schedule`."""
    schedule: Literal["constant", "cosine"] = "constant"
    """Whether the learning rate stays, or rises during `warmup` and then falls to 0 along half a cosine."""
    warmup: float = Field(0.05, ge=0, lt=1)
    """The share of the updates in which the rate of a cosine rises from 0."""
    steps_per_report: int = Field(10, ge=1)
    steps_per_eval: int | None = Field(None, ge=1)
    """Iterations between two evaluations; None: 100, or fewer so that a run has at least ten."""
    save_every: int | None = Field(None, ge=1)
    """Iterations between two checkpoints; None: as many as between two evaluations."""
    max_seq_length: int = Field(2048, ge=8)
    """The most tokens of a row; the rest is cut off."""
    grad_checkpoint: bool = True
    """Whether the backward pass computes the layers again instead of keeping their results: less memory, a third more
    time."""
    pack_weights: bool | None = None
    """Whether the frozen weights of an fp32 Llama are copied on a Linux CPU, once for the forward and once for the backward
    pass, in the order in which the products read them. That takes up to three times the model's memory and a sixth less
    time. None: if there is room."""
    grad_accumulation_steps: int = Field(1, ge=1)
    lora_parameters: LoraParameters = LoraParameters()
    mask_prompt: bool = True
    """Whether only the answers are learnt, not the questions."""
    patience: int = Field(3, ge=0)
    """The run ends after so many evaluations in a row without a new best one; 0: it does not end early."""
    golden_questions: int = Field(0, ge=0)
    """So many golden questions are asked at each evaluation. The best checkpoint is then the one that answers most of them,
    and among equal ones the one with the lowest loss; `patience` counts by it too. 0: the loss alone decides."""
    keep_last: bool = False
    """Whether the last weights also become an adapter, `RUN-last`, to be compared with the best."""

    @property
    def batch_rows(self) -> int:
        """The conversations in a batch. A preference is two of them."""
        return self.batch_size * (1 if self.method == "sft" else 2)

    def for_rows(self, rows: int) -> "TrainingConfig":
        """The same configuration with everything decided that depends on the number of training rows."""
        iters = self.iters or max(1, int(self.epochs * (rows // self.batch_size)))
        every = self.steps_per_eval or min(100, max(1, iters // 10))
        return self.model_copy(update={"iters": iters, "steps_per_eval": every, "save_every": self.save_every or every})

    def learns_like(self, other: "TrainingConfig") -> bool:
        """Whether both configurations give the same adapter. How the frozen weights are held changes nothing in it."""
        return self.model_copy(update={"pack_weights": other.pack_weights}) == other


PRESETS: dict[Preset, Values] = {
    "underfit": {"epochs": 0.5, "patience": 0},
    "best": {},
    "overfit": {"epochs": 5, "patience": 0, "keep_last": True, "lora_parameters": {"rank": 64, "dropout": 0.0}},
}
"""How each preset differs from the defaults. The defaults are the first project's configuration."""

METHODS: dict[str, Values] = {
    "dpo": {"lora_parameters": {"dropout": 0.0}},
    "orpo": {"lora_parameters": {"dropout": 0.0}},
}
"""What differs when preferences are learnt. Their answers are compared, and dropout would be noise in the comparison."""

DEMO: Values = {"learning_rate": 2e-4, "grad_checkpoint": False}
"""What differs for SmolLM2-135M: so small a model needs larger steps, and its layers fit into memory.

Validation loss in nats a token, on pairs of docs/ and a blog (851 to train on, 42 to validate, batches of 2). Before
training it was 3.770.

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
"""The keys of mlx-lm that sitetwin decides itself, each with what it does instead."""


def configuration(
    preset: Preset = "best", *layers: Mapping[str, Any], is_demo: bool = False, source: str = "the configuration"
) -> TrainingConfig:
    """The configuration of `preset`, with each of `layers` over it.

    Args:
        preset: the preset.
        layers: nested values; a later one replaces an earlier one. Beside the keys of `TrainingConfig` there is PEFT's
            `use_rslora`, which multiplies the scale by the square root of the rank.
        is_demo: whether the base is the demo model, which has its own defaults.
        source: what an error names as the origin of the values.

    Raises:
        SettingsError: a key is unknown (the message names the nearest known one), or a value is impossible.
    """
    values: Values = {}
    method = next((layer["method"] for layer in reversed(layers) if "method" in layer), "sft")
    for layer in (DEMO if is_demo else {}, METHODS.get(str(method), {}), PRESETS[preset], *layers):
        values = merge(values, layer)
    is_rank_stabilised = values.pop("use_rslora", False)
    try:
        config = TrainingConfig.model_validate(values)
    except ValidationError as error:
        raise SettingsError(f"{source}: {_explain(error)}") from None
    if not isinstance(is_rank_stabilised, bool):
        raise SettingsError(f"{source}: use_rslora: {is_rank_stabilised!r} is neither true nor false")
    if not is_rank_stabilised:
        return config
    # alpha / sqrt(rank) in place of alpha / rank (Kalajdzievski 2023).
    lora = config.lora_parameters
    stabilised = lora.model_copy(update={"scale": lora.scale * lora.rank**0.5})
    return config.model_copy(update={"lora_parameters": stabilised})


def read_file(path: Path) -> tuple[Values, list[str]]:
    """The values of a YAML file in today's keys, and messages on what was translated or left out.

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
    """The values of assignments such as `batch_size=1` and `lora_parameters.rank=8`.

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
    """The values of an older project's file, or of one for mlx_lm.lora, in today's keys, and a message for each change.

    Raises:
        SettingsError: alpha and rank give no scale.
    """
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
        # If a file had both, older versions of mlx-lm multiplied them.
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
    """The values of `below` with those of `above` in their place, also within nested parts such as lora_parameters."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = merge(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged


def _explain(error: ValidationError) -> str:
    """The first problem in one sentence, with the nearest known key if a key is unknown."""
    problem: Any = error.errors()[0]
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] != "extra_forbidden":
        return f"{where}: {problem['msg']}"
    places: dict[Any, type[BaseModel]] = {"lora_parameters": LoraParameters, "lr_schedule": LearningRateSchedule}
    known = list(places.get(problem["loc"][0], TrainingConfig).model_fields)
    near = difflib.get_close_matches(str(problem["loc"][-1]), known, n=1, cutoff=0.5)
    return f"unknown key {where}: " + (f"did you mean {near[0]!r}?" if near else f"known there: {', '.join(known)}")
