"""What shapes an answer, as a hash: while it is the same, the answer need not be asked for again."""

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.adapters import BASE, answering_adapter, base_hash
from pipeline.answerability.calibration import calibration_path
from pipeline.evaluation.systems.asking import OpenSystem
from pipeline.evaluation.systems.wiring import answering_settings
from pipeline.processes import engine
from pipeline.settings import Settings
from pipeline.site import Site
from pipeline.weights.locating import weights_folder

ROOMS = ("answerability", "chat", "index", "text")
"""The rooms whose code decides how a question becomes an answer: a change of a prompt is a change of theirs."""


def shaping(opened: OpenSystem) -> str:
    """A hash of everything but the question that shapes the system's answers.

    That is the system's record, the model's weights, the adapter's, persona, prompts and settings, and for a system that
    reads notes all that is indexed. Of a server only address and model name are known, and of a flow only its name.

    Raises:
        SitetwinError: the weights can't be had, or the adapter may not answer.
    """
    settings = answering_settings(opened.settings, opened.system)
    parts: dict[str, Any] = {
        "system": opened.system.model_dump(exclude={"name"}),
        "visibility": opened.visibility,
        "model": _model(opened),
        "adapter": _adapter(opened),
        "persona": settings.persona.model_dump(),
        "chat": settings.chat.model_dump(),
        "code": _code(),
    }
    if opened.system.reads_notes:
        parts["notes"] = _notes(opened.index)
    return _hash([json.dumps(parts, sort_keys=True, default=str)])


def adapter_name(opened: OpenSystem) -> str:
    """The adapter that answers; "" if none does.

    Raises:
        ModelError: there is none that may answer.
    """
    system = opened.system
    if not system.is_tuned or system.flow or system.adapter == BASE:
        return ""
    return answering_adapter(opened.settings, system.adapter or None, opened.visibility).name


def asks_model(opened: OpenSystem) -> bool:
    """Whether a model of ours or of a server may be asked; quotations need none, and a flow asks for itself."""
    system, settings = opened.system, answering_settings(opened.settings, opened.system)
    return not system.flow and not settings.quotes(system.mode)


def _model(opened: OpenSystem) -> str:
    settings = opened.engine
    if not asks_model(opened):
        return ""
    if settings.engine.url:
        return f"{settings.engine.url} {settings.models.chat} {settings.models.think}"
    engine.fetch(settings)
    return base_hash(weights_folder(settings.models.chat))


def _adapter(opened: OpenSystem) -> str:
    name = adapter_name(opened)
    if not name:
        return ""
    return _hash([answering_adapter(opened.settings, name, opened.visibility).content.read_bytes()])


def _notes(settings: Settings) -> str:
    retrieval, embedder = settings.retrieval.model_dump_json(), settings.models.embedder
    learnt = calibration_path(settings)
    with Site(settings).index() as index:
        state = index.fingerprint()
    return _hash([retrieval, embedder, state, learnt.read_bytes() if learnt.is_file() else b""])


@cache
def _code() -> str:
    pipeline = Path(__file__).parents[2]
    files = sorted(file for room in ROOMS for file in (pipeline / room).rglob("*.py"))
    return _hash(file.read_bytes() for file in files)


def _hash(parts: Iterable[str | bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()
