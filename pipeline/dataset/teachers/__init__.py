"""Who writes the pairs, by the settings."""

from pipeline.dataset.records import Judge, Teacher
from pipeline.errors import SettingsError
from pipeline.servers.structured import StructuredModel
from pipeline.settings import Settings

EXTRACTIVE = "extractive"


def load_teacher(settings: Settings) -> Teacher:
    """The teacher that the settings name.

    Raises:
        SettingsError: teacher.model is in no form that is known.
        ModelError: its server can't be reached, or lacks the model.
    """
    if settings.teacher.model == EXTRACTIVE:
        from pipeline.dataset.teachers.extractive import ExtractiveTeacher

        return ExtractiveTeacher()
    from pipeline.dataset.teachers.model import ModelTeacher

    return ModelTeacher(_model(settings, settings.teacher.model, "teacher.model"), settings.teacher.prompt)


def load_judge(settings: Settings) -> Judge | None:
    """The judge that the settings name; None when no model is to judge.

    Raises:
        SettingsError, ModelError: as for the teacher.
    """
    named = settings.teacher.judge or settings.teacher.model
    if "judge" not in settings.dataset.stages or named == EXTRACTIVE:
        return None
    from pipeline.dataset.teachers.model import ModelJudge

    return ModelJudge(_model(settings, named, "teacher.judge" if settings.teacher.judge else "teacher.model"))


def _model(settings: Settings, named: str, key: str) -> StructuredModel:
    teacher = settings.teacher
    kind, _, name = named.partition(":")
    if kind == "ollama" and name:
        from pipeline.servers.ollama_chat import OllamaChat

        model = OllamaChat(name, teacher.url, teacher.api_key, teacher.timeout_seconds)
        _ = model.name  # asks for it now, before any work is planned on it
        return model
    if kind == "openai" and name:
        from pipeline.servers.openai_chat import OpenAIChat

        if not teacher.url:
            raise SettingsError(
                f"{key} is {named}, but no server is named: set teacher.url, e.g. https://api.openai.com/v1"
            )
        return OpenAIChat(name, teacher.url, teacher.api_key, teacher.timeout_seconds)
    if named == "engine":
        from pipeline.processes import engine
        from pipeline.servers.openai_chat import OpenAIChat

        client = engine.connect(settings)
        key_of_engine = settings.engine.api_key
        return OpenAIChat(
            client.model, client.base_url, key_of_engine, teacher.timeout_seconds, label=f"engine:{client.model}"
        )
    raise SettingsError(f"{key} is {named!r}: set it to extractive, engine, ollama:NAME or openai:NAME")
