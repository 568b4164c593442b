"""What Jekyll's configuration says of many pages: `defaults`, `exclude`, collections that have no pages.

https://jekyllrb.com/docs/configuration/front-matter-defaults/
"""

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.content.frontmatter import with_inherited
from pipeline.content.globs import first_match
from pipeline.content.kinds.kind import NOTHING, Inherited
from pipeline.content.kinds.site_files import project_of, read_data
from pipeline.errors import ContentError

CONFIGURATIONS = ("_config.yml", "_config.yaml", "_config.toml")
_DATED = re.compile(r"\d{4}-\d\d?-\d\d?-")


def configuration_file(root: Path) -> Path | None:
    """The configuration of the site around `root`."""
    project = project_of(root, CONFIGURATIONS)
    if project is None:
        return None
    return next(project / name for name in CONFIGURATIONS if (project / name).is_file())


class Defaults:
    """Answers for one source."""

    def __init__(self, root: Path) -> None:
        self._fault = ""
        file = configuration_file(root)
        try:
            config = read_data(file) if file else {}
        except ContentError as error:
            config, self._fault = {}, str(error)
        self._below = root.relative_to(file.parent) if file else Path()
        said = [one for one in _listed(config.get("defaults")) if isinstance(one, Mapping)]
        # the longer path wins, then the one that names a type, then the later one
        self._defaults = sorted(said, key=lambda one: (len(_scope(one, "path")), bool(_scope(one, "type"))))
        self._excluded = [str(pattern) for pattern in _listed(config.get("exclude"))]
        collections = config.get("collections")
        self._without_pages = (
            {name for name, of in collections.items() if isinstance(of, Mapping) and of.get("output") is False}
            if isinstance(collections, Mapping)
            else set()
        )

    def inherited(self, path: str) -> Inherited:
        """What the document at `path` below the source inherits."""
        place = (self._below / path).as_posix()
        type = _type(place)
        values: dict[str, Any] = {}
        for one in self._defaults:
            given = one.get("values")
            if (
                isinstance(given, Mapping)
                and _scope(one, "type") in ("", type)
                and _is_below(place, _scope(one, "path"))
            ):
                values = with_inherited({str(key): value for key, value in given.items()}, values)
        is_left_out = type in self._without_pages or first_match(place, self._excluded) is not None
        return Inherited(values, {}, is_left_out, self._fault) if values or is_left_out or self._fault else NOTHING


def _scope(default: Mapping[str, Any], key: str) -> str:
    scope = default.get("scope")
    return str(scope.get(key) or "").strip("/ ") if isinstance(scope, Mapping) else ""


def _type(place: str) -> str:
    parts = PurePosixPath(place).parts
    folders = [part[1:] for part in parts[:-1] if part.startswith("_")]
    if "posts" in folders and _DATED.match(parts[-1]):
        return "posts"
    return folders[0] if folders else "pages"


def _is_below(place: str, scope: str) -> bool:
    """Whether the path of a scope holds for `place`, both from the site's folder: it begins so, or matches its stars."""
    if "*" in scope:
        return first_match(place, [f"/{scope}"]) is not None
    return place.startswith(scope)


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
