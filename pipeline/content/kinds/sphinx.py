"""A site of Sphinx: https://www.sphinx-doc.org/en/master/usage/configuration.html."""

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.content.converting import MARKDOWN
from pipeline.content.kinds.kind import ContentKind, FoundFolder, InheritedBy
from pipeline.content.kinds.site_files import left_out, project_of, text_of
from pipeline.content.myst import drop_directives
from pipeline.content.urls import page_path
from pipeline.settings import Visibility

_CONFIG = "conf.py"
_PLACES = ("docs", "doc", "docs/source", "doc/source", "source", ".")
_AROUND = ("docs/*", "doc/*", "*", "*/source")
_FIRST = ("index.rst", "index.md", "contents.rst")
_LEFT_OUT = re.compile(r"^exclude_patterns\s*(?:\+?=)\s*\[([^\]]*)\]", re.MULTILINE)
_STRING = re.compile(r"[\"']([^\"'\n]+)[\"']")


class Sphinx(ContentKind):
    default_visibility: Visibility = "public"
    suffixes = (*MARKDOWN, ".rst")
    has_formulas = True

    def find(self, project: Path) -> list[FoundFolder]:
        others = sorted(file.parent for around in _AROUND for file in project.glob(f"{around}/{_CONFIG}"))
        places = [*_PLACES, *(folder.relative_to(project).as_posix() for folder in others)]
        found = [
            place
            for place in places
            if (project / place / _CONFIG).is_file() and any((project / place / name).is_file() for name in _FIRST)
        ]
        return [FoundFolder(place, "/{slug}.html", ("_build/**", "_templates/**")) for place in found[:1]]

    def inherited(self, root: Path) -> InheritedBy:
        file = self.configurations(root)[0]
        said = re.sub(r"^[ \t]*#.*$", "", text_of(file), flags=re.MULTILINE)
        patterns = [pattern for found in _LEFT_OUT.findall(said) for pattern in _STRING.findall(found)]
        # as Sphinx has it, from the folder of conf.py and not at any depth
        return left_out(
            root, file.parent, [f"./{pattern}" if "/" in pattern else f"/{pattern}" for pattern in patterns]
        )

    def configurations(self, root: Path) -> list[Path]:
        return [(project_of(root, [_CONFIG]) or root) / _CONFIG]

    def slug(self, path: str, values: Mapping[str, Any]) -> str:
        place = page_path(path)
        return f"{PurePosixPath(place).parent}/" if place.endswith("/index") else "" if place == "index" else place

    def drop_calls(self, text: str, values: Mapping[str, Any]) -> str:
        return drop_directives(text)


SPHINX = Sphinx()
