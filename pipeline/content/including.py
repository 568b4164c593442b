"""Text that a page takes in from other files of its site: it is read with the page, so what readers see there is found."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.content.code import mask_code
from pipeline.content.converting import MARKDOWN, decode
from pipeline.content.mending import FrontMatter, read_front_matter
from pipeline.errors import ContentError

_SUFFIXES = (*MARKDOWN, ".txt")
_LONGEST_CODE = 200_000
_DEEPEST = 5
"""Files that take in each other end somewhere."""
_IMPORT = re.compile(r"^import\s+([A-Z]\w*)\s+from\s+[\"']([^\"'\n]+\.mdx?)[\"']", re.MULTILINE)

Version = tuple[int, int] | None
"""When a file was modified and its size; None: it wasn't there."""


@dataclass(slots=True)
class Includes:
    """Reads what one document takes in.

    Args:
        top: nothing outside of this folder is read.
        file: the document, or the file that it took in.
        is_kept_back: whether a file with this front matter is kept from visitors.
    """

    top: Path
    file: Path
    is_kept_back: Callable[[Path, Mapping[str, Any]], bool]
    looked_at: dict[Path, Version] = field(default_factory=dict)
    """Every file that was looked for."""
    left_out: list[str] = field(default_factory=list)
    """Names of the files that are private."""
    _around: tuple[Path, ...] = ()

    def text(self, expand: "Callable[[str, Includes], str]", target: str, *bases: Path) -> str | None:
        """The text of the file `target` in the first of the folders `bases` that has it; None where there is none to take.

        Args:
            expand: takes in what the text itself takes in.
        """
        file = next((found for base in bases if (found := self._found(base / target.lstrip("/")))), None)
        if file is None or file in (*self._around, self.file) or len(self._around) >= _DEEPEST:
            return None
        try:
            front = read_front_matter(decode(file.read_bytes()))
        except (ContentError, OSError):  # it has a report of its own where it is a document
            return None
        if front.doubtful or self.is_kept_back(file, front.values):
            self.left_out.append(file.name)
            return ""
        inner = Includes(self.top, file, self.is_kept_back, self.looked_at, self.left_out, (*self._around, self.file))
        return expand(front.body, inner).strip("\n")

    def code(self, target: str, *bases: Path) -> str | None:
        """What stands in the file `target`, of any kind, in the first of the folders `bases` that has it; None for no text.

        A file of more than 200,000 bytes is not taken in.
        """
        places = (base / target.lstrip("/") for base in bases)
        file = next((found for place in places if (found := self._found(place, any_suffix=True))), None)
        if file is None or (self.looked_at[file] or (0, 0))[1] > _LONGEST_CODE:
            return None
        try:
            text = decode(file.read_bytes())
            front = read_front_matter(text) if file.suffix.lower() in _SUFFIXES else FrontMatter({}, text)
        except (ContentError, OSError):
            return None
        if front.doubtful or self.is_kept_back(file, front.values):
            self.left_out.append(file.name)
            return None
        return text

    def _found(self, path: Path, *, any_suffix: bool = False) -> Path | None:
        path = Path(os.path.normpath(path))
        if not (any_suffix or path.suffix.lower() in _SUFFIXES) or not path.is_relative_to(self.top):
            return None
        if any(part.startswith(".") for part in path.relative_to(self.top).parts):
            return None
        self.looked_at[path] = version = version_at(path)
        return path if version and path.resolve().is_relative_to(self.top.resolve()) else None


def version_at(path: Path) -> Version:
    """The version of the ordinary file at `path`."""
    try:
        about = path.stat()
    except OSError:
        return None
    return (about.st_mtime_ns, about.st_size) if path.is_file() else None


def imported(text: str, includes: Includes, resolve: Callable[[str, Path], list[Path]]) -> str:
    """`text`, MDX, with the Markdown that it imports in the place of each `<Part />`.

    Args:
        resolve: the folders in which a target that begins with no dot is looked for.
    """
    masked = mask_code(text, mdx=True)

    def expand(body: str, inner: Includes) -> str:
        return imported(body, inner, resolve)

    shown = masked.text
    for name, target in _IMPORT.findall(masked.text):
        tag = re.compile(rf"<{name}\b(?:[^<>{{}}]|\{{[^{{}}]*\}})*(?:/>|>\s*</{name}>)")
        if not tag.search(shown):
            continue
        bases = [includes.file.parent] if target.startswith(".") else resolve(target, includes.file)
        inside = re.sub(r"^(?:@site|@|~)/", "", target)
        if (part := includes.text(expand, inside, *bases)) is not None:
            shown = tag.sub(lambda _, part=part: f"\n\n{part}\n\n", shown)  # type: ignore[misc]
    return masked.restore(shown)
