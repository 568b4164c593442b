"""A site of VitePress: https://vitepress.dev/guide/routing."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from textwrap import dedent
from typing import Any

from pipeline.content.code import mask_code
from pipeline.content.including import Includes
from pipeline.content.kinds.kind import ContentKind, FoundFolder, Inherited, InheritedBy
from pipeline.content.kinds.site_files import left_out, listed, program_text, project_of, site_base
from pipeline.content.slugs import own_anchor, plain_text, slugify
from pipeline.content.urls import page_path
from pipeline.settings import Visibility

_CONFIGS = [f".vitepress/config.{suffix}" for suffix in ("js", "ts", "mjs", "mts")]
_SOURCE = re.compile(r"\bsrcDir\s*:\s*[\"']([^\"']+)[\"']")
_CLEAN = re.compile(r"\bcleanUrls\s*:\s*true")
_CALL = re.compile(r"\{\{(?:[^{}]|\{[^{}]*\}){0,2000}\}\}|^[ \t]*<<<[^\n]*$|^\[\[toc\]\][ \t]*$", re.MULTILINE)

_REWRITES = re.compile(r"\brewrites\s*:\s*\{([^{}]*)\}")
_PAIR = re.compile(r"[\"']([^\"'\n]+)[\"']\s*:\s*[\"']([^\"'\n]+)[\"']")
_PARAMETER = re.compile(r":(\w+)(\([^()]*\))?([*+]?)|(\([^()]*\))|([^:(]+|.)")
_INCLUDE = re.compile(
    r"<!--\s*@include:\s*(?P<target>[^\s{}#<>]+?\.\w+)(?:#(?P<region>[\w-]+))?\s*(?:\{(?P<lines>\d*,?\d*)\})?\s*-->"
)
_CODE = re.compile(
    r"^([ \t]*)<<<[ \t]+(?P<target>[^\s#{}\[\]]+)(?:#(?P<region>[\w-]+))?[ \t]*(?:\{(?P<marks>[^{}\n]*)\})?[ \t]*(?:\[[^\n]*\])?[ \t]*$",
    re.MULTILINE,
)
_LANGUAGE = re.compile(r"(?:^|\s)([A-Za-z][\w#+-]*)(?::|$)")
_REGION = r"^[^\w\n]*(?:#?\s*pragma\s+|REM\s+)?#?\s*{}region\b"


class VitePress(ContentKind):
    default_visibility: Visibility = "public"

    def find(self, project: Path) -> list[FoundFolder]:
        for root in (".", "docs", "doc", "website"):
            config = next(
                (project / root / name for name in _CONFIGS if (project / root / name).is_file()),
                None,
            )
            if config:
                said = program_text(config)
                source = _SOURCE.search(said)
                path = PurePosixPath(root) / (source[1] if source else "")
                url = site_base(said, "base") + ("/{slug}" if _CLEAN.search(said) else "/{slug}.html")
                return [FoundFolder(str(path), url, ("README.md", "node_modules/**") if root == "." else ())]
        return []

    def inherited(self, root: Path) -> InheritedBy:
        project = project_of(root, _CONFIGS) or root
        said = "".join(map(program_text, self.configurations(root)))
        source = _SOURCE.search(said)
        base = (project / (source[1] if source else "")).resolve()
        hidden = left_out(root, base, listed(said, "srcExclude"))
        rewrites = [_rewrite(old, new) for block in _REWRITES.findall(said) for old, new in _PAIR.findall(block)]
        below = root.relative_to(base) if root.is_relative_to(base) else PurePosixPath()

        def rule(path: str) -> Inherited:
            place = (below / path).as_posix()
            moved = next((old.sub(new, place) for old, new in rewrites if old.fullmatch(place)), "")
            return replace(hidden(path), path=moved) if moved else hidden(path)

        return rule

    def configurations(self, root: Path) -> list[Path]:
        project = project_of(root, _CONFIGS) or root
        return [project / name for name in _CONFIGS]

    def slug(self, path: str, values: Mapping[str, Any]) -> str:
        folder = page_path(path, "index")
        is_index = folder != page_path(path)
        return f"{folder}/" if is_index and folder else folder

    def with_includes(self, text: str, includes: Includes) -> str:
        def part(call: re.Match[str]) -> str:
            target, region, lines = call.group("target", "region", "lines")
            at = [project_of(includes.file.parent, _CONFIGS) or includes.top] if target.startswith("@") else []
            found = includes.text(self.with_includes, target.removeprefix("@"), *(at or [includes.file.parent]))
            if found is None:
                return call[0]
            return _lines(_region(found, region) if region else found, lines or "")

        def code(call: re.Match[str]) -> str:
            target, region, marks = call.group("target", "region", "marks")
            said = _code(includes, target, region or "")
            if said is None:
                return call[0]
            named = _LANGUAGE.search(marks or "")
            language = named[1] if named else PurePosixPath(target).suffix[1:]
            fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`{3,}", said)), 3)
            return "\n".join(f"{call[1]}{line}" for line in (f"{fence}{language}", *said.split("\n"), fence))

        masked = mask_code(text)
        return _INCLUDE.sub(part, masked.restore(_CODE.sub(code, masked.text)))

    def drop_comments(self, text: str) -> str:
        return _CALL.sub("", text)


VITEPRESS = VitePress()


def _rewrite(old: str, new: str) -> tuple[re.Pattern[str], str]:
    """A rewrite as path-to-regexp reads it: `packages/:pkg/src/(.*)` to `:pkg/index.md`."""

    def part(found: re.Match[str]) -> str:
        name, own, repeated, group, plain = found.groups()
        if name:
            return f"(?P<{name}>{own[1:-1] if own else '.+' if repeated else '[^/]+'})"
        return group or re.escape(plain)

    try:
        return re.compile(_PARAMETER.sub(part, old)), re.sub(r":(\w+)[*+]?", r"\\g<\1>", new)
    except re.error:  # written in what only that library knows: the address is as if it weren't there
        return re.compile(r"(?!)"), ""


def _code(includes: Includes, target: str, region: str) -> str | None:
    """The code that `<<< target#region` takes in; None where there is none."""
    project = project_of(includes.file.parent, _CONFIGS) or includes.top
    source = _SOURCE.search("".join(program_text(project / name) for name in _CONFIGS))
    bases = [project / (source[1] if source else ""), project] if target.startswith("@") else [includes.file.parent]
    text = includes.code(target.removeprefix("@"), *bases)
    if text is None:
        return None
    if region:
        begins = re.search(rf"{_REGION.format('')}\s+{re.escape(region)}\b[^\n]*\n", text, re.MULTILINE)
        text = text[begins.end() :] if begins else ""
        inner, kept = 0, []
        for line in text.split("\n"):
            inner += bool(re.match(_REGION.format(""), line)) - bool(re.match(_REGION.format("end"), line))
            if inner < 0:
                break
            kept.append(line)
        text = "\n".join(kept)
    lines = [line for line in text.split("\n") if not re.match(_REGION.format("(?:end)?"), line)]
    return dedent("\n".join(lines)).strip("\n") or None


def _region(text: str, name: str) -> str:
    """What stands between `#region name` and `#endregion name` in `text`, or below the heading of that anchor."""
    marked = re.search(rf"<!--\s*#?region\s+{re.escape(name)}\s*-->(.*?)<!--\s*#?endregion\b[^>]*-->", text, re.DOTALL)
    if marked:
        return marked[1].strip("\n")
    for heading in re.finditer(r"^(#+)[ \t]+(.+)$", text, re.MULTILINE):
        words, anchor = own_anchor(heading[2])
        if name in (anchor.lstrip("#"), slugify(plain_text(words))):
            end = re.compile(rf"^#{{1,{len(heading[1])}}}[ \t]", re.MULTILINE).search(text, heading.end())
            return text[heading.start() : end.start() if end else len(text)].strip("\n")
    return ""


def _lines(text: str, span: str) -> str:
    """The lines of `text` that `span` names: `3,10`, `3,` or `,10`; all for ""."""
    if not span.strip(","):
        return text
    first, comma, last = span.partition(",")
    start = int(first or 1)
    end = int(last) if last else None if comma else start
    return "\n".join(text.split("\n")[start - 1 : end])
