"""Loads the teacher and the judge that the settings name."""

from pipeline.dataset.records import PairJudge, Teacher
from pipeline.errors import SettingsError
from pipeline.servers.structured import StructuredModel
from pipeline.settings import Settings
from pipeline.tables import Table

EXTRACTIVE = "extractive"
TEACHERS = Table(
    "sitetwin.teachers",
    {
        "ollama": "pipeline.dataset.teachers.served:ollama",
        "openai": "pipeline.dataset.teachers.served:openai",
        "engine": "pipeline.dataset.teachers.served:engine",
    },
)
"""Kinds of models that write and judge. A factory takes the settings, the name after the kind, and the key for errors."""


def load_teacher(settings: Settings) -> Teacher:
    """The teacher that the settings name.

    Raises:
        SettingsError: teacher.model has an unknown kind.
        ModelError: its server can't be reached, or lacks the model.
    """
    if settings.teacher.model == EXTRACTIVE:
        from pipeline.dataset.teachers.extractive import ExtractiveTeacher

        return ExtractiveTeacher()
    from pipeline.dataset.teachers.model import ModelTeacher

    return ModelTeacher(named_model(settings, settings.teacher.model, "teacher.model"), settings.teacher.prompt)


def load_writer(settings: Settings) -> StructuredModel | None:
    """The model behind the teacher, to be asked for something else than pairs; None if the teacher needs no model.

    Raises:
        SettingsError, ModelError: as for the teacher.
    """
    return (
        None if settings.teacher.model == EXTRACTIVE else named_model(settings, settings.teacher.model, "teacher.model")
    )


def load_judge(settings: Settings) -> PairJudge | None:
    """The judge that the settings name; None if no model judges.

    Raises:
        SettingsError, ModelError: as for the teacher.
    """
    named = settings.teacher.judge or settings.teacher.model
    if "judge" not in settings.dataset.stages or named == EXTRACTIVE:
        return None
    from pipeline.dataset.teachers.model import ModelJudge

    return ModelJudge(named_model(settings, named, "teacher.judge" if settings.teacher.judge else "teacher.model"))


def named_model(settings: Settings, named: str, key: str) -> StructuredModel:
    """The model called KIND:NAME.

    Args:
        settings: the site's settings; teacher.url and its key are those of the server.
        named: what it is called.
        key: the setting or option that names it, for errors.

    Raises:
        SettingsError: its kind is unknown.
        ModelError: its server can't be reached, or lacks the model.
    """
    kind, _, name = named.partition(":")
    if factory := TEACHERS.find(kind):
        return factory(settings, name, key)  # type: ignore[no-any-return]
    kinds = ", ".join([EXTRACTIVE, *(found if found == "engine" else f"{found}:NAME" for found in TEACHERS.kinds())])
    raise SettingsError(f"{key} is {named!r}: set it to one of {kinds}")
