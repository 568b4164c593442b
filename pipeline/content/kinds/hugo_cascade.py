"""What Hugo passes down: `cascade` of the configuration and of sections, and what the page of a bundle says.

https://gohugo.io/content-management/front-matter/#cascade
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.content.frontmatter import lookup, with_inherited
from pipeline.content.globs import first_match
from pipeline.content.kinds.kind import NOTHING, Inherited
from pipeline.content.kinds.site_files import project_of, read_data
from pipeline.content.mending import read_front_matter
from pipeline.errors import ContentError

CONFIGURATIONS = [f"{stem}.{suffix}" for stem in ("hugo", "config") for suffix in ("toml", "yaml", "yml", "json")]
_ENVIRONMENTS = ("_default", "production")
_PARTS = ("cascade", "languages", "permalinks")
"""Keys of the configuration that may have a file of their own."""
_OF_FOLDER = [f"{stem}.{suffix}" for stem in ("hugo", "config", *_PARTS) for suffix in ("toml", "yaml", "yml", "json")]
_PAGE = re.compile(r"(_?index)(?:\.[\w-]+)?\.(?:md|markdown|mdx|html)")

CONFIGURATION_MARKS = (*CONFIGURATIONS, *(f"config/_default/{name}" for name in _OF_FOLDER))
"""One of these is in the folder of a site."""


def configuration_files(root: Path) -> list[Path]:
    """The files, there or not, that hold the configuration of the site around `root`."""
    project = project_of(root, CONFIGURATION_MARKS)
    if project is None:
        return []
    folders = (f"config/{environment}" for environment in _ENVIRONMENTS)
    return [project / name for name in CONFIGURATIONS] + [
        project / folder / name for folder in folders for name in _OF_FOLDER
    ]


_FIELDS = {
    "year": "{year}",
    "month": "{month}",
    "day": "{day}",
    "slug": "{title}",
    "title": "{title}",
    "filename": "{stem}",
    "contentbasename": "{stem}",
    "slugorfilename": "{slug}",
    "slugorcontentbasename": "{slug}",
}
_FIELD = re.compile(r":(\w+)")


def said_in(file: Path) -> Mapping[str, Any]:
    """The configuration that stands in `file`, one of `configuration_files`; {} where it isn't there.

    Raises:
        ContentError: it can't be read.
    """
    values = read_data(file)
    return {file.stem: values} if file.stem in _PARTS and values else values


def permalinks(project: Path) -> list[tuple[str, str]]:
    """Each section that the site's `permalinks` name, with the pattern of its pages as sitetwin writes it.

    A pattern that names what sitetwin can't fill in, such as `:monthname`, is left out.
    """
    found: dict[str, str] = {}
    for file in configuration_files(project):
        try:
            said = lookup(said_in(file), "permalinks")
        except ContentError:  # Hugo itself says what is wrong with it
            continue
        of_pages = said.get("page", said) if isinstance(said, Mapping) else {}
        for section, pattern in of_pages.items() if isinstance(of_pages, Mapping) else ():
            fields = {**_FIELDS, "section": str(section), "sections": str(section)}
            if isinstance(pattern, str) and all(name in fields for name in _FIELD.findall(pattern)):
                found[str(section)] = _FIELD.sub(lambda name, fields=fields: fields[name[1]], pattern)  # type: ignore[misc]
    return list(found.items())


class Cascade:
    """Answers for one source. A section's file is read once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        files = configuration_files(root)
        project = next((file.parent for file in files), root)
        self._fault, self._of_site, self._left_out = "", [], []
        content = "content"
        for file in files:
            try:
                said = said_in(file)
                self._left_out += _patterns(lookup(said, "ignorefiles"))
            except ContentError as error:
                self._fault = str(error)
                continue
            languages = lookup(said, "languages")
            inner = list(languages.values()) if isinstance(languages, Mapping) else []
            for part in (said, *(one for one in inner if isinstance(one, Mapping))):
                self._of_site += list(_entries(lookup(part, "cascade")))
            content = str(lookup(said, "contentdir") or content)
        base = project / content
        self._base = base if root.is_relative_to(base) else root
        self._sections: dict[Path, tuple[list[_Entry], Mapping[str, Any]]] = {}

    def inherited(self, path: str) -> Inherited:
        """What the document at `path` below the source inherits."""
        place = self._root / path
        folders = [folder for folder in reversed(place.parents) if folder.is_relative_to(self._base)]
        entries = list(self._of_site)
        bundle: Mapping[str, Any] = {}
        try:
            for folder in folders:
                passed, page = self._section(folder)
                entries += passed
                bundle = page or bundle
        except ContentError as error:
            return Inherited(fault=str(error))
        values: dict[str, Any] = {}
        relative = place.relative_to(self._base).as_posix()
        for target, passed_down in entries:
            if _is_meant(target, relative):
                values = with_inherited(passed_down, values)
        around: Mapping[str, Any] = {} if _PAGE.fullmatch(place.name) else bundle
        is_left_out = any(pattern.search(str(place)) for pattern in self._left_out)
        if not (values or around or is_left_out or self._fault):
            return NOTHING
        return Inherited(values, with_inherited(around, values) if around else {}, is_left_out, self._fault)

    def _section(self, folder: Path) -> tuple[list["_Entry"], Mapping[str, Any]]:
        """What the folder's own page passes down, and what it says if it is the page of a bundle."""
        if folder not in self._sections:
            passed: list[_Entry] = []
            page: dict[str, Any] = {}
            for file in sorted(folder.iterdir()) if folder.is_dir() else ():
                if found := _PAGE.fullmatch(file.name):
                    values = _front_matter(file)
                    passed += list(_entries(lookup(values, "cascade")))
                    page = page if found[1] == "_index" else with_inherited(page, values)
            self._sections[folder] = passed, page
        return self._sections[folder]


