"""How much memory a run takes, before it takes it.

The model is opened without reading its weights. So its sizes are those that will be trained, even if config.json leaves
some to defaults. What a layer keeps of each token for the backward pass was measured on the CPU: with eight and sixteen
layers, two lengths, with and without dropout, LoRA and DoRA, on mlx-lm's Llama, Qwen 3 and Gemma 3. The numbers below
are within a fifth of each measurement.

Import this after `blas.preload()`.
"""

import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import psutil
from mlx.utils import tree_flatten
from mlx_lm.utils import load_model

from pipeline.errors import ModelError
from pipeline.training.config import TrainingConfig
from pipeline.training.cpu import fit
from pipeline.weights.memory import bytes_of, graphics_limit

LINEARS = (nn.Linear, nn.QuantizedLinear)
EMBEDDINGS = (nn.Embedding, nn.QuantizedEmbedding)
FLOAT = 4
"""The bytes of a number of the adapter, and of a logit's gradient."""
HELD = 5
"""How often the trained weights are held: they, their gradients, the optimiser's two moments, the best so far."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of the forward pass, in arrays."""

    input: float
    """Arrays as wide as its input, for each trained projection; some projections share theirs."""
    dropped: float
    """The same with dropout."""
    output: float
    """Arrays as wide as all projections' outputs, for each layer: outputs, activations, norms."""
    logits: float
    """Arrays as wide as the vocabulary, for each learnt token."""
    process: float
    """The bytes of Python and its libraries."""
    at_work: tuple[int, int]
    """How many layers are held beyond what is kept: without checkpointing, and with it, when layers are computed again."""


BY_GRAPH = Kept(input=2 / 3, dropped=2, output=2, logits=5, process=0, at_work=(1, 3))
WRITTEN_OUT = Kept(input=2 / 3, dropped=2 / 3, output=1.2, logits=1.5, process=0.45e9, at_work=(1, 2))
"""What `cpu.gradients` keeps."""

Widths = tuple[int, int]
"""The widths of a projection's input and output."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a model that its memory depends on."""

    weights: int
    """The bytes of all weights."""
    number: int
    """The bytes of one number that a layer computes."""
    is_fp32: bool
    """Whether all weights are 32-bit floats."""
    is_quantised: bool
    """Whether some weights are held in a few bits each."""
    is_known: bool
    """Whether it is of a kind whose gradients are written out for a Linux CPU."""
    words: int
    """The size of the vocabulary."""
    width: int
    """How many numbers stand for a token between two layers."""
    heads: int
    layers: list[dict[str, Widths]]
    """The projections of each layer, by their name within it."""
    beside: dict[str, Widths]
    """The projections outside the layers."""
    layer_weights: list[int]
    """The bytes of each layer."""


def _memory_level() -> str:
    return subprocess.run(
        ["sysctl", "-n", "kern.memorystatus_level"], capture_output=True, text=True, check=True
    ).stdout


