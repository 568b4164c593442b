"""A site of Docusaurus: https://docusaurus.io/docs/create-doc."""

import json
import posixpath
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.content.frontmatter import words_of
from pipeline.content.including import Includes, imported
from pipeline.content.kinds.kind import ContentKind, FoundFolder, InheritedBy
from pipeline.content.kinds.site_files import left_out, listed, program_text, project_of, site_base, text_of
from pipeline.content.urls import page_path
from pipeline.settings import Visibility

_CONFIGS = [f"docusaurus.config.{suffix}" for suffix in ("js", "ts", "mjs", "cjs", "mts", "cts")]
_PLACES = (".", "website", "documentation", "site", "docs")
"""Where in a project its site may lie."""
_DOCS_AT = re.compile(r"\bdocs\s*:\s*\{[^{}]*?\brouteBasePath\s*:\s*[\"']([^\"']*)[\"']")
_LAST = re.compile(r"\blastVersion\s*:\s*[\"']([^\"']+)[\"']")
_PLUGINS = ("docs", "blog", "pages")
_DATED = re.compile(r"(?:^|/)(\d{4})[-/](\d\d?)[-/](\d\d?)[-/](.+)$")
_NUMBERED = re.compile(r"(^|/)\d+\s*[-_.]+\s*(?=[^\d\s/._-])")
_NEW_ANCHOR = re.compile(r"\{/\*\s*(#[^\s{}]+)\s*\*/\}[ \t]*$", re.MULTILINE)


class Docusaurus(ContentKind):
    default_visibility: Visibility = "public"
    mdx_suffixes = (".md", ".mdx")

    def find(self, project: Path) -> list[FoundFolder]:
        for place in _PLACES:
            site = project / place
            config = next((site / name for name in _CONFIGS if (site / name).is_file()), None)
            if config:
                found = self._found(site, config)
                return [replace(one, path=posixpath.normpath(f"{place}/{one.path}")) for one in found]
        return []

    def _found(self, project: Path, config: Path) -> list[FoundFolder]:
        said = program_text(config)
        at, site = _DOCS_AT.search(said), site_base(said, "baseUrl")
        base = at[1].strip("/") if at else "docs"
        docs = f"/{base}/{{slug}}" if base else "/{slug}"
        # beside `website/` stand the docs of many a project
        places = {"docs": docs, "../docs": docs, "blog": "/blog/{slug}", "src/pages": "/{slug}"}
        if latest := _latest(project, config):  # what readers see there; `docs` is the next one
            places = {f"versioned_docs/version-{latest}": docs, "blog": "/blog/{slug}", "src/pages": "/{slug}"}
        languages = sorted((project / "i18n").iterdir()) if (project / "i18n").is_dir() else []
        for language in languages:
            of_docs, of_blog, of_pages = (f"i18n/{language.name}/docusaurus-plugin-content-{name}" for name in _PLUGINS)
            version = f"version-{latest}" if latest else "current"
            places |= {f"{of_docs}/{version}": docs, of_blog: "/blog/{slug}", of_pages: "/{slug}"}
        found = [
            FoundFolder(place, site + (f"/{place.split('/')[1]}{url}" if place.startswith("i18n/") else url))
            for place, url in places.items()
            if _has_markdown(project / place)
        ]
        return [one for one in found if one.path != "../docs" or not (project / "docs").is_dir()]

    def inherited(self, root: Path) -> InheritedBy:
        said = "".join(map(program_text, self.configurations(root)))
        return left_out(root, root, listed(said, "exclude"))

    def configurations(self, root: Path) -> list[Path]:
        files = [f"{place}/{name}" for place in _PLACES for name in _CONFIGS]
        project = project_of(root, files) or root
        return [project / file for file in files]

    def is_private(self, path: str) -> bool:
        # a part that other pages import, or one that is left out
        return any(part.startswith("_") for part in path.split("/"))

    def slug(self, path: str, values: Mapping[str, Any]) -> str:
        own = words_of(values, "slug")
        place = page_path(path, "index", "readme")
        if dated := _DATED.search(place):
            year, month, day, name = dated.groups()
            return own.strip("/") or f"{year}/{month.zfill(2)}/{day.zfill(2)}/{name}"
        file = PurePosixPath(_NUMBERED.sub(r"\1", place))
        folder = file.parent
        if own:
            return own.strip("/") if own.startswith("/") else _joined(folder, own)
        if file.name and file.name == folder.name:
            return str(folder)
        name = words_of(values, "id") or file.name
        return _joined(folder, name) if file.name else ""

    def with_includes(self, text: str, includes: Includes) -> str:
        return imported(text, includes, lambda target, file: [includes.top, includes.top / "website"])

    def drop_calls(self, text: str, values: Mapping[str, Any]) -> str:
        return _NEW_ANCHOR.sub(r"{\1}", text)

    def drop_comments(self, text: str) -> str:
        return text


DOCUSAURUS = Docusaurus()


def _latest(project: Path, config: Path) -> str:
    """The version of the docs that is shown first; "" for what lies in `docs`."""
    try:
        versions = json.loads(text_of(project / "versions.json") or "[]")
    except ValueError:
        return ""
    named = _LAST.search(program_text(config))
    latest = named[1] if named else next(iter(versions if isinstance(versions, list) else []), "")
    return str(latest) if (project / f"versioned_docs/version-{latest}").is_dir() else ""


def _joined(folder: PurePosixPath, name: str) -> str:
    return str(folder / name.strip("/")).removeprefix("./")


def _has_markdown(folder: Path) -> bool:
    return folder.is_dir() and any(file.suffix in (".md", ".mdx") for file in folder.rglob("*.md*"))
