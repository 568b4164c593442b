"""A site of Hugo: https://gohugo.io/content-management/urls/."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from pipeline.content.converting import MARKDOWN
from pipeline.content.frontmatter import lookup, words_of
from pipeline.content.including import Includes
from pipeline.content.kinds.hugo_cascade import (
    CONFIGURATION_MARKS,
    CONFIGURATIONS,
    Cascade,
    configuration_files,
    permalinks,
)
from pipeline.content.kinds.hugo_languages import Languages
from pipeline.content.kinds.kind import ContentKind, FoundFolder, Inherited, InheritedBy, RuleAgainst
from pipeline.content.kinds.site_files import project_of
from pipeline.content.shortcodes import drop_shortcodes
from pipeline.content.urls import ORIGIN, page_name, page_path
from pipeline.settings import Visibility

_LANGUAGE = re.compile(r"(.+)\.([a-z]{2}(?:-[a-z]{2})?)")
_INCLUDE = re.compile(
    r"\{\{[<%]\s*(?:\w*include\w*|read-?file\w*|embed-?md|snippet)\b[^{}\n]*?[\s=][\"'`]([^\"'`\n]+\.(?:md|markdown|txt))[\"'`][^{}\n]*[%>]\}\}",
    re.IGNORECASE,
)
"""Shortcodes that take in a file: Hugo has none of its own, and themes call them so."""
_LEFT_OUT = re.compile(r"[^\w\s\-./#+~@%]")


class Hugo(ContentKind):
    default_visibility: Visibility = "public"
    suffixes = (*MARKDOWN, ".org", ".rst", ".html", ".adoc")

    def find(self, project: Path) -> list[FoundFolder]:
        has_config = (
            any((project / name).is_file() for name in CONFIGURATIONS) or (project / "config/_default").is_dir()
        )
        return _folders(project) if has_config else []

    def rule_against(self, root: Path) -> RuleAgainst:
        return lambda path: (
            "a template of new pages: move it to another folder to have it read"
            if "archetypes" in path.split("/")[:-1]
            else ""
        )

    def inherited(self, root: Path) -> InheritedBy:
        rule, languages = Cascade(root).inherited, Languages(project_of(root, CONFIGURATION_MARKS) or root)

        def of(path: str) -> Inherited:
            moved = languages.place(path, root)
            return replace(rule(path), path=moved if moved != path else "", base=languages.base)

        return of

    def configurations(self, root: Path) -> list[Path]:
        return configuration_files(root)

    def governs(self, path: str) -> bool:
        return PurePosixPath(path).name.startswith(("_index.", "index."))

    def has_no_page(self, values: Mapping[str, Any]) -> bool:
        build = lookup(values, "build")
        withheld = [str(build.get(key, "")).casefold() for key in ("render", "list")] if isinstance(build, dict) else []
        return lookup(values, "headless") is True or any(word in ("never", "false") for word in withheld)

    def slug(self, path: str, values: Mapping[str, Any]) -> str:
        place = page_path(_language(path)[0], "index", "_index")
        if own := words_of(values, "slug").strip("/ "):
            place = str(PurePosixPath(place).with_name(own)) if place else own
        return _urlized(place)

    def title_slug(self, values: Mapping[str, Any], title: str) -> str:
        return words_of(values, "slug") or _urlized(title).replace("/", "-")

    def pattern(self, url: str, path: str, values: Mapping[str, Any]) -> str:
        plain, language = _language(path)
        origin = ORIGIN.match(url)
        start, rest = (origin[0], url[origin.end() :]) if origin else ("", url)
        rest = self._of_page(rest, plain, values).replace("{stem}", quote(page_name(plain)))
        return f"{start}/{language}{rest}" if language and rest else start * bool(rest) + rest

    def _of_page(self, url: str, path: str, values: Mapping[str, Any]) -> str:
        # `permalinks` are of pages: a section's own page is at its section, as far as the pattern tells where that is
        start = url.partition("{")[0]
        if PurePosixPath(path).name.startswith("_index.") and ("{year}" in url or "{title}" in url):
            return f"{start}{{slug}}/" if start.strip("/") else ""
        if "{year}" in url:  # `:slugorcontentbasename` is the name alone
            return url.replace("{slug}", quote(_urlized(words_of(values, "slug") or page_name(path))))
        return url

    def own_address(self, path: str, values: Mapping[str, Any]) -> str:
        own = words_of(values, "url")
        language = _language(path)[1]
        # one with a slash in front begins at the site's root, whatever the language
        return f"{language}/{own}" if own and language and not own.startswith("/") else own

    def with_includes(self, text: str, includes: Includes) -> str:
        def part(call: re.Match[str]) -> str:
            top, folder = includes.top, includes.file.parent
            bases = (folder, top / "content", top, top / "assets", top / "static")
            found = includes.text(self.with_includes, call[1], *bases)
            return call[0] if found is None else f"\n\n{found}\n\n"

        return _INCLUDE.sub(part, text)

    def drop_calls(self, text: str, values: Mapping[str, Any]) -> str:
        return drop_shortcodes(text)

    def drop_comments(self, text: str) -> str:
        return text


HUGO = Hugo()


def _folders(project: Path) -> list[FoundFolder]:
    """The folders of content, one for each language that has its own, and the sections with addresses of their own."""
    languages = Languages(project)
    places = languages.folders or {"": "content"}
    found: list[FoundFolder] = []
    for language, folder in places.items():
        if (project / folder).is_dir():
            start = languages.prefix(language)
            sections = [
                FoundFolder(f"{folder}/{name}", f"{start}{pattern}")
                for name, pattern in permalinks(project)
                if (project / folder / name).is_dir()
            ]
            found += [FoundFolder(folder, f"{start}/{{slug}}/"), *sections]
    return found


def _language(path: str) -> tuple[str, str]:
    """`path` without the language that its file's name ends in, `a.de.md`, and that language; "" for none."""
    file = PurePosixPath(path)
    marked = _LANGUAGE.fullmatch(file.stem)
    return (str(file.with_name(marked[1] + file.suffix)), marked[2]) if marked else (path, "")


def _urlized(text: str) -> str:
    """`text` as Hugo has it in an address: spaces, with what is left out between them, are one hyphen."""
    return re.sub(r"\s+", "-", _LEFT_OUT.sub("", text).strip()).lower()
