"""Checks a run before it starts. What can't go well is an error; what may disappoint is a warning that says what to expect."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import SettingsError, SitetwinError
from pipeline.settings import Visibility
from pipeline.training.config import TrainingConfig
from pipeline.training.data import TrainingRow
from pipeline.training.memory import estimate, is_written_out, shape_of, smaller
from pipeline.weights import blas

FEW = 100
"""A data set with fewer training rows gets a warning."""
ROOMY = 0.8
"""Weights are packed only if the run then takes no more than this share of the free memory. Packing is not needed, so it
leaves the rest to other programs."""


def check_visibility(adapter: Visibility, data: Visibility, version: int) -> None:
    """Refuses to train a public adapter on private notes, because weights can't forget what they have learnt.

    Args:
        adapter: the visibility that the adapter will have.
        data: the visibility of the data set.
        version: the data set's version, for the message.

    Raises:
        SitetwinError: a public adapter of a private data set.
    """
    if adapter == "public" and data == "private":
        raise SitetwinError(
            f"data set {version} is made of private notes, and a public adapter may never see one: "
            "train with --visibility private, or build a public data set"
        )


def check_preferences(train: Sequence[TrainingRow], version: int) -> None:
    """Says where preferences come from if the data set `version` has none to train on.

    Raises:
        SitetwinError: there are none.
    """
    if not train:
        raise SitetwinError(
            f"data set {version} has no preferences to train on: they come from answers that you edit, or choose between, "
            "on the review page of `sitetwin dataset review`, and from pairs that the filter refused beside a kept one; "
            "then run `sitetwin dataset build`"
        )


def check_exam(config: TrainingConfig, has_exam: bool, has_validation: bool) -> None:
    """Checks that golden questions can be asked, if the configuration wants some.

    Raises:
        SettingsError: nobody asks them here, or nothing is evaluated.
    """
    if not config.golden_questions:
        return
    if not has_exam:
        raise SettingsError("golden_questions are asked in a single run of `sitetwin train`: leave them out here")
    if not has_validation:
        raise SettingsError("golden_questions are asked with the validation rows, and there are none: add notes")


def check_rows(train: Sequence[TrainingRow], valid: Sequence[TrainingRow], config: TrainingConfig) -> list[str]:
    """Checks the rows against the configuration; returns warnings for the owner.

    Raises:
        SitetwinError: there are fewer rows than a batch has, or nothing of a row is left to learn.
    """
    if len(train) < config.batch_size:
        raise SitetwinError(
            f"{len(train)} rows do not fill a batch of {config.batch_size}: "
            + (f"--set batch_size={len(train)}, or build a larger data set" if train else "build a data set with pairs")
        )
    warnings = []
    for name, rows in (("training", train), ("validation", valid)):
        _check_prompts(name, rows, config)
        if cut := sum(row.longest > config.max_seq_length for row in rows):
            longest = max(row.longest for row in rows)
            warnings.append(
                f"{cut} of {len(rows)} {name} rows are longer than {config.max_seq_length} tokens and lose their end; "
                f"the longest has {longest}: --set max_seq_length={longest} keeps all"
            )
    if len(train) < FEW and config.method == "sft":
        warnings.append(
            f"only {len(train)} rows: expect the tone at best, no facts, and overfitting after few epochs; "
            f"{FEW} and more are better"
        )
    elif len(train) < FEW:
        warnings.append(f"only {len(train)} preferences: expect a nudge at best; {FEW} and more are better")
    if not valid:
        warnings.append("no validation rows: the last weights are kept, as nothing tells which were the best")
    return warnings


def _check_prompts(name: str, rows: Sequence[TrainingRow], config: TrainingConfig) -> None:
    for number, row in ((number, row) for number, one in enumerate(rows, 1) for row in one.rows):
        # At least one token must be predicted. A mean over none is NaN, and would make the adapter NaN too.
        if min(len(row.tokens), config.max_seq_length) <= max(row.start, 1):
            raise SitetwinError(
                f"{name} row {number} has {row.start} tokens before its answer, so within {config.max_seq_length} "
                f"nothing is left to learn: --set max_seq_length={len(row.tokens)}, or reject that pair"
            )


def check_base(folder: Path, config: TrainingConfig) -> list[str]:
    """Checks the base in `folder`; returns a warning if its weights are slow on this machine.

    Raises:
        ModelError: mlx-lm can't open the model.
        SitetwinError: a full fine-tune of quantised weights, which have no gradients.
    """
    shape = shape_of(folder)
    if shape.is_quantised and config.fine_tune_type == "full":
        raise SitetwinError(
            "a full fine-tune can't change quantised weights: --set fine_tune_type=lora, or set [models] chat to the "
            "model's unquantised weights"
        )
    if not blas.is_needed() or shape.is_fp32:
        return []
    return [
        "a CPU multiplies weights in fp32 ten times as fast as 16-bit ones, and quantised ones slower still: "
        f"`python -m mlx_lm convert --hf-path {folder} --mlx-path NEW --dequantize --dtype float32` makes a model of them, "
        'for [models] chat = "NEW"'
    ]


def fit_memory(
    folder: Path, rows: Sequence[TrainingRow], config: TrainingConfig, free: int
) -> tuple[str, TrainingConfig]:
    """The memory that the run needs, in words, and the configuration with `pack_weights` decided.

    Args:
        folder: the base's folder.
        rows: all rows that are read.
        config: the configuration.
        free: the bytes that the run may take.

    Raises:
        SitetwinError: it needs more than `free`; the message names settings that would fit, if there are any.
        ModelError: mlx-lm can't open the model.
    """
    shape = shape_of(folder)

    def need(config: TrainingConfig) -> int:
        longest = config.max_seq_length
        single = [row for one in rows for row in one.rows]
        tokens = max(min(row.longest, longest) for row in single)
        learnt = max(min(row.longest, longest) - min(row.start, longest) for row in single)
        return estimate(shape, config, tokens, learnt)

    if config.pack_weights is None and is_written_out(shape, config):
        config = config.model_copy(update={"pack_weights": need(config) <= ROOMY * free})
    if (needed := need(config)) <= free:
        return f"about {needed / 1e9:.1f} GB of memory are needed, {free / 1e9:.1f} GB are free", config
    fitting = next((words for words, less in smaller(config) if need(less) <= free), None)
    raise SitetwinError(
        f"training needs about {needed / 1e9:.1f} GB of memory, {free / 1e9:.1f} GB are free: "
        + (f"this would fit: {fitting}; or " if fitting else "take a smaller model ([models] chat), or ")
        + "end `sitetwin up` and other programs, or start all the same with --force"
    )
