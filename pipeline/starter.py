"""`sitetwin init`: a first sitetwin.toml, its choices explained in the file."""

import platform
import sys
from pathlib import Path

from pipeline.errors import SettingsError
from pipeline.settings import FILE_NAME

_CANDIDATES = ("src/content", "content", "docs", "notes", "posts", ".")


def write_settings(folder: Path, content: Path | None, *, force: bool = False) -> Path:
    """Write the file into `folder` and return its path.

    Raises:
        SettingsError: there is one already and `force` is not set, or `content` is no folder.
    """
    file = folder / FILE_NAME
    if file.exists() and not force:
        raise SettingsError(f"{file} exists: edit it, or write it anew with --force")
    if content is None:
        content = Path(next(name for name in _CANDIDATES if (folder / name).is_dir()))
    elif not (folder / content).is_dir():
        raise SettingsError(f"{content} is no folder: name the one that holds your Markdown with --content")
    kind = _kind(folder / content)
    file.write_text(_text(folder, content, kind), encoding="utf-8")
    return file


def _kind(content: Path) -> str:
    if (content / ".obsidian").is_dir():
        return "obsidian"
    parts = content.resolve().parts
    return "astro" if "content" in parts[-2:] else "markdown"


def _is_apple_silicon() -> bool:
    return sys.platform == "darwin" and platform.machine() == "arm64"


def _text(folder: Path, content: Path, kind: str) -> str:
    if _is_apple_silicon():
        models = """# On this Mac MLX can run a large model. The first start fetches 8 GB from the model hub.
# "demo" is small, needs no hub, and shows that everything works.
chat = "mlx-community/gemma-3-12b-it-4bit"
"""
    else:
        models = """# "demo" is SmolLM2-135M-Instruct: it needs no model hub and no GPU, and it is tiny.
# For better answers name an MLX model (a hub id or a folder), or use a server you have:
# with Ollama set chat = "ollama:gemma3:12b".
chat = "demo"
"""
    # Below `content` a slug begins with its collection; a collection named by itself has to be put in front.
    collection = "" if content.name == "content" else f"/{content.name}"
    address = {"astro": f"{collection}/{{slug}}/", "obsidian": "", "markdown": "/notes/{slug}"}[kind]
    visibility = "public" if kind == "astro" else "private"
    return f'''[site]
name = "{_toml(folder.resolve().name)}"
description = "Ask me about my notes."
# Suggested before the first message; without any they are made from your titles.
questions = []

[[content]]
path = "{_toml(content.as_posix())}"
# astro: front matter and slugs as in a content collection; obsidian: a vault; markdown: a plain folder.
kind = "{kind}"
# Where a citation links to. {{slug}}, {{path}}, {{stem}}, {{year}}, {{month}}, {{day}} are filled in; empty: no link.
url = "{address}"
# Of notes that don't say it themselves (draft, publish, private). Visitors only ever get public text.
visibility = "{visibility}"

[models]
{models}
[gateway]
# Sites that may embed the chat, e.g. ["https://example.org"].
origins = []
'''


def _toml(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
