"""A site of Eleventy: https://www.11ty.dev/docs/permalinks/."""

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.content.converting import MARKDOWN
from pipeline.content.frontmatter import lookup, words_of
from pipeline.content.including import Includes
from pipeline.content.kinds.eleventy_data import CONFIGURATIONS, FolderData, configuration_files, is_data
from pipeline.content.kinds.kind import ContentKind, FoundFolder, InheritedBy, RuleAgainst
from pipeline.content.kinds.site_files import program_text, project_of
from pipeline.content.liquid import drop_liquid, with_included
from pipeline.content.slugs import slugify
from pipeline.content.urls import page_path
from pipeline.settings import Visibility

_INPUT = re.compile(r"\binput\s*:\s*[\"']([^\"']+)[\"']|setInputDirectory\(\s*[\"']([^\"']+)[\"']")
_DATED = re.compile(r"(^|/)\d{4}-\d\d-\d\d-(?=[^/]+$)")
_EXPRESSION = re.compile(r"\{\{-?\s*([\w.]+)\s*(?:\|\s*slug(?:ify)?\s*)?-?\}\}")
_OUTPUTS = ("_site", "_includes", "_layouts", "_data", "node_modules")
_OTHER = re.compile(
    r"\b(?:output|includes|layouts|data)\s*:\s*[\"']([^\"']+)[\"']"
    r"|set(?:Output|Includes|Layouts|Data)Directory\(\s*[\"']([^\"']+)[\"']"
)
"""Other names for these folders; that of the output is relative to the project, the others to the input."""

_TEMPLATES = (".njk", ".liquid", ".webc", ".vto", ".hbs", ".mustache", ".ejs", ".haml", ".pug")
"""Endings of pages in a template language, which only Eleventy can run."""


class Eleventy(ContentKind):
    default_visibility: Visibility = "public"
    suffixes = (*MARKDOWN, ".html", *_TEMPLATES)

    def find(self, project: Path) -> list[FoundFolder]:
        config = next((project / name for name in CONFIGURATIONS if (project / name).is_file()), None)
        if config is None:
            return []
        named = _INPUT.search(config.read_text(encoding="utf-8", errors="replace"))
        folder = ((named[1] or named[2]) if named else "src" if (project / "src").is_dir() else ".").strip("/") or "."
        is_there = (project / folder).is_dir()
        return [FoundFolder(folder.removeprefix("./"), "/{slug}/", ("README.md",))] if is_there else []

    def rule_against(self, root: Path) -> RuleAgainst:
        project = project_of(root, CONFIGURATIONS) or root
        said = "".join(program_text(project / name) for name in CONFIGURATIONS)
        named = [project / _OUTPUTS[0]] + [root / name for name in _OUTPUTS]
        for found in _OTHER.finditer(said):
            named += [project / (found[1] or found[2]), root / (found[1] or found[2])]
        top = root.resolve()
        others = {path.resolve() for path in named} - {top, project.resolve()}

        def rule(path: str) -> str:
            if not others.isdisjoint((top / path).parents):
                return "a part of the site's design, or its output: move it to another folder to have it read"
            if path.lower().endswith(_TEMPLATES):
                return "a template that only Eleventy can run: write the page in Markdown or HTML to have it read"
            return ""

        return rule

    def inherited(self, root: Path) -> InheritedBy:
        return FolderData(root).inherited

    def configurations(self, root: Path) -> list[Path]:
        return configuration_files(root)

    def governs(self, path: str) -> bool:
        return is_data(path)

    def has_no_page(self, values: Mapping[str, Any]) -> bool:
        return lookup(values, "permalink") is False

    def slug(self, path: str, values: Mapping[str, Any]) -> str:
        place = _DATED.sub(r"\1", page_path(path, "index"))
        file = PurePosixPath(place)
        return str(file.parent) if file.name and file.name == file.parent.name else place

    def own_address(self, path: str, values: Mapping[str, Any]) -> str:
        named = {
            "page.fileSlug": PurePosixPath(self.slug(path, values)).name,
            "page.filePathStem": self.slug(path, values),
        }
        filled = _EXPRESSION.sub(
            lambda found: named.get(found[1]) or slugify(words_of(values, found[1].casefold())) or found[0],
            words_of(values, "permalink"),
        )
        # what only a template language could fill in is left to the pattern
        return "" if "{" in filled else filled

    def with_includes(self, text: str, includes: Includes) -> str:
        top = includes.top
        above = [folder for folder in includes.file.parents if folder.is_relative_to(top)]
        return with_included(text, includes, [folder / "_includes" for folder in above])

    def drop_calls(self, text: str, values: Mapping[str, Any]) -> str:
        return text if lookup(values, "templateengineoverride") == "md" else drop_liquid(text, values)

    def drop_comments(self, text: str) -> str:
        return text


ELEVENTY = Eleventy()