def shape_of(folder: Path) -> Shape:
    """The sizes of the model in `folder`.

    Raises:
        ModelError: mlx-lm does not know its kind, or its weights are broken or do not fit its config.json.
    """
    try:
        model, config = load_model(folder, lazy=True)
    except (ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"mlx-lm can't open the model in {folder} ({reason}): set [models] chat to another") from None
    layers = model.layers
    modules: dict[str, Any] = dict(model.named_modules())
    embeddings = [part for part in modules.values() if isinstance(part, EMBEDDINGS)]
    vocabulary = max(embeddings, key=lambda part: part.weight.shape[0])
    words, width = _widths(vocabulary)
    within = {id(part) for layer in layers for _, part in layer.named_modules()}
    config |= config.get("text_config", {})
    return Shape(
        weights=bytes_of(model),
        number=vocabulary.get("scales", vocabulary.weight).dtype.size,
        is_fp32=all(array.dtype == mx.float32 for _, array in _arrays(model)),
        is_quantised=any("scales" in part for part in modules.values()),
        is_known=fit.is_known(model),
        words=words,
        width=width,
        heads=config.get("num_attention_heads", max(1, width // 64)),
        layers=[_projections(dict(layer.named_modules())) for layer in layers],
        beside=_projections({name: part for name, part in modules.items() if id(part) not in within}),
        layer_weights=[bytes_of(layer) for layer in layers],
    )


def estimate(shape: Shape, config: TrainingConfig, tokens: int, learnt: int) -> int:
    """The most bytes that a run holds.

    Args:
        shape: the model's sizes.
        config: the configuration.
        tokens: the tokens of the longest row that is read, after cutting.
        learnt: the most learnt tokens of a row.
    """
    layers = shape.layers[-max(config.num_layers, 0) :]
    is_full, lora = config.fine_tune_type == "full", config.lora_parameters
    held, packed = BY_GRAPH, 0
    if is_written_out(shape, config):
        held = WRITTEN_OUT
        # Each pass has its own copy. The backward pass ends at the first trained layer.
        of_layers = sum(shape.layer_weights) + sum(shape.layer_weights[-len(layers) :])
        packed = (of_layers + 2 * FLOAT * shape.words * shape.width) * (config.pack_weights is not False)
    keep = held.dropped if lora.dropout and not is_full else held.input
    kept, numbers = [], 0
    for layer in layers:
        adapted = [widths for name, widths in layer.items() if is_full or lora.keys is None or name in lora.keys]
        numbers += sum(map(sum, adapted)) * lora.rank
        outputs: float = sum(width for _, width in layer.values())
        if config.fine_tune_type == "dora":
            numbers += (more := sum(width for _, width in adapted))
            outputs += more / held.output
        kept.append(keep * sum(width for width, _ in adapted) + held.output * outputs + shape.heads * tokens)
    numbers += sum(sum(widths) * lora.rank for name, widths in shape.beside.items() if name in (lora.keys or ()))
    trained = (HELD - 1) * sum(shape.layer_weights[-len(layers) :]) if is_full else HELD * FLOAT * numbers
    of_token = len(layers) * shape.width if config.grad_checkpoint else sum(kept)
    of_token += held.at_work[config.grad_checkpoint] * max(kept)
    activations = shape.number * of_token * tokens * config.batch_rows
    logits = held.logits * FLOAT * shape.words * learnt * config.batch_rows
    return int(held.process + shape.weights + packed + trained + activations + logits)


def is_written_out(shape: Shape, config: TrainingConfig) -> bool:
    """Whether `cpu.gradients` will compute the gradients, as far as the sizes tell."""
    return fit.is_here() and shape.is_known and shape.is_fp32 and config.fine_tune_type == "lora"


def free_memory(system: str = sys.platform, ask: Callable[[], str] = _memory_level) -> int:
    """The bytes that a run may take.

    On a Mac this is the memory that is neither wired nor compressed, as its own `memory_pressure` counts it (xnu:
    kern.memorystatus_level), because a Mac compresses what other programs do not use. It is no more than Metal advises.
    psutil's figure leaves out memory that others have touched lately, and would refuse runs that go well.

    Args:
        system: `sys.platform`.
        ask: asks a Mac for its level, in percent of the memory.
    """
    if system != "darwin":
        return int(psutil.virtual_memory().available)
    free = int(psutil.virtual_memory().total) * int(ask()) // 100
    return min(free, graphics_limit() or free)


def peak() -> int:
    """The most bytes that this process has held: MLX's and NumPy's arrays, and Python."""
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    # The memory of a Mac's graphics processor is not among the process's own pages.
    return max(resident, mx.get_peak_memory())


def smaller(config: TrainingConfig) -> Iterator[tuple[str, TrainingConfig]]:
    """Configurations that take less and less memory, each with its `--set` options. Those that cost least quality come first."""
    words: list[str] = []

    def change(word: str, **update: Any) -> tuple[str, TrainingConfig]:
        nonlocal config
        words.append(word)
        config = config.model_copy(update=update)
        return " ".join(f"--set {word}" for word in words), config

    if not config.grad_checkpoint:
        yield change("grad_checkpoint=true", grad_checkpoint=True)
    if config.batch_size > 1:
        many = config.grad_accumulation_steps * config.batch_size
        words.append("batch_size=1")
        yield change(f"grad_accumulation_steps={many}", batch_size=1, grad_accumulation_steps=many)
    for length in (1024, 512, 256):
        if config.max_seq_length > length:
            yield change(f"max_seq_length={length}", max_seq_length=length)
    for rank in (8, 4):
        if config.fine_tune_type != "full" and config.lora_parameters.rank > rank:
            lora = config.lora_parameters.model_copy(update={"rank": rank})
            yield change(f"lora_parameters.rank={rank}", lora_parameters=lora)


def _projections(modules: dict[str, Any]) -> dict[str, Widths]:
    return {name: _widths(part) for name, part in modules.items() if isinstance(part, (*LINEARS, *EMBEDDINGS))}


def _widths(part: Any) -> Widths:
    """The widths of a projection's input and output; for an embedding, its number of words and their width."""
    rows, columns = part.weight.shape
    if "scales" in part:
        columns = columns * 32 // part.bits
    return (rows, columns) if isinstance(part, EMBEDDINGS) else (columns, rows)


def _arrays(module: nn.Module) -> list[tuple[str, mx.array]]:
    return tree_flatten(module.parameters())  # type: ignore[return-value]
