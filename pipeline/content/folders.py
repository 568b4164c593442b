"""The folders that sitetwin.toml names as sources: what they are called, and what in them is not read."""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.content.converting import MARKDOWN, UNREAD, VAULT
from pipeline.content.globs import first_match
from pipeline.content.kinds import load_kind
from pipeline.content.kinds.kind import InheritedBy, RuleAgainst
from pipeline.content.visibility import is_marked_private, visibility_of
from pipeline.settings import ContentSource, Settings

SUFFIXES = (*MARKDOWN, *VAULT, *UNREAD)
"""Of the files that a source may report; its kind says which of them."""
_IGNORED_FOLDERS = ("node_modules",)


def is_ignored(name: str) -> bool:
    """Whether a file or folder of this name is nobody's text: hidden, of a tool, or an editor's for the moment."""
    return name.startswith((".", "~$")) or name in _IGNORED_FOLDERS


@dataclass(frozen=True, slots=True)
class Folder:
    """One source and where it is."""

    source: ContentSource
    name: str
    """The first part of its documents' ids; never two sources' at once."""
    root: Path
    inner: frozenset[Path]
    """Roots of other sources below it: the innermost source reads a file."""
    kind_rule: RuleAgainst
    """Of the source's kind."""
    inherited: InheritedBy
    """What a document has from its folder or the site's configuration."""
    top: Path
    """No file outside of it is taken into a document."""
    is_kept_back: Callable[[Path, Mapping[str, Any]], bool]
    """Whether the text of a file, with its front matter, is not to be taken into a document."""
    voices: frozenset[Path] = frozenset()
    """What [[voice]] names, which is no text to be found."""
    fault: str = ""
    """Why nothing in it can be read."""

    def rule_against(self, path: str) -> str:
        """The rule of the owner's that leaves out the file at `path` below the root, with the next step; "" for none."""
        if any((self.root / path).is_relative_to(voice) for voice in self.voices):
            return "named by [[voice]] in sitetwin.toml, which is never searched: take that entry out to have it read"
        if pattern := first_match(path, self.source.exclude):
            return f"excluded by {pattern!r} of its source in sitetwin.toml: take that out to have it read"
        return self.kind_rule(path)


def open_folders(settings: Settings) -> list[Folder]:
    """The folder of each source, in their order in sitetwin.toml."""
    found = [_resolve(settings, source) for source in settings.content]
    roots_of = [(source, root) for source, (root, _) in zip(settings.content, found, strict=True)]
    roots = Counter(root for root, _ in found)
    names = _names(list(roots))
    voices = _voices(settings)
    return [
        Folder(
            source,
            names[root],
            root,
            frozenset(other for other in roots if other != root and other.is_relative_to(root)),
            load_kind(source).rule_against(root),
            load_kind(source).inherited(root),
            settings.root if root.is_relative_to(settings.root) else root,
            partial(_is_kept_back, roots_of, voices),
            voices,
            fault
            or (
                "two [[content]] entries in sitetwin.toml name this folder: keep one of them" if roots[root] > 1 else ""
            ),
        )
        for source, (root, fault) in zip(settings.content, found, strict=True)
    ]


def _voices(settings: Settings) -> frozenset[Path]:
    found = set()
    for voice in settings.voice:
        with suppress(OSError, RuntimeError):  # not there: whoever reads it says so
            found.add(settings.source_path(voice))
    return frozenset(found)


def _is_kept_back(
    sources: list[tuple[ContentSource, Path]], voices: frozenset[Path], file: Path, values: Mapping[str, Any]
) -> bool:
    """Whether the file's front matter, or the rules of the source that it lies in, keep it from visitors.

    A file that is no page of its own, because its name begins with an underscore, is there to be taken in.
    """
    if is_marked_private(values) or any(file.is_relative_to(voice) for voice in voices):
        return True
    around = [(source, root) for source, root in sources if file.is_relative_to(root)]
    if not around:
        return False
    source, root = max(around, key=lambda one: len(one[1].parts))
    below = file.relative_to(root).as_posix()
    patterns = [*source.private, *source.exclude]
    if first_match(below, patterns) or first_match((source.path / below).as_posix(), patterns):
        return True
    return source.default_visibility == "private" and visibility_of(values, source, below) == "private"


def configurations(settings: Settings) -> frozenset[tuple[Path, int, int]]:
    """The files that say something about many documents, beside sitetwin.toml, with when each was modified and its size."""
    found = set()
    for source in settings.content:
        try:
            files = load_kind(source).configurations(settings.source_path(source))
        except (OSError, RuntimeError):  # not there now
            continue
        for file in files:
            with suppress(OSError):
                about = file.stat()
                found.add((file, about.st_mtime_ns, about.st_size))
    return frozenset(found)


def _resolve(settings: Settings, source: ContentSource) -> tuple[Path, str]:
    try:
        return settings.source_path(source), ""
    except (OSError, RuntimeError) as error:  # a loop of links, or no such user's home
        return settings.root / source.path, f"{error}: correct `path` of this [[content]] entry in sitetwin.toml"


def _names(roots: list[Path]) -> dict[Path, str]:
    """The last part of each path; where two would be the same, as many parts as tell them apart."""
    depths = dict.fromkeys(roots, 1)
    while True:
        names = {root: ".".join(root.parts[1:][-depth:]) or "root" for root, depth in depths.items()}
        taken = Counter(names.values())
        same = [root for root in roots if taken[names[root]] > 1 and depths[root] < len(root.parts)]
        if not same:
            return names
        for root in same:
            depths[root] += 1
