"""A site of MkDocs, also of its theme Material: https://www.mkdocs.org/user-guide/configuration/."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import yaml

from pipeline.content.frontmatter import load_yaml, with_inherited, words_of
from pipeline.content.including import Includes
from pipeline.content.kinds.kind import ContentKind, FoundFolder, Inherited, InheritedBy
from pipeline.content.kinds.site_files import left_out, project_of, read_data
from pipeline.content.slugs import slugify
from pipeline.content.urls import page_path
from pipeline.errors import ContentError
from pipeline.settings import Visibility

_CONFIGS = ("mkdocs.yml", "mkdocs.yaml")
_OF_FOLDER = ".meta.yml"
"""Front matter for all below its folder."""
_TAG = re.compile(r"(?<=[\s\[,])!!?[A-Za-z][\w:/.-]*")
"""Of a value that MkDocs makes by a program, such as `!ENV KEY`."""
_POST_FIELDS = {"date": "{year}/{month}/{day}", "slug": "{title}", "file": "{stem}", "categories": "{categories}"}
_SNIPPET = re.compile(r"^([ \t]*)-{1,}8<-{1,}[ \t]+[\"']([^\"'\n]+)[\"'][ \t]*$", re.MULTILINE)
_UNSHOWN = re.compile(
    r"^\*\[[^\[\]\n]+\]:[^\n]*(?:\n|\Z)|^[ \t]*\[TOC\][ \t]*$|[ ]?:(?:material|fontawesome|octicons|simple)-[\w-]+:",
    re.MULTILINE,
)
"""What an abbreviation means, the table of contents, pictures by name."""


class MkDocs(ContentKind):
    default_visibility: Visibility = "public"

    def find(self, project: Path) -> list[FoundFolder]:
        if not any((project / name).is_file() for name in _CONFIGS):
            return []
        try:
            said = _configuration(project)
        except ContentError:  # each document says so
            said = {}
        docs = str(PurePosixPath(str(said.get("docs_dir") or "docs")))
        if not (project / docs).is_dir():
            return []
        ending = "/" if said.get("use_directory_urls", True) else ".html"
        base = urlsplit(str(said.get("site_url") or "")).path.rstrip("/")
        found = [FoundFolder(docs, f"{base}/{{slug}}{ending}")]
        for blog, options in _blogs(said):
            pattern = str(options.get("post_url_format") or "{date}/{slug}")
            names = re.findall(r"\{(\w+)\}", pattern)
            is_usual = options.get("post_url_date_format", "yyyy/MM/dd") == "yyyy/MM/dd" or "date" not in names
            if (project / docs / blog / "posts").is_dir() and is_usual and all(name in _POST_FIELDS for name in names):
                address = re.sub(r"\{(\w+)\}", lambda name: _POST_FIELDS[name[1]], pattern)
                start = f"{base}/{blog}" if blog != "." else base
                found.append(FoundFolder(f"{docs}/{PurePosixPath(blog, 'posts')}", f"{start}/{address}{ending}"))
        return found

    def inherited(self, root: Path) -> InheritedBy:
        project = project_of(root, _CONFIGS) or root
        try:
            said = _configuration(project)
        except ContentError as error:
            fault = Inherited(fault=str(error))
            return lambda path: fault
        base = project / str(said.get("docs_dir") or "docs")
        lines = [
            line.strip() for key in ("exclude_docs", "draft_docs") for line in str(said.get(key) or "").split("\n")
        ]
        hidden = left_out(root, base, [line for line in lines if line and not line.startswith(("#", "!"))])
        of_folder: Callable[[Path], Mapping[str, Any]] = cache(read_data)

        def of(path: str) -> Inherited:
            values: Mapping[str, Any] = {}
            try:
                for folder in (root / path).parents:
                    if folder.is_relative_to(base):
                        values = with_inherited(values, of_folder(folder / _OF_FOLDER))
            except ContentError as error:
                return Inherited(fault=str(error))
            return replace(hidden(path), values=values) if values else hidden(path)

        return of

    def configurations(self, root: Path) -> list[Path]:
        project = project_of(root, _CONFIGS) or root
        return [*(project / name for name in _CONFIGS), *root.rglob(_OF_FOLDER)]

    def slug(self, path: str, values: Mapping[str, Any]) -> str:
        return page_path(path, "index", "readme")

    def title_slug(self, values: Mapping[str, Any], title: str) -> str:
        return words_of(values, "slug") or slugify(title)

    def with_includes(self, text: str, includes: Includes) -> str:
        def part(call: re.Match[str]) -> str:
            found = includes.text(
                self.with_includes, call[2], includes.top, includes.file.parent, includes.top / "docs"
            )
            return call[0] if found is None else found.replace("\n", f"\n{call[1]}").join((call[1], ""))

        return _SNIPPET.sub(part, text)

    def drop_comments(self, text: str) -> str:
        return _UNSHOWN.sub("", _SNIPPET.sub("", text))


MKDOCS = MkDocs()


def _configuration(project: Path) -> Mapping[str, Any]:
    """What stands in mkdocs.yml; {} where there is none.

    Raises:
        ContentError: it can't be read.
    """
    file = next((project / name for name in _CONFIGS if (project / name).is_file()), None)
    try:
        said = load_yaml(_TAG.sub("", file.read_text(encoding="utf-8-sig"))) if file else None
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:
        why = str(error).partition("\n")[0]
        raise ContentError(
            f"mkdocs.yml can't be read ({why}) and may hide this document, so it is private: mend it"
        ) from None
    return said if isinstance(said, Mapping) else {}


def _blogs(said: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The folder of each blog below the docs, and what the plugin is told."""
    plugins = said.get("plugins") or []
    entries = (
        plugins.items()
        if isinstance(plugins, Mapping)
        else [pair for one in plugins for pair in (one.items() if isinstance(one, Mapping) else [(one, None)])]
    )
    found = [
        options if isinstance(options, Mapping) else {}
        for name, options in entries
        if name in ("blog", "material/blog")
    ]
    return [(str(PurePosixPath(str(options.get("blog_dir") or "blog"))), options) for options in found]
