"""Find sitetwin.toml, read it, and say what is wrong with it."""

import difflib
import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.errors import SettingsError
from pipeline.settings.learning import SystemSettings, VoiceSource
from pipeline.settings.sections import ContentSource, SettingsSection
from pipeline.settings.site import FILE_NAME, Settings


def find_settings_file(start: Path) -> Path:
    """The nearest sitetwin.toml, in `start` or a folder above it.

    Raises:
        SettingsError: there is none.
    """
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    raise SettingsError(f"no {FILE_NAME} in {start} or above it: run `sitetwin init` in your site's folder")


def load_settings(path: Path | None = None) -> Settings:
    """The settings of the file at `path`, else at SITETWIN_CONFIG, else of the nearest sitetwin.toml here or above.

    Raises:
        SettingsError: the file is missing, it is not TOML, or a key or value is unknown.
    """
    if path is None and (named := os.environ.get("SITETWIN_CONFIG")):
        path = Path(named)
    file = (path or find_settings_file(Path.cwd())).resolve()
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"{file} does not exist: run `sitetwin init` there, or name another file with --config"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is not valid TOML ({error}): mend that line") from None
    try:
        settings = Settings(root=file.parent, **values)
    except ValidationError as error:
        raise SettingsError(f"{file}: {_explain(error)}") from None
    settings._file = file
    return settings


def _explain(error: ValidationError) -> str:
    """The first problem of a settings file in one sentence, with the nearest known key."""
    problem: Any = error.errors()[0]
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] != "extra_forbidden":
        return f"{where}: {problem['msg'].removeprefix('Value error, ')}"
    fields = _fields_at(problem["loc"][:-1])
    near = difflib.get_close_matches(str(problem["loc"][-1]), fields, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known there: {', '.join(fields)}"
    return f"unknown key {where}: {hint}"


def _fields_at(location: tuple[str | int, ...]) -> list[str]:
    """The keys that the section at `location` knows; () is the file itself."""
    if not location:
        return [name for name in Settings.model_fields if name != "root"]
    if location[:2] == ("evaluation", "systems"):
        return list(SystemSettings.model_fields)
    section = Settings.model_fields[str(location[0])].annotation
    blocks: dict[str, Any] = {"content": ContentSource, "voice": VoiceSource}
    model = blocks.get(str(location[0]), section)
    assert isinstance(model, type)
    assert issubclass(model, SettingsSection)
    return list(model.model_fields)
