"""A site of VitePress: https://vitepress.dev/guide/routing."""

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.content.kinds.kind import ContentKind, FoundFolder, InheritedBy
from pipeline.content.kinds.site_files import left_out, listed, program_text, project_of
from pipeline.content.urls import page_path
from pipeline.settings import Visibility

_CONFIGS = [f".vitepress/config.{suffix}" for suffix in ("js", "ts", "mjs", "mts")]
_SOURCE = re.compile(r"\bsrcDir\s*:\s*[\"']([^\"']+)[\"']")
_CLEAN = re.compile(r"\bcleanUrls\s*:\s*true")
_CALL = re.compile(r"\{\{(?:[^{}]|\{[^{}]*\}){0,2000}\}\}|^<<<[^\n]*$|^\[\[toc\]\][ \t]*$", re.MULTILINE)


class VitePress(ContentKind):
    default_visibility: Visibility = "public"

    def find(self, project: Path) -> list[FoundFolder]:
        for root in (".", "docs", "doc", "website"):
            config = next(
                (project / root / name for name in _CONFIGS if (project / root / name).is_file()),
                None,
            )
            if config:
                said = config.read_text(encoding="utf-8", errors="replace")
                source = _SOURCE.search(said)
                path = PurePosixPath(root) / (source[1] if source else "")
                url = "/{slug}" if _CLEAN.search(said) else "/{slug}.html"
                return [FoundFolder(str(path), url, ("README.md", "node_modules/**") if root == "." else ())]
        return []

    def inherited(self, root: Path) -> InheritedBy:
        project = project_of(root, _CONFIGS) or root
        said = "".join(map(program_text, self.configurations(root)))
        source = _SOURCE.search(said)
        return left_out(root, (project / (source[1] if source else "")).resolve(), listed(said, "srcExclude"))

    def configurations(self, root: Path) -> list[Path]:
        project = project_of(root, _CONFIGS) or root
        return [project / name for name in _CONFIGS]

    def slug(self, path: str, values: Mapping[str, Any]) -> str:
        folder = page_path(path, "index")
        is_index = folder != page_path(path)
        return f"{folder}/" if is_index and folder else folder

    def drop_comments(self, text: str) -> str:
        return _CALL.sub("", text)


VITEPRESS = VitePress()
