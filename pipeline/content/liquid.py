"""Liquid and Nunjucks in Markdown, as Jekyll and Eleventy run them first: the calls go, the words that they show stay."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.content.frontmatter import lookup
from pipeline.content.including import Includes

_MARK = re.compile(
    r"\{%-?\s*+(\w++)((?:[^%{]|%(?!\})|\{(?!%)){0,5000}?)-?%\}|\{\{-?((?:[^{}]|\}(?!\})|\{(?!\{)){0,2000}?)-?\}\}"
)
_NOTE = re.compile(r"\{#(?=\s)(?:[^#{]|#(?!\})|\{(?!#)){0,5000}#\}")
_INCLUDE = re.compile(
    r"\{%-?\s*(include|include_relative|renderFile|include_cached)\s+[\"']?([^\s\"'%{}]+\.(?:md|markdown|txt))\b[^%]*%\}"
)
_HIDDEN = {"comment", "for", "css", "js", "tablerow"}
"""What these enclose is no text: a note, a pattern that is filled in for each entry of a list, a style. What `set` and
`capture` enclose is shown elsewhere on the page."""
_ADDRESSES = {"link", "post_url"}
_STRING = re.compile(r"\s*(?:\"([^\"]*)\"|'([^']*)')")
_OF_PAGE = re.compile(r"\s*(?:page\.)?(\w+)\s*")


def drop_liquid(text: str, values: Mapping[str, Any]) -> str:
    """`text` without `{% calls %}` and `{{ values }}`, but for strings and what the front matter `values` holds."""
    text = _NOTE.sub("", text)
    parts: list[str] = []
    done, opened, raw = 0, 0, ""
    hidden: list[str] = []
    for mark in _MARK.finditer(text):
        name = mark[1] or ""
        if raw:
            if name != f"end{raw}":
                continue
            raw = ""
        if not hidden:
            parts.append(text[done : mark.start()])
        done = mark.end()
        if name in ("raw", "verbatim"):
            raw = name
        elif hidden and name == f"end{hidden[-1]}":
            hidden.pop()
        elif name in _HIDDEN:
            opened = opened if hidden else done
            hidden.append(name)
        elif not hidden:
            parts.append(_shown(name, mark[2] or "") if name else _value(mark[3], values))
    # a block that never ends hides nothing
    parts.append(_MARK.sub("", text[opened:]) if hidden else text[done:])
    return "".join(parts)


def with_included(text: str, includes: Includes, folders: Sequence[Path]) -> str:
    """`text` with the Markdown and plain text that `{% include %}`, `include_relative` and `renderFile` name.

    Args:
        folders: where what is included lies, if not beside the file.
    """

    def expand(body: str, inner: Includes) -> str:
        return with_included(body, inner, folders)

    def part(call: re.Match[str]) -> str:
        beside = call[1] in ("include_relative", "renderFile") or call[2].startswith("./")
        found = includes.text(expand, call[2], *((includes.file.parent, includes.top) if beside else folders))
        return call[0] if found is None else f"\n\n{found}\n\n"

    return _INCLUDE.sub(part, text)


def _shown(name: str, arguments: str) -> str:
    if name in ("highlight", "endhighlight"):
        language = arguments.split()[:1] if name == "highlight" else []
        return f"\n```{''.join(language).strip(chr(34))}\n"
    if name in _ADDRESSES:
        return arguments.strip()
    return ""


def _value(expression: str, values: Mapping[str, Any]) -> str:
    if found := _STRING.match(expression):
        return found[1] or found[2] or ""
    named = _OF_PAGE.fullmatch(expression.partition("|")[0])
    value = lookup(values, named[1].casefold()) if named else None
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
