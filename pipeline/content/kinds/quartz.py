"""A digital garden of Quartz: a vault of Obsidian that is a site, https://quartz.jzhao.xyz."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.content.converting import MARKDOWN
from pipeline.content.frontmatter import words_of
from pipeline.content.kinds.kind import FoundFolder, Inherited, InheritedBy
from pipeline.content.kinds.obsidian import Obsidian
from pipeline.content.kinds.site_files import left_out, listed, program_text, project_of
from pipeline.content.urls import page_path
from pipeline.settings import Visibility

_CONFIG = "quartz.config.ts"


class Quartz(Obsidian):
    suffixes = MARKDOWN
    default_visibility: Visibility = "public"

    def find(self, project: Path) -> list[FoundFolder]:
        is_quartz = (project / _CONFIG).is_file() and (project / "content").is_dir()
        return [FoundFolder("content", "/{slug}", ("private/**", "templates/**"))] if is_quartz else []

    def inherited(self, root: Path) -> InheritedBy:
        file = self.configurations(root)[0]
        said = program_text(file)
        rule = left_out(root, file.parent / "content", listed(said, "ignorePatterns"))
        if not re.search(r"\bExplicitPublish\(", said):
            return rule
        return lambda path: Inherited({"publish": False}, {}, rule(path).is_left_out)

    def configurations(self, root: Path) -> list[Path]:
        return [(project_of(root, [_CONFIG]) or root) / _CONFIG]

    def is_of(self, folder: Path) -> bool:
        return (folder.parent / _CONFIG).is_file()

    def address(self, collection: str) -> str:
        return "/{slug}"

    def slug(self, path: str, values: Mapping[str, Any]) -> str:
        place = re.sub(r"\s", "-", page_path(path, "index", "_index")).replace("&", "-and-").replace("%", "-percent")
        return re.sub(r"[?#]", "", place).strip("/")

    def own_address(self, path: str, values: Mapping[str, Any]) -> str:
        return words_of(values, "permalink")


QUARTZ = Quartz()
