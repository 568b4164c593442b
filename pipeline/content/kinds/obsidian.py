"""A vault of Obsidian."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.content.code import OPEN
from pipeline.content.converting import MARKDOWN, UNREAD, VAULT
from pipeline.content.html import drop_between
from pipeline.content.kinds.kind import NOTHING, ContentKind, Inherited, InheritedBy, RuleAgainst
from pipeline.content.kinds.site_files import project_of, read_data
from pipeline.content.properties import property_lines
from pipeline.errors import ContentError

_TEMPLATE_KEYS = {"templates.json": "folder", "plugins/templater-obsidian/data.json": "templates_folder"}
TEMPLATE_SETTINGS = frozenset(file.rpartition("/")[2] for file in _TEMPLATE_KEYS)
"""Names of the files in which Obsidian says which folders hold templates."""
_PUBLISH = ".obsidian/publish.json"
"""Which folders Obsidian Publish leaves out."""
_HIGHLIGHT = re.compile(r"==(?=[^\s=])((?:[^\n=]|=(?!=))*?[^\s=])==")
_BLOCK_ID = re.compile(r"(?:^|(?<![ \t])[ \t]+)\^[A-Za-z0-9-]+[ \t]*$", re.MULTILINE)
_TAG = re.compile(rf"(?<!\S)#([^\s#.,;:!?()\[\]{{}}\"'`<>|\\*{OPEN}]+)")

# What plugins run (Dataview, Tasks, Templater, buttons), and what Excalidraw writes for who has not installed it. The
# results of a query that stand in the file are text.
_PLUGIN = re.compile(
    r"^(?P<indent>[ \t>]*)(?P<fence>```+|~~~+)[ \t]*(?:dataview|dataviewjs|tasks|query|button|templater|meta-bind\S*|chart"
    r"|compressed-json)\b[^\n]*\n(?:(?!(?P=indent)(?P=fence))(?:[^\n]*\n|[^\n]+\Z))*(?:(?P=indent)(?P=fence)[`~]*[ \t]*(?:\n|\Z)|\Z)"
    r"|`(?:\$=|=[ \t]*(?:this\b|dv\.|date\w*\(|choice\(|length\(|link\(|\[\[))[^`\n]*`|<%(?:(?!%>|<%).){0,5000}%>|^[^\n]*Switch to EXCALIDRAW VIEW[^\n]*\n?",
    re.MULTILINE | re.DOTALL,
)


class Obsidian(ContentKind):
    suffixes = (*MARKDOWN, *VAULT, *UNREAD)
    is_named_by_file = True
    has_formulas = True

    def is_of(self, folder: Path) -> bool:
        return (folder / ".obsidian").is_dir()

    def address(self, collection: str) -> str:
        return ""

    def rule_against(self, root: Path) -> RuleAgainst:
        templates = _templates(root)

        def rule(path: str) -> str:
            is_template = (
                any(part.casefold() == "templates" for part in path.split("/")[:-1])
                if templates is None
                else any(path.startswith(f"{folder}/") for folder in templates)
            )
            return "a template of the vault: move it to another folder to have it read" if is_template else ""

        return rule

    def inherited(self, root: Path) -> InheritedBy:
        vault = project_of(root, [_PUBLISH])
        try:
            values = read_data(vault / _PUBLISH) if vault else {}
        except ContentError as error:
            unread = Inherited(fault=str(error))
            return lambda path: unread
        folders = [str(one).strip("/") for one in values.get("excluded") or ()]
        hidden = Inherited({"publish": False})
        base = vault or root
        return lambda path: (
            hidden if any((root / path).is_relative_to(base / folder) for folder in folders) else NOTHING
        )

    def configurations(self, root: Path) -> list[Path]:
        return [(project_of(root, [".obsidian/app.json", _PUBLISH]) or root) / _PUBLISH]

    def drop_calls(self, text: str, values: Mapping[str, Any]) -> str:
        return _PLUGIN.sub("", text)

    def drop_comments(self, text: str) -> str:
        return drop_between(text, "%%", "%%", to_the_end=True)

    def read_marks(self, text: str) -> tuple[str, tuple[str, ...]]:
        text = _BLOCK_ID.sub("", _HIGHLIGHT.sub(r"\1", text))
        return text, tuple(tag for tag in _TAG.findall(text) if not tag.isdigit())

    def with_front_matter(self, values: Mapping[str, Any], text: str) -> str:
        return f"{property_lines(values)}\n\n{text}".strip()


OBSIDIAN = Obsidian()


def _templates(root: Path) -> tuple[str, ...] | None:
    """The template folders that the settings of the vault around `root` name, relative to `root`."""
    vault = next((folder for folder in (root, *root.parents) if (folder / ".obsidian").is_dir()), None)
    if vault is None:
        return None
    below = [vault / folder for folder in _named_templates(vault / ".obsidian")]
    inside = [folder.relative_to(root).as_posix() for folder in below if folder.is_relative_to(root)]
    return tuple(inside) if below else None


def _named_templates(settings: Path) -> Iterator[str]:
    for file, key in _TEMPLATE_KEYS.items():
        try:
            values = json.loads((settings / file).read_text(encoding="utf-8"))
        except (OSError, ValueError):  # no such plug-in, or in the middle of being written: the folder's name decides
            continue
        named = values.get(key) if isinstance(values, dict) else None
        if isinstance(named, str) and named.strip("/ "):
            yield named.strip("/ ")
