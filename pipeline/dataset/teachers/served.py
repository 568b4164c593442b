"""Models on servers as teachers and judges: one function for each kind that `teacher.model` may name."""

from pipeline.errors import SettingsError
from pipeline.processes import engine as engine_process
from pipeline.servers.ollama_chat import OllamaChat
from pipeline.servers.openai_chat import OpenAIChat
from pipeline.servers.structured import StructuredModel
from pipeline.settings import Settings


def ollama(settings: Settings, name: str, key: str) -> StructuredModel:
    """A model of Ollama. Asks for it now, before any work is planned on it.

    Args:
        name: of the model, after the kind.
        key: of the settings that names it, for errors.

    Raises:
        SettingsError: no model is named.
        ModelError: no server, or it lacks the model.
    """
    teacher = settings.teacher
    _check_name("ollama", name, key)
    model = OllamaChat(name, teacher.url, teacher.api_key, teacher.timeout_seconds, think=settings.models.think)
    _ = model.name
    return model


def openai(settings: Settings, name: str, key: str) -> StructuredModel:
    """A model of an OpenAI-compatible server; see `ollama`."""
    teacher = settings.teacher
    _check_name("openai", name, key)
    if not teacher.url:
        raise SettingsError(
            f"{key} is openai:{name}, but no server is named: set teacher.url, e.g. https://api.openai.com/v1"
        )
    return OpenAIChat(name, teacher.url, teacher.api_key, teacher.timeout_seconds, think=settings.models.think)


def engine(settings: Settings, name: str, key: str) -> StructuredModel:
    """The model that chats; see `ollama`.

    Raises:
        ServiceError: the engine can't be started.
    """
    client = engine_process.connect(settings)
    return OpenAIChat(
        client.model,
        client.base_url,
        client.api_key,
        settings.teacher.timeout_seconds,
        label=f"engine:{client.model}",
        think=settings.models.think,
    )


def _check_name(kind: str, name: str, key: str) -> None:
    if not name:
        raise SettingsError(f"{key} is {kind!r} alone: write {kind}:NAME with the model's name")
