"""Attributes in braces, as kramdown, Goldmark and Python-Markdown know them: `{.lead}`, `{: #id }`, `{ width="300" }`."""

import re

_ONE = r"(?:[.#][\w:.-]+|[\w:-]+=(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s\"'{}]+)|data-[\w-]+)"
_LIST = rf"\{{:?[ \t]*{_ONE}(?:[ \t]+{_ONE})*[ \t]*\}}"
_LINE = re.compile(rf"^[ \t>]*(?:{_LIST}|\{{:[^{{}}\n]*\}})[ \t]*(?:\n|\Z)", re.MULTILINE)
_HEADING = re.compile(rf"^([ \t]*#{{1,6}}[ \t].*?)[ \t]*({_LIST})[ \t]*$", re.MULTILINE)
_BEHIND = re.compile(rf"(?<=[)\]*_\ufdd1])[ \t]?{_LIST}")
_ID = re.compile(r"(?:#|\bid=[\"']?)([^\s\"'{}]+)")


def drop_attributes(text: str) -> str:
    """`text`, Markdown whose code is masked, without attributes; of a heading's its id stays, as `{#id}`."""
    if "{" not in text:
        return text
    return _BEHIND.sub("", _HEADING.sub(_heading, _LINE.sub("", text)))


def _heading(heading: re.Match[str]) -> str:
    own = None if heading[1][0].isspace() else _ID.search(heading[2])  # below an item of a list it is no place
    return f"{heading[1]} {{#{own[1]}}}" if own else heading[1]
