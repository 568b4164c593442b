"""MDX without its program: imports, exports, expressions and components go, the text inside components stays."""

import re
import textwrap

from pipeline.content.code import PLACEHOLDER
from pipeline.content.html import drop_between, shown_attributes, spacing

_IMPORT = re.compile(r"""import\s*(?:[^"'`;]*?\bfrom\s*)?["'][^"'\n]*["'][^\n]*(?:\n|\Z)""")
_EXPORT = re.compile(r"export\s*(?:(?:const|let|var|function|async|default|class|type|interface|enum)\b|[{*])")
_AFTER_EXPORT = re.compile(r"[ \t]*(?:\n|\Z)|import\b|export\b")
_TAG = re.compile(r"</?(?:[A-Za-z_$][\w.:$-]*)?(?=[\s/>{])")
_STRING = re.compile(r"""\s*(?:(["'])(?P<words>(?:(?!\1)[^\\\n])*)\1|(?P<code>\S+))\s*""")
_CLOSERS = {"{": "}", "(": ")", "[": "]"}


def drop_statements(text: str) -> str:
    """`text` without its import and export statements; code must be masked."""
    parts, index, fresh = [], 0, True
    while index < len(text):
        end = _statement_end(text, index) if fresh else None
        if end is None:
            end = text.find("\n", index) + 1 or len(text)
            parts.append(text[index:end])
            fresh = not text[index:end].strip()
        index = end
    return "".join(parts)


def _statement_end(text: str, start: int) -> int | None:
    """The offset of the line below the statement that begins at `start`; None when none does."""
    if found := _IMPORT.match(text, start):
        return found.end()
    if not _EXPORT.match(text, start):
        return None
    index = start
    while index < len(text):
        if text[index] == "\n" and _AFTER_EXPORT.match(text, index + 1):
            return index + 1
        if text[index] in _CLOSERS:
            end = _expression_end(text, index)
            if end is None:
                # never closed: only the lines up to the next blank one can be the statement's
                return text.find("\n\n", index) + 1 or len(text)
            index = end
        else:
            index = _skip_quoted(text, index) or index + 1
    return len(text)


def drop_components(text: str) -> str:
    """`text` without JSX tags and `{expressions}`, their children kept and moved to the margin; code must be masked."""
    text = drop_between(text, "{/*", "*/}", to_the_end=True)
    parts: list[str] = []
    depth, index = 0, 0
    nested: list[tuple[int, int]] = []  # (offset in the result, depth) wherever the depth changes
    length = 0
    while index < len(text):
        new, index, step = _next(text, index)
        if step:
            depth = max(0, depth + step)
            nested.append((length, depth))
        parts.append(new)
        length += len(new)
    return _to_margin("".join(parts), nested)


_PLAIN = re.compile(r"[^<{\\]+")


def _next(text: str, index: int) -> tuple[str, int, int]:
    """What stays of the piece at `index`, where the next begins, and how much deeper in components that is."""
    if plain := _PLAIN.match(text, index):
        return plain[0], plain.end(), 0
    if text[index] == "\\":
        return text[index : index + 2], index + 2, 0
    if text[index] == "{":
        end = _expression_end(text, index)
        return ("{", index + 1, 0) if end is None else (_literal(text[index + 1 : end - 1]), end, 0)
    tag = _TAG.match(text, index)
    end = _tag_end(text, tag.end()) if tag else None
    if not tag or end is None:
        return "<", index + 1, 0
    name = tag[0].strip("</")
    if tag[0].startswith("</"):
        return spacing(name), end, -1
    closed = text[end - 2] == "/"
    return spacing(name) + shown_attributes(name, text[tag.end() : end]), end, 0 if closed else 1


def _literal(expression: str) -> str:
    """The words of an expression that is one text in quotes or backticks; "" for all that would have to be run."""
    found = _STRING.fullmatch(expression)
    if not found:
        return " " if expression.strip() in ('" "', "' '") else ""
    if found["code"]:
        return found["code"] if PLACEHOLDER.fullmatch(found["code"]) else ""
    return str(found["words"])


def _expression_end(text: str, start: int) -> int | None:
    """The offset after the bracket that closes the one at `start`; None when there is none."""
    open_brackets = [_CLOSERS[text[start]]]
    index = start + 1
    while index < len(text):
        character = text[index]
        if character == open_brackets[-1]:
            open_brackets.pop()
            if not open_brackets:
                return index + 1
        elif character in _CLOSERS:
            open_brackets.append(_CLOSERS[character])
        elif skipped := _skip_quoted(text, index):
            index = skipped
            continue
        index += 1
    return None


_QUOTED = re.compile(
    r""""(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|/\*.*?\*/|(?<![:\w])//[^\n]*""", re.DOTALL
)


def _skip_quoted(text: str, index: int) -> int | None:
    """The offset after the string or comment that begins at `index`; None when none does."""
    found = _QUOTED.match(text, index)
    return found.end() if found else None


def _tag_end(text: str, index: int) -> int | None:
    """The offset after the `>` of the tag whose name ends at `index`."""
    while index < len(text):
        if text[index] == ">":
            return index + 1
        if text[index] == "<":
            return None
        if text[index] == "{":
            end = _expression_end(text, index)
            if end is None:
                return None
            index = end
        else:
            index = _skip_quoted(text, index) or index + 1
    return None


def _to_margin(text: str, nested: list[tuple[int, int]]) -> str:
    """`text` with the lines inside components dedented, each outermost component's together."""
    lines, result, group = text.split("\n"), [], list[str]()
    changes = iter([*nested, (len(text) + 1, 0)])
    depth, (offset, next_depth) = 0, next(changes)
    start = 0
    for line in lines:
        while offset < start:
            depth = next_depth
            offset, next_depth = next(changes, (len(text) + 1, depth))
        if depth:
            group.append(line)
        else:
            result += [*textwrap.dedent("\n".join(group)).split("\n")] if group else []
            group.clear()
            result.append(line)
        start += len(line) + 1
    return "\n".join([*result, *([textwrap.dedent("\n".join(group))] if group else [])])
