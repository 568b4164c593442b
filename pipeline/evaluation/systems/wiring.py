"""The settings under which a system answers. What it needs for itself alone, an index or a model, has a folder of its own."""

import hashlib
from pathlib import Path
from typing import Any

from pipeline.adapters import adapters_directory
from pipeline.evaluation.systems.system import System
from pipeline.settings import PersonaSettings, Settings

FOLDER = "evaluation"
"""In the state folder: kept answers, and what systems need for themselves."""


def answering_settings(settings: Settings, system: System) -> Settings:
    """The site's settings, changed as `system` says. It answers at temperature 0, so the same question has one answer."""
    chat: dict[str, Any] = {"temperature": 0.0}
    if system.quote_first is not None:
        chat["quote_first"] = system.quote_first
    retrieval: dict[str, Any] = {}
    if system.retrieval:
        retrieval["mode"] = system.retrieval
    if system.passages:
        retrieval["passages"] = system.passages
    changed = settings.model_copy(
        update={
            "chat": settings.chat.model_copy(update=chat),
            "retrieval": settings.retrieval.model_copy(update=retrieval),
            "persona": settings.persona if system.persona else PersonaSettings(),
        }
    )
    if system.model or system.url:
        changed = changed.with_chat_model(system.model or settings.models.chat, system.url, system.api_key)
    return changed


def engine_settings(settings: Settings, system: System) -> Settings:
    """The settings of the system's model. Another model of sitetwin's own engine gets an engine beside the site's."""
    answering = answering_settings(settings, system)
    if answering.engine.url or answering.models.chat == settings.models.chat:
        return answering
    own = answering.model_copy(update={"root": _own_root(settings, f"model {answering.models.chat}")})
    linked = adapters_directory(own)
    if not linked.is_symlink():
        linked.parent.mkdir(parents=True, exist_ok=True)
        adapters_directory(settings).mkdir(parents=True, exist_ok=True)
        linked.symlink_to(adapters_directory(settings))
    return own


def index_settings(settings: Settings, system: System) -> Settings:
    """The settings of the index that the system searches. Another embedder gets an index beside the site's."""
    answering = answering_settings(settings, system)
    if not system.embedder or system.embedder == settings.models.embedder:
        return answering
    content = [source.model_copy(update={"path": settings.source_path(source)}) for source in settings.content]
    models = answering.models.model_copy(update={"embedder": system.embedder})
    root = _own_root(settings, f"embedder {system.embedder}")
    return answering.model_copy(update={"root": root, "content": content, "models": models})


def _own_root(settings: Settings, what: str) -> Path:
    return settings.state / FOLDER / "sites" / hashlib.sha256(what.encode()).hexdigest()[:12]
