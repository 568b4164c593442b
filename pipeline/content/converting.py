"""Other files of a vault as Markdown: Canvas, Bases, notebooks and plain text. `formats` reads what needs a package."""

import codecs
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import yaml

from pipeline.errors import ContentError

MARKDOWN = (".md", ".mdx", ".markdown")
_RUN = re.compile(r"([^\w\s])\1{500,}")
UNREAD = (".doc", ".odt", ".rtf", ".epub", ".adoc", ".tex")
"""Endings of documents that are reported, as they can't be read."""


def decode(data: bytes) -> str:
    """`data` as text with lines ending in \\n: UTF-8, or UTF-16 when a byte order mark says so.

    Raises:
        ContentError: it is neither, or no text at all.
    """
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ContentError(f"not {'UTF-16' if utf16 else 'UTF-8'} (byte {error.start}): save it as UTF-8") from None
    if "\0" in text:
        raise ContentError("holds NUL bytes, so it is no text: save it as UTF-8 text, or exclude it in sitetwin.toml")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def without_long_runs(text: str) -> str:
    """`text` with at most 500 equal marks in a row: some parsers' time grows with the square of such a run."""
    return _RUN.sub(lambda run: run[0][:500], text)


def to_markdown(text: str, suffix: str) -> str:
    """The text of a file whose name ends in `suffix`, one of `CONVERTED`, as Markdown.

    Raises:
        ContentError: it is not what its ending says.
    """
    try:
        return "\n\n".join(part for part in CONVERTED[suffix](text) if part.strip())
    except (ValueError, TypeError, AttributeError, KeyError, yaml.YAMLError):
        raise ContentError(f"not a valid {suffix} file: open and save it once in its program") from None


def _canvas(text: str) -> Iterator[str]:
    """Its cards from top to bottom; a group is a heading, a file its name."""
    nodes = json.loads(text or "{}").get("nodes", [])
    for node in sorted(nodes, key=lambda node: (node["y"], node["x"])):
        shown = {"text": "text", "group": "label", "file": "file", "link": "url"}[node["type"]]
        words = str(node.get(shown, ""))
        yield f"## {words}" if node["type"] == "group" and words else words.removesuffix(".md")


def _base(text: str) -> Iterator[str]:
    """The names that a reader of the table sees: its views and its columns."""
    values: dict[str, Any] = yaml.safe_load(text) or {}
    yield from (str(view["name"]) for view in values.get("views") or [] if "name" in view)
    columns = (values.get("properties") or {}).values()
    yield ", ".join(str(column["displayName"]) for column in columns if "displayName" in (column or {}))


def _notebook(text: str) -> Iterator[str]:
    """Its cells, code in fences, without the results."""
    book = json.loads(text)
    language = book.get("metadata", {}).get("kernelspec", {}).get("language", "python")
    for cell in book["cells"]:
        source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
        if cell["cell_type"] != "code":
            yield source
        elif source.strip():
            fence = "````" if "```" in source else "```"
            yield f"{fence}{language}\n{source}\n{fence}"


CONVERTED: dict[str, Callable[[str], Iterator[str]]] = {".canvas": _canvas, ".base": _base, ".ipynb": _notebook}
"""What makes Markdown of a file, by the ending of its name."""
VAULT = (*CONVERTED, ".txt", ".pdf", ".docx", ".org", ".rst", ".html", ".htm")
"""Endings of what is read beside Markdown in a vault or a plain folder."""
