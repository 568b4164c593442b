"""A site of Jekyll: https://jekyllrb.com/docs/permalinks/."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.content.converting import MARKDOWN
from pipeline.content.frontmatter import lookup, words_of
from pipeline.content.including import Includes
from pipeline.content.kinds.jekyll_defaults import CONFIGURATIONS, Defaults, configuration_file
from pipeline.content.kinds.kind import ContentKind, FoundFolder, InheritedBy, RuleAgainst
from pipeline.content.kinds.site_files import folder_of, project_of, read_data
from pipeline.content.liquid import drop_liquid, with_included
from pipeline.content.urls import page_path
from pipeline.errors import ContentError
from pipeline.settings import Visibility

_DATED = re.compile(r"\d{4}-\d\d?-\d\d?-")
_STYLES = {
    "date": "/:categories/:year/:month/:day/:title.html",
    "pretty": "/:categories/:year/:month/:day/:title/",
    "none": "/:categories/:title.html",
}
_FIELDS = {
    ":year": "{year}",
    ":month": "{month}",
    ":day": "{day}",
    ":categories": "{categories}",
    ":output_ext": ".html",
}
_NAMES = re.compile(r":(?:title|slug|path|name)\b")
_OF_THE_SITE = ("_includes", "_layouts", "_sass", "_data", "_site", "vendor", "node_modules")
_ATTRIBUTES = re.compile(r"^[ \t]*\{:[^{}\n]*\}[ \t]*$|(?<=\S)\{:[^{}#\n]*\}", re.MULTILINE)
_OWN_ANCHOR = re.compile(r"^(#{1,6}[^\n]*)\n\{:\s*(#[^\s{}]+)[^{}\n]*\}[ \t]*$", re.MULTILINE)


class Jekyll(ContentKind):
    default_visibility: Visibility = "public"
    suffixes = (*MARKDOWN, ".html")

    def find(self, project: Path) -> list[FoundFolder]:
        file = configuration_file(project)
        if file is None or file.parent != project:
            return []
        config = _config(file)
        pattern = str(config.get("permalink", "date"))
        collections = config.get("collections") or {}
        named = {key: {} for key in collections} if isinstance(collections, list) else collections
        found = [FoundFolder(".", _page_pattern(pattern), tuple(map(str, config.get("exclude") or ())))]
        for name, options in {"posts": {}, **named}.items():
            own = options if isinstance(options, dict) else {}
            if (project / f"_{name}").is_dir() and (name == "posts" or own.get("output")):
                default = pattern if name == "posts" else "/:collection/:path.html"
                found.append(FoundFolder(f"_{name}", _pattern(str(own.get("permalink", default)), name)))
        return found

    def rule_against(self, root: Path) -> RuleAgainst:
        file = configuration_file(root)
        output = str(PurePosixPath(str(_config(file).get("destination", "_site")))) if file else "_site"
        return lambda path: (
            "a part of the site's design, or its output: move it to another folder to have it read"
            if path.partition("/")[0] in (*_OF_THE_SITE, output)
            else ""
        )

    def inherited(self, root: Path) -> InheritedBy:
        file, rule = configuration_file(root), Defaults(root).inherited
        base = folder_of(_config(file).get("baseurl")) if file else ""
        return (lambda path: replace(rule(path), base=base)) if base else rule

    def configurations(self, root: Path) -> list[Path]:
        project = project_of(root, CONFIGURATIONS) or root
        return [project / name for name in CONFIGURATIONS]

    def is_private(self, path: str) -> bool:
        return any(part.startswith("_") and part != "_posts" for part in path.split("/"))

    def slug(self, path: str, values: Mapping[str, Any]) -> str:
        place = page_path(path, "index")
        name = words_of(values, "slug").strip("/ ") or _DATED.sub("", PurePosixPath(place).name)
        if _DATED.match(PurePosixPath(path).name):
            return name
        return str(PurePosixPath(place).with_name(name)) if place else ""

    def own_address(self, path: str, values: Mapping[str, Any]) -> str:
        permalink = words_of(values, "permalink")
        return "" if permalink in _STYLES or ":" in permalink else permalink

    def with_includes(self, text: str, includes: Includes) -> str:
        return with_included(text, includes, [includes.top / "_includes"])

    def drop_calls(self, text: str, values: Mapping[str, Any]) -> str:
        text = text if lookup(values, "renderwithliquid") is False else drop_liquid(text, values)
        return _ATTRIBUTES.sub("", _OWN_ANCHOR.sub(r"\1 {\2}", text))

    def drop_comments(self, text: str) -> str:
        return text


JEKYLL = Jekyll()


def _config(file: Path) -> Mapping[str, Any]:
    """The site's settings; {} where they can't be read: Jekyll itself says what is wrong with them."""
    try:
        return read_data(file)
    except ContentError:
        return {}


def _pattern(permalink: str, collection: str) -> str:
    """Jekyll's permalink as a pattern of ours."""
    pattern = _STYLES.get(permalink, permalink).replace(":collection", collection)
    for theirs, ours in _FIELDS.items():
        pattern = pattern.replace(theirs, ours)
    return _NAMES.sub("{slug}", pattern)


def _page_pattern(permalink: str) -> str:
    """Of pages, for which only the end of the site's permalink counts."""
    return "/{slug}/" if _STYLES.get(permalink, permalink).endswith("/") else "/{slug}.html"
