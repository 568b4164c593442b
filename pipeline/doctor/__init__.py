"""Finds what sitetwin needs, what is there, and the command that mends what is missing."""

import importlib.util
import math
import os
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from huggingface_hub.constants import HF_HUB_CACHE
from safetensors import safe_open

from pipeline.doctor.finding import Finding
from pipeline.doctor.of_machine import free_bytes, of_machine
from pipeline.embedding.choosing import advice
from pipeline.errors import SitetwinError
from pipeline.jobs.retraining.job import read_job
from pipeline.machine import this_machine
from pipeline.processes.left_out import read_left_out
from pipeline.servers.client import KEYS
from pipeline.servers.openai_server import OpenAIServer
from pipeline.servers.transport import ServerError
from pipeline.settings import FLOW_MODES, Settings
from pipeline.site import Site
from pipeline.weights import blas
from pipeline.weights.cache import LAYOUT, cache_folder
from pipeline.weights.demo import EMBEDDINGS
from pipeline.weights.int8 import is_fast
from pipeline.weights.locating import weights_folder

OLLAMA_FROM = {"in 8 bits": 1_000_000_000, "in 32 bits": 200_000_000}
"""From so many weights on, a Linux CPU serves better with Ollama, by how the engine holds them: see docs/models.md, "When
Ollama serves better". Half a billion, the largest model that was measured, still writes as fast in 8 bits as people read."""
_INSTALL = "pip install 'sitetwin[langflow]'"


def examine(settings: Settings) -> list[Finding]:
    """A finding for each thing that sitetwin needs. A problem with one thing does not keep the others from being examined."""
    return [
        Finding(name="settings", state="ok", text=str(settings.file)),
        _python(),
        *_content(settings),
        _visitors(settings),
        *of_machine(settings, this_machine(), Path(HF_HUB_CACHE), cache_folder(), free_bytes),
        _blas(),
        _chat_model(settings),
        _embedder(settings),
        *_reranker(settings),
        *_retraining(settings),
        _langflow(settings),
    ]


def _python() -> Finding:
    return Finding(name="python", state="ok", text=f"{sys.version.split()[0]}, {os.cpu_count()} cores")


def _content(settings: Settings) -> Iterator[Finding]:
    if not settings.content:
        yield Finding(
            name="content", state="missing", text="no folder is named", mend="add a [[content]] entry to sitetwin.toml"
        )
    for source in settings.content:
        folder = settings.source_path(source)
        if folder.is_dir():
            yield Finding(
                name="content",
                state="ok",
                text=f"{folder} ({source.kind}, {source.default_visibility} unless a note says otherwise)",
            )
        else:
            yield Finding(
                name="content",
                state="missing",
                text=f"{folder} is no folder",
                mend="mend `path` under [[content]] in sitetwin.toml",
            )


def _visitors(settings: Settings) -> Finding:
    name = "visitors"
    with Site(settings).index() as index:
        indexed, public = len(index.documents()), len(index.documents("public"))
    if not indexed:
        return Finding(name=name, state="note", text="nothing is indexed yet", mend="sitetwin index, or sitetwin up")
    if not public:
        return Finding(
            name=name,
            state="note",
            text=f"all {indexed} documents are private, so the page's chat finds nothing",
            mend='set visibility = "public" under [[content]], or `publish: true` in a note',
        )
    return Finding(name=name, state="ok", text=f"{public} of {indexed} indexed documents are public")


def _blas() -> Finding:
    try:
        blas.preload()
    except SitetwinError as error:
        return Finding(name="matrix product", state="missing", text=str(error), mend="make up")
    return Finding(name="matrix product", state="ok", text=f"{blas.describe()}: {blas.gflops():.0f} GFLOP/s in fp32")


