"""Finds whether the machine can run what the settings name: system, memory, disks, and the rests of broken downloads."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.doctor.finding import Finding
from pipeline.machine import MACOS, ChatModel, Machine, chat_model, choose
from pipeline.settings import Settings
from pipeline.weights.cache import VARIABLE

FREE_GIGABYTES = 2.0
"""Room for the unpacked demo weights (0.7 GB), vectors and logs."""
BEHIND = 1.2
"""A teacher in Ollama takes this many times the bytes of its weights at 4.5 bits each, because it holds a context too."""

Free = Callable[[Path], int]
"""Returns the bytes that are free on the disk of a folder."""


def of_machine(settings: Settings, machine: Machine, hub: Path, cache: Path, free: Free) -> Iterator[Finding]:
    """A finding for each thing of the machine.

    Args:
        settings: the site's settings.
        machine: the machine.
        hub: the folder where the hub's client keeps models.
        cache: the folder where sitetwin keeps the demo weights.
        free: returns the free bytes of a disk.
    """
    yield from _system(machine)
    model = None if settings.engine.url else chat_model(settings.models.chat)
    yield from _disks(settings, model, hub, cache, free)
    yield from _leftovers(hub)
    if model:
        yield _memory(model, machine)
        yield from _teacher(settings, model, machine)


def free_bytes(folder: Path) -> int:
    """The free bytes of the disk that `folder` is on, or will be on."""
    return shutil.disk_usage(next(one for one in (folder, *folder.parents) if one.is_dir())).free


def _system(machine: Machine) -> Iterator[Finding]:
    if machine.system != "darwin":
        return
    text = f"macOS {machine.version}, {machine.processor}"
    if not machine.is_apple_silicon:
        mend = (
            "on an Apple chip install an arm64 Python (`arch` must say arm64); Macs with Intel chips are not supported"
        )
        yield Finding(name="system", state="missing", text=f"{text}: MLX needs Apple silicon", mend=mend)
    elif int(machine.version.split(".")[0] or 0) < MACOS:
        yield Finding(
            name="system", state="missing", text=f"{text}: MLX needs macOS {MACOS}", mend=f"update to macOS {MACOS}"
        )
    else:
        yield Finding(name="system", state="ok", text=text)


def _disks(settings: Settings, model: ChatModel | None, hub: Path, cache: Path, free: Free) -> Iterator[Finding]:
    download = model.download if model and not _is_fetched(model.name, hub) else 0.0
    needs = [(settings.state, FREE_GIGABYTES, "this site's index and logs"), (cache, FREE_GIGABYTES, "demo weights")]
    if download:
        needs.append((hub, download + FREE_GIGABYTES, f"{settings.models.chat}, which is fetched at the first start"))
    short = [(folder, free(folder) / 1e9, need, what) for folder, need, what in needs if free(folder) / 1e9 < need]
    for folder, there, need, what in short:
        yield Finding(
            name="disk",
            state="missing",
            text=f"{there:.1f} GB free for {what}, in {folder}",
            mend=f"free at least {need:.1f} GB there, or set {'HF_HOME' if folder == hub else VARIABLE} to another disk"
            if folder != settings.state
            else f"free at least {need:g} GB there",
        )
    if not short:
        yield Finding(name="disk", state="ok", text=f"{free(settings.state) / 1e9:.0f} GB free")


def _is_fetched(name: str, hub: Path) -> bool:
    snapshots = hub / f"models--{name.replace('/', '--')}" / "snapshots"
    return any(snapshots.glob("*/model*.safetensors"))


def _leftovers(hub: Path) -> Iterator[Finding]:
    parts = list(hub.glob("models--*/blobs/*.incomplete"))
    if parts:
        yield Finding(
            name="hub cache",
            state="note",
            text=f"{sum(part.stat().st_size for part in parts) / 1e9:.1f} GB of broken downloads, which nothing will resume",
            mend=f"when nothing is being fetched: rm {hub}/models--*/blobs/*.incomplete",
        )


def _memory(model: ChatModel, machine: Machine) -> Finding:
    text = f"{machine.gigabytes} GB, of which a model may take about {machine.for_models:.0f}; {model.name} needs {model.needed:.1f}"
    if model.needed <= machine.for_models:
        return Finding(name="memory", state="ok", text=text)
    fitting = choose(machine)
    mend = f'set [models] chat = "{fitting.name if fitting else "demo"}", or a smaller model'
    return Finding(name="memory", state="note", text=f"{text}: it will be slow, or the system will end it", mend=mend)


def _teacher(settings: Settings, model: ChatModel, machine: Machine) -> Iterator[Finding]:
    """Whether teacher and chat model fit side by side. Ollama and the engine do not know of each other, so both stay."""
    kind, _, name = settings.teacher.model.partition(":")
    said = re.search(r"(\d+(?:\.\d+)?)b\b", name)
    if kind != "ollama" or not said or settings.teacher.url:
        return
    teacher = float(said[1]) * 4.5 / 8 * BEHIND
    if teacher + model.needed > machine.for_models:
        yield Finding(
            name="teacher",
            state="note",
            text=f"{name} in Ollama needs about {teacher:.0f} GB and {model.name} {model.needed:.0f}: they do not fit side by side",
            mend="build the data set while `sitetwin up` is stopped, end the teacher with `ollama stop` after it, or name a smaller one",
        )
