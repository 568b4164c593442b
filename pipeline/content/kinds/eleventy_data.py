"""What Eleventy's data files beside the notes say: https://www.11ty.dev/docs/data-template-dir/."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.content.frontmatter import lookup, with_inherited
from pipeline.content.globs import first_match
from pipeline.content.kinds.kind import NOTHING, Inherited
from pipeline.content.kinds.site_files import program_text, project_of, read_data, text_of
from pipeline.errors import ContentError

CONFIGURATIONS = (".eleventy.js", *(f"eleventy.config.{suffix}" for suffix in ("js", "mjs", "cjs", "ts", "mts", "cts")))
IGNORED = ".eleventyignore"
_READ = (".json", ".yaml", ".yml", ".11tydata.json", ".11tydata.yaml", ".11tydata.yml")
_PROGRAMS = (".11tydata.js", ".11tydata.mjs", ".11tydata.cjs", ".11tydata.ts", ".11tydata.mts")
"""The later one wins, and a program over all that is read."""
_COULD_HIDE = re.compile(
    r"\b(?:is)?(?:draft|private|hidden|unlisted|noindex|visibility|status|published?)\b|permalink[^\n]*\n?[^\n]*\bfalse\b",
    re.IGNORECASE,
)


class FolderData:
    """Answers for one source. A folder is listed once, and each file read once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._top = project_of(root, CONFIGURATIONS) or root
        self._files: dict[Path, frozenset[str]] = {}
        self._data: dict[Path, Mapping[str, Any]] = {}
        lines = [line for folder in {self._top, root} for line in text_of(folder / IGNORED).split("\n")]
        self._ignored = [line.strip() for line in lines if line.strip() and not line.startswith(("#", "!"))]

    def inherited(self, path: str) -> Inherited:
        """What the document at `path` below the source inherits."""
        place = self._root / path
        folders = [folder for folder in reversed(place.parents) if folder.is_relative_to(self._top)]
        values: Mapping[str, Any] = {}
        programs: list[str] = []
        try:
            for stem in (*(folder / folder.name for folder in folders), place.with_suffix("")):
                for file in self._beside(stem):
                    if file.name.endswith(_PROGRAMS):
                        programs += [file.name] if _COULD_HIDE.search(program_text(file)) else []
                    else:
                        values = _joined(values, self._read(file))
        except ContentError as error:
            return Inherited(fault=str(error))
        # its own `visibility: public` outweighs what can only be guessed
        doubt = {"visibility": "private"} if programs else {}
        outside = place.relative_to(self._top).as_posix()
        is_left_out = first_match(outside, self._ignored) is not None or first_match(path, self._ignored) is not None
        if not (values or doubt or is_left_out):
            return NOTHING
        return Inherited({**values, **doubt}, {}, is_left_out, note="; ".join(map(_not_run, programs)))

    def _beside(self, stem: Path) -> Iterator[Path]:
        """The data files of a folder or a document, whose path is `stem` with an ending; the later one wins."""
        folder = stem.parent
        if folder not in self._files:
            self._files[folder] = frozenset(file.name for file in folder.iterdir())
        return (
            stem.with_name(name) for end in (*_READ, *_PROGRAMS) if (name := stem.name + end) in self._files[folder]
        )

    def _read(self, file: Path) -> Mapping[str, Any]:
        if file not in self._data:
            self._data[file] = read_data(file)
        return self._data[file]


def _not_run(program: str) -> str:
    return (
        f"{program} is a program, which is not run, and may hide this document, so it is private: to show it, "
        "write `visibility: public` into its front matter"
    )


def _joined(outer: Mapping[str, Any], inner: Mapping[str, Any]) -> dict[str, Any]:
    """As Eleventy joins data: the inner value wins, but lists are joined."""
    joined = with_inherited(inner, outer)
    for key, value in inner.items():
        before = lookup(outer, key.casefold())
        if isinstance(value, list) and isinstance(before, list):
            joined[key] = [*before, *value]
    return joined


def configuration_files(root: Path) -> list[Path]:
    """The files, there or not, above the documents of `root` that say something about them."""
    top = project_of(root, CONFIGURATIONS) or root
    above = [folder for folder in root.parents if folder.is_relative_to(top)]
    data = [folder / f"{folder.name}{end}" for folder in above for end in (*_READ, *_PROGRAMS)]
    return [*(top / name for name in CONFIGURATIONS), *(folder / IGNORED for folder in {top, root}), *data]


def is_data(path: str) -> bool:
    """Whether the file at `path` may hold data of the documents beside it or below its folder."""
    name = PurePosixPath(path).name
    return name.endswith((*_READ, *_PROGRAMS))