def _chat_model(settings: Settings) -> Finding:
    name = "chat model"
    if url := settings.engine.url:
        try:
            with closing(OpenAIServer(url, settings.models.chat, KEYS, settings.engine.api_key, 5, tries=1)) as server:
                models = server.models()
        except ServerError as error:
            return Finding(name=name, state="missing", text=str(error))
        # Ollama lists a model that is asked for as `name` under `name:latest`.
        known = [model.removesuffix(":latest") for model in models]
        if settings.models.chat.removesuffix(":latest") not in known:
            named = [f"ollama:{model}" if settings.asks_ollama else model for model in known[:8]]
            steps = [f"ollama pull {settings.models.chat}"] if settings.asks_ollama else []
            steps += [f"set models.chat to one of: {', '.join(named)}"] if named else []
            return Finding(
                name=name,
                state="missing",
                text=f"{url} does not have {settings.models.chat!r}",
                mend=", or ".join(steps) or "give that server a model",
            )
        return Finding(name=name, state="ok", text=f"{settings.models.chat} at {url}")
    if settings.models.chat == "demo":
        return _demo(name, "SmolLM2-135M-Instruct")
    text = f"{settings.models.chat}, on MLX, loaded at the first question"
    held = "in 8 bits" if settings.engine.int8 and is_fast() else "in 32 bits"
    if sys.platform == "linux" and (count := _weights(settings.models.chat)) >= OLLAMA_FROM[held]:
        return Finding(
            name=name,
            state="note",
            text=f"{text}; it has {count / 1e9:.1f} billion weights {held}, and Ollama holds 4 bits of each",
            mend="set models.chat to ollama:NAME; `sitetwin export RUN --to ollama` takes an adapter there",
        )
    return Finding(name=name, state="note", text=text)


def _weights(model: str) -> int:
    """How many weights the chat model has; 0 if they are not on this machine yet."""
    try:
        files = list(weights_folder(model).glob("*.safetensors"))
    except SitetwinError:
        return 0
    count = 0
    for file in files:
        with safe_open(str(file), framework="numpy") as tensors:
            slices = [tensors.get_slice(name) for name in tensors.keys()]  # noqa: SIM118
            # MLX packs eight weights of 4 bits, its usual form, into one number.
            count += sum(math.prod(one.get_shape()) * (8 if one.get_dtype() == "U32" else 1) for one in slices)
    return count


def _embedder(settings: Settings) -> Finding:
    if suggested := advice(settings.models.embedder, _languages(settings)):
        text, _, mend = suggested.partition(": ")
        return Finding(name="embedder", state="note", text=text, mend=mend)
    if settings.models.embedder in EMBEDDINGS:
        return _demo("embedder", EMBEDDINGS[settings.models.embedder].title)
    try:
        embedder = Site(settings).embedder()
        text = f"{embedder.name}, vectors of {embedder.dimension} numbers"
    except SitetwinError as error:
        return Finding(name="embedder", state="missing", text=str(error))
    return Finding(name="embedder", state="ok", text=text)


def _languages(settings: Settings) -> dict[str, int]:
    """How many documents are in each language; {} if the index can't be read, which `sitetwin status` explains."""
    try:
        with Site(settings).index() as index:
            return index.languages()
    except SitetwinError:
        return {}


def _reranker(settings: Settings) -> Iterator[Finding]:
    if not settings.retrieval.rerank:
        return
    try:
        yield Finding(name="reranker", state="ok", text=Site(settings).reranker().name)
    except SitetwinError as error:
        yield Finding(name="reranker", state="missing", text=str(error))


def _retraining(settings: Settings) -> Iterator[Finding]:
    job = read_job(settings)
    if job and job.state in ("died", "failed"):
        yield Finding(name="retraining", state="note", text=job.text, mend="sitetwin retrain")


def _demo(name: str, weights: str) -> Finding:
    for folder in (cache_folder() / LAYOUT).glob(f"{weights}*"):
        return Finding(name=name, state="ok", text=f"{weights} (demo weights, in {folder})")
    return Finding(name=name, state="note", text=f"{weights} (demo weights) will be fetched at first use")


def _langflow(settings: Settings) -> Finding:
    name, flow = "langflow", settings.langflow.flow
    is_installed = importlib.util.find_spec("langflow") is not None
    if is_installed and settings.langflow.enabled:
        if reason := read_left_out(settings).get(flow):
            mend = "mend it in the editor: `sitetwin flows open`"
            return Finding(name=name, state="missing", text=f"the flow {flow}: {reason}", mend=mend)
        return Finding(name=name, state="ok", text=f"installed; visitors talk to the flow {flow}")
    off, mend = ("switched off", "langflow.enabled = true") if is_installed else ("not installed", _INSTALL)
    if flow not in FLOW_MODES:
        return Finding(
            name=name,
            state="missing",
            text=f"{off}, but visitors are to talk to the flow {flow!r}, which needs Langflow",
            mend=f"set langflow.flow to one of {', '.join(FLOW_MODES)}, or {mend}",
        )
    text = f"{off}: the chat runs without the editor, in mode {FLOW_MODES[flow]}"
    return Finding(name=name, state="ok" if is_installed else "note", text=text, mend="" if is_installed else mend)
