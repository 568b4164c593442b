"""Teachers' and judges' models on servers: one function for each kind that `teacher.model` may name."""

from pipeline.errors import SettingsError
from pipeline.processes import engine as engine_process
from pipeline.servers.ollama_chat import OllamaChat
from pipeline.servers.openai_chat import OpenAIChat
from pipeline.servers.structured import StructuredModel
from pipeline.settings import Settings


def ollama(settings: Settings, name: str, key: str) -> StructuredModel:
    """A model of Ollama. Asks the server for it now, so that a missing model fails before any work.

    Args:
        name: the model's name, after the kind.
        key: the setting that names it, for errors.

    Raises:
        SettingsError: `name` is empty.
        ModelError: no server answers, or it lacks the model.
    """
    teacher = settings.teacher
    _check_name("ollama", name, key)
    model = OllamaChat(name, teacher.url, teacher.api_key, teacher.timeout_seconds, think=settings.models.think)
    _ = model.name
    return model


def openai(settings: Settings, name: str, key: str) -> StructuredModel:
    """A model of the OpenAI-compatible server `teacher.url`; see `ollama` for the arguments.

    Raises:
        SettingsError: `name` or `teacher.url` is empty.
    """
    teacher = settings.teacher
    _check_name("openai", name, key)
    if not teacher.url:
        raise SettingsError(
            f"{key} is openai:{name}, but no server is named: set teacher.url, e.g. https://api.openai.com/v1"
        )
    return OpenAIChat(name, teacher.url, teacher.api_key, teacher.timeout_seconds, think=settings.models.think)


def engine(settings: Settings, name: str, key: str) -> StructuredModel:
    """The chat model on sitetwin's engine, which is started if needed; see `ollama` for the arguments.

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
