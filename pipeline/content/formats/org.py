"""An Org file as Markdown: https://orgmode.org/worg/org-syntax.html."""

import re
from typing import Any

import orgparse

from pipeline.content.converting import decode, without_long_runs
from pipeline.content.mending import FrontMatter

_KEYWORD = re.compile(r"^[ \t]*#\+(\w+):[ \t]*(.*)$\n?", re.MULTILINE)
_BLOCK = re.compile(
    r"^[ \t]*#\+begin_(\w+)[ \t]*(\S*)[^\n]*\n(.*?)^[ \t]*#\+end_\1[ \t]*$", re.MULTILINE | re.DOTALL | re.I
)
_COMMENT = re.compile(r"^[ \t]*#(?:[ \t][^\n]*)?$\n?", re.MULTILINE)
_DRAWER = re.compile(r"^[ \t]*:[\w-]+:[ \t]*\n(?:[^\n]*\n)*?[ \t]*:end:[ \t]*$\n?", re.MULTILINE | re.I)
_RULER = re.compile(r"^([ \t]*)\|[-+|]+[ \t]*$", re.MULTILINE)
_FIXED = re.compile(r"^[ \t]*:[ \t](.*)$", re.MULTILINE)
_CODE = re.compile(r"(?<![\w=~])([=~])(?=\S)([^\n]*?\S)\1(?![\w=~])")
_EMPHASIS = re.compile(r"(?<![\w:*/+_])([*/+])(?=\S)([^\n]*?\S)\1(?![\w*/+_])")
_DAY = re.compile(r"^[<\[](\d{4}-\d\d-\d\d)[^>\]]*[>\]]$")
_MARKS = {"*": "**", "/": "*", "+": "~~"}
_CODE_BLOCKS = ("src", "example", "export")


def read(data: bytes) -> FrontMatter:
    """The text of the file `data`; what is not exported is left out, and its keywords are the front matter.

    Raises:
        ContentError: it is not UTF-8.
    """
    root = orgparse.loads(without_long_runs(decode(data)))
    keywords = {key.lower(): value.strip() for key, value in _KEYWORD.findall(str(root.get_body()))}
    values: dict[str, Any] = {
        key.removeprefix("hugo_"): _DAY.sub(r"\1", value) for key, value in keywords.items() if value
    }
    # `node.tags` looks for every parent anew, so its time grows with the square of the headings
    parts, tags, of_file, kept_from = [_markdown(root.get_body())], set(root.tags), set(root.tags), 0
    for node in root[1:]:
        if kept_from and node.level > kept_from:
            continue
        hidden = "noexport" in of_file | node.shallow_tags or node.heading.startswith("COMMENT")
        kept_from = node.level if hidden else 0
        if not hidden:
            tags |= node.shallow_tags
            parts += [f"{'#' * min(node.level + 1, 6)} {node.heading}", _markdown(node.get_body())]
    if tags:
        values["tags"] = sorted(tags)
    return FrontMatter(values, "\n\n".join(part for part in parts if part.strip()))


def _markdown(body: str) -> str:
    """A section's text; code is kept letter by letter."""
    parts, done = [], 0
    for block in _BLOCK.finditer(body):
        name = block[1].lower()
        parts.append(_prose(body[done : block.start()]))
        done = block.end()
        if name in _CODE_BLOCKS:
            parts.append(f"```{block[2] if name == 'src' else ''}\n{block[3]}```" if name != "export" else "")
        elif name != "comment":
            parts.append(_prose(block[3]))
    return "\n".join([*parts, _prose(body[done:])]).strip("\n")


def _prose(text: str) -> str:
    text = _COMMENT.sub("", _KEYWORD.sub("", _DRAWER.sub("", text)))
    text = _RULER.sub(lambda row: row[0].replace("+", "|"), _FIXED.sub(r"    \1", text))
    text = _CODE.sub(r"`\2`", text)
    return _EMPHASIS.sub(lambda found: f"{_MARKS[found[1]]}{found[2]}{_MARKS[found[1]]}", text)
