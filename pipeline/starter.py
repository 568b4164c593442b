"""`sitetwin init` writes a first sitetwin.toml, with its choices explained in the file."""

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from pipeline.content.kinds.kind import ContentKind, FoundFolder
from pipeline.embedding.choosing import fitting_embedder, named
from pipeline.errors import SettingsError
from pipeline.machine import CHAT_MODELS, CHATS, OVERHEAD, Machine, choose, this_machine
from pipeline.parts import CONTENT_KINDS
from pipeline.settings import FILE_NAME
from pipeline.text.detecting import READ, count_languages
from pipeline.weights.demo import DEMO, MULTILINGUAL

COUNTED = 500
"""So many notes tell the languages of all."""
_CANDIDATES = ("src/content", "content", "docs", "notes", "posts", ".")


def write_settings(folder: Path, content: Path | None, *, force: bool = False, machine: Machine | None = None) -> Path:
    """Writes sitetwin.toml into `folder` and returns its path.

    Args:
        folder: the site's folder.
        content: the folder of Markdown, relative to `folder`; None: the first usual one that exists.
        force: replace a file that exists.
        machine: the machine that the chat model must fit; None: this one.

    Raises:
        SettingsError: the file exists and `force` is not set, or `content` is no folder.
    """
    file = folder / FILE_NAME
    if file.exists() and not force:
        raise SettingsError(f"{file} exists: edit it, or write it anew with --force")
    if content is not None and not (folder / content).is_dir():
        raise SettingsError(f"{content} is no folder: name the one that holds your Markdown with --content")
    kind, found = _find(folder, content)
    languages = count_languages(text for each in found for text in _texts(folder / each.path))
    models = _models(machine or this_machine()) + _embedder(languages)
    file.write_text(_text(folder, kind, found, models), encoding="utf-8")
    return file


def _find(folder: Path, content: Path | None) -> tuple[str, list[FoundFolder]]:
    """The kind of the content and its folders: those of the site's generator, else the one that is named or usual."""
    for kind in CONTENT_KINDS.kinds():
        found = CONTENT_KINDS.load(kind).find(folder)
        if content is not None:
            found = [one for one in found if (folder / one.path).resolve() == (folder / content).resolve()]
        if found:
            return kind, found
    content = content or _usual(folder)
    kind = next(
        (kind for kind in CONTENT_KINDS.kinds() if CONTENT_KINDS.load(kind).is_of(folder / content)), "markdown"
    )
    # The slug of a note below `content` begins with its collection. Where the folder is itself a collection, its name
    # must be put in front.
    collection = "" if content.name == "content" else f"/{content.name}"
    return kind, [FoundFolder(content.as_posix(), CONTENT_KINDS.load(kind).address(collection))]


def _usual(folder: Path) -> Path:
    """The usual folder of notes that exists. A vault is taken as a whole, whatever its folders are called."""
    vault: ContentKind = CONTENT_KINDS.load("obsidian")
    vaults = (name for name in (".", *_CANDIDATES) if vault.is_of(folder / name))
    return Path(next(vaults, None) or next(name for name in _CANDIDATES if (folder / name).is_dir()))


def _texts(content: Path) -> Iterator[str]:
    """The begins of the first Markdown files."""
    files = (
        file
        for file in sorted(content.rglob("*.md*"))
        if file.suffix in (".md", ".mdx") and not any(part.startswith((".", "node_modules")) for part in file.parts)
    )
    for file in islice((file for file in files if file.is_file()), COUNTED):
        with file.open(encoding="utf-8", errors="replace") as opened:
            yield opened.read(READ)


def _embedder(languages: Mapping[str, int]) -> str:
    """The lines for the embedder, if the notes are not in English."""
    if fitting_embedder(languages) == DEMO:
        return ""
    return f"""# The notes are in {named(languages)}. "demo-multilingual" is multilingual-e5-small; "demo" reads English.
embedder = "{MULTILINGUAL}"
"""


def _models(machine: Machine) -> str:
    """The lines below [models], with the choice explained in comments."""
    chosen = choose(machine)
    if not chosen:
        return """# "demo" is SmolLM2-135M-Instruct: it needs no model hub and no GPU, and it is tiny.
# For better answers name an MLX model (a hub id or a folder), or use a server you have:
# with Ollama set chat = "ollama:gemma3:12b". On a Linux CPU that serves better from a billion weights on, and
# `sitetwin export RUN --to ollama` takes an adapter there.
chat = "demo"
"""
    table = "\n".join(
        f"#   {model.memory} GB and more: {model.name}, {model.needed:.0f} GB in use, {model.download:g} GB to fetch"
        for model in CHAT_MODELS
    )
    return f"""# This Mac has {machine.gigabytes} GB of memory, of which MLX may use about {machine.for_models:.0f}. The largest Gemma 3 that fits is chosen;
# in use it takes {chosen.needed:.1f} GB: weights {chosen.weights:g}, {CHATS} chats at a time {CHATS * chosen.chat:.1f}, the engine {OVERHEAD:g}. By memory:
{table}
# The first start fetches it from the model hub. Training beside it and a teacher in Ollama need memory of their own:
# `sitetwin doctor` counts. "demo" is small, needs no hub, and shows that everything works.
chat = "{chosen.name}"
"""


def _block(kind: str, found: FoundFolder) -> str:
    """The `[[content]]` block of one folder."""
    chosen: ContentKind = CONTENT_KINDS.load(kind)
    patterns = ", ".join(f'"{_toml(pattern)}"' for pattern in found.exclude)
    left_out = f"exclude = [{patterns}]\n" if patterns else ""
    return f'''[[content]]
path = "{_toml(found.path)}"
kind = "{kind}"
url = "{_toml(found.url)}"
{left_out}visibility = "{chosen.default_visibility}"
'''


def _text(folder: Path, kind: str, found: list[FoundFolder], models: str) -> str:
    blocks = "\n".join(_block(kind, one) for one in found)
    return f'''[site]
name = "{_toml(folder.resolve().name)}"
description = "Ask me about my notes."
# Suggested before the first message; if there are none, they are made from your titles.
questions = []

# One block for each folder of notes.
# kind: the program that they are written for: {_kinds()}; or markdown, a plain folder.
# url: the address that a citation links to. {{slug}}, {{path}}, {{stem}}, {{title}}, {{categories}}, {{year}}, {{month}}, {{day}}
# are filled in; empty: no link. `sitetwin doctor --links` compares the addresses with the built site's.
# visibility: of notes that don't state their own (draft, publish, private). Visitors get public text only.
{blocks}
[models]
{models}
[gateway]
# Sites that may embed the chat, e.g. ["https://example.org"].
origins = []
'''


def _kinds() -> str:
    return ", ".join(kind for kind in CONTENT_KINDS.kinds() if kind != "markdown")


def _toml(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
