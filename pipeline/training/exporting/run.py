"""An export from beginning to end. Import this after `blas.preload()`."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from pipeline.errors import ModelError
from pipeline.settings import Settings, Visibility
from pipeline.training.exporting import ollama, peft
from pipeline.training.exporting.disk import bytes_of_export, check_disk
from pipeline.training.exporting.folder import export_folder
from pipeline.training.exporting.fused import Bits, fuse, write_fused
from pipeline.training.exporting.gguf import write_gguf
from pipeline.training.exporting.source import Source, find_source

QUESTION = "Who are you?"


@dataclass(frozen=True)
class Wishes:
    to: Literal["fused", "gguf", "ollama", "peft"]
    folder: Path
    bits: Bits | None = None
    dequantise: bool = False
    base_model: str | None = None
    name: str | None = None
    """In Ollama; None: the run's."""
    question: str | None = None
    is_created: bool = True
    """In Ollama; else the folder alone is written."""
    is_replaced: bool = False


class Exported(BaseModel):
    run: str
    to: str
    folder: Path
    bytes: int
    visibility: Visibility
    warnings: list[str]
    next: str
    """What to do with it."""
    model: str | None = None
    """In Ollama."""
    question: str | None = None
    answer: str | None = None


def run_export(settings: Settings, name: str, wishes: Wishes, say: Callable[[str], None]) -> Exported:
    """Writes the export, and for Ollama makes the model and asks it one question.

    Raises:
        SitetwinError: the adapter, its base, the folder or Ollama can't be used. Nothing was written then, unless the
            model in Ollama is there and does not answer.
    """
    source = find_source(settings, name)
    model = (wishes.name or name) if wishes.to == "ollama" and wishes.is_created else None
    if model:
        ollama.check_name(model, wishes.is_replaced)
    if wishes.to != "peft":
        check_disk(
            wishes.folder,
            bytes_of_export(
                source.base,
                source.config,
                bits=wishes.bits if wishes.to == "fused" else None,
                is_expanded=wishes.to != "fused" or wishes.dequantise,
                copies=2 if model else 1,
            ),
        )
    warnings = source.warnings()
    with export_folder(wishes.folder) as folder:
        warnings += _write(settings, source, wishes, folder, model)
    for warning in warnings:
        say(warning)
    done = Exported(
        run=name,
        to=wishes.to,
        folder=wishes.folder,
        bytes=sum(file.stat().st_size for file in wishes.folder.rglob("*") if file.is_file()),
        visibility=source.adapter.visibility,
        warnings=warnings,
        next=_next(source, wishes, model),
        model=model,
    )
    if model:
        done.question = wishes.question or next(iter(settings.site.questions), QUESTION)
        done.answer = _answer(done, model, done.question)
    return done


def _answer(done: Exported, model: str, question: str) -> str:
    try:
        return ollama.ask(model, question)
    except ModelError as error:
        raise ModelError(
            f"{done.folder} and the model {model} in Ollama are made, but it gave no answer: {error}"
        ) from None


def _write(settings: Settings, source: Source, wishes: Wishes, folder: Path, model: str | None) -> list[str]:
    """Returns what is to be said about it."""
    if wishes.to == "fused":
        write_fused(source, folder, bits=wishes.bits, dequantise=wishes.dequantise)
        if source.is_quantised and not wishes.dequantise and not wishes.bits:
            return ["what the adapter changed was quantised again, which rounds: --dequantize keeps all of it"]
        return []
    if wishes.to == "peft":
        return peft.write_peft(source, folder, wishes.base_model)
    if wishes.to == "gguf":
        fused, config = fuse(source, dequantise=True)
        write_gguf(source, fused, config, folder / f"{source.name}.gguf")
        return []
    described = ollama.describe(source, settings)
    ollama.write_ollama(source, described, folder)
    return ollama.create(model, described, folder, wishes.bits) if model else []


def _next(source: Source, wishes: Wishes, model: str | None) -> str:
    folder = wishes.folder
    if wishes.to == "fused":
        return f'`[models] chat = "{folder}"`, or `mlx_lm.generate --model {folder}`'
    if wishes.to == "peft":
        loaded = f'`PeftModel.from_pretrained(base, "{folder}")`'
        config = json.loads((folder / peft.CONFIG).read_bytes())
        rank = next((rank for rank in peft.VLLM_RANKS if rank >= config["r"]), None)
        if config["use_dora"] or rank is None:
            return loaded
        served = f"vllm serve BASE --enable-lora --max-lora-rank {rank} --lora-modules {source.name}={folder}"
        return f"{loaded}, or `{served}`"
    if wishes.to == "gguf":
        return f"`llama-server -m {folder / source.name}.gguf`, or `FROM {folder / source.name}.gguf` in a Modelfile"
    if not model:
        smaller = f"--quantize {ollama.QUANTISED[wishes.bits]} " if wishes.bits else ""
        return f"`ollama create {wishes.name or source.name} {smaller}-f {folder / ollama.MODELFILE}`"
    return f'`ollama run {model}`, or `[models] chat = "ollama:{model}"`'