_Entry = tuple[Mapping[str, Any], Mapping[str, Any]]
"""Which pages are meant, and the front matter that they are given."""


def _front_matter(file: Path) -> Mapping[str, Any]:
    try:
        front = read_front_matter(file.read_text(encoding="utf-8-sig", errors="replace"))
    except ContentError as error:
        raise ContentError(f"{file.name} of its folder may hide it, so it is private: {error}") from None
    except OSError as error:
        raise ContentError(
            f"{file.name} of its folder may hide it, so it is private: {error}; mend its rights"
        ) from None
    if front.fault and ("cascade" in front.values or front.doubtful):
        raise ContentError(f"{file.name} of its folder may hide it, so it is private: {front.fault}")
    return front.values


def _entries(cascade: object) -> Iterator[_Entry]:
    for entry in cascade if isinstance(cascade, list) else [cascade]:
        if isinstance(entry, Mapping):
            targets = (entry[key] for key in ("target", "_target") if isinstance(entry.get(key), Mapping))
            yield (
                next(targets, {}),
                {str(key): value for key, value in entry.items() if key not in ("target", "_target")},
            )


def _is_meant(target: Mapping[str, Any], path: str) -> bool:
    """Whether `target` may mean the page at `path` below the content folder; languages and environments are not told apart."""
    file = PurePosixPath(path)
    is_branch = file.name.startswith("_index.")
    kind = ("home" if len(file.parts) == 1 else "section") if is_branch else "page"
    kinds = str(lookup(target, "kind") or kind).strip("{} ").lower().split(",")
    if kind not in map(str.strip, kinds):
        return False
    patterns = lookup(target, "path")
    if not patterns:
        return True
    place = file.parent if _PAGE.fullmatch(file.name) else file.with_suffix("")
    names = {str(file), str(place), re.sub(r"\.[a-z]{2}(?:-[a-z]{2})?$", "", str(place))}
    # below content/de, as Hugo has it, a path begins behind the language
    names |= {name.partition("/")[2] for name in names}
    wanted = patterns if isinstance(patterns, list) else [patterns]
    return any(_glob(str(pattern), name) for pattern in wanted for name in names if name != ".") or (
        str(place) == "." and any(str(pattern).strip("/{} ") in ("", "**", "*") for pattern in wanted)
    )


def _glob(pattern: str, name: str) -> bool:
    # a pattern such as /posts/** means the section itself too; where `{` stands around the slashes it goes inside
    inner = re.sub(r"\{([^{}]*)\}", lambda found: f"{{{found[1].replace(',/', ',').removeprefix('/')}}}", pattern)
    return first_match(name, [f"/{inner.lstrip('/').removesuffix('/**')}"]) is not None


def _patterns(value: object) -> list[re.Pattern[str]]:
    texts = value if isinstance(value, list) else [value] if isinstance(value, str) else []
    try:
        return [re.compile(str(text)) for text in texts]
    except re.error as error:
        raise ContentError(
            f"ignoreFiles of Hugo's configuration holds what can't be read ({error}), so this is private: write it more simply"
        ) from None
