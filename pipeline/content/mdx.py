"""MDX without its program: imports, exports, expressions and components go, the text inside components stays."""

import re
import textwrap

from pipeline.content.brackets import BRACKETS, bracket_end, quoted_end, tag_end
from pipeline.content.code import PLACEHOLDER
from pipeline.content.html import drop_between, shown_attributes, spacing

_IMPORT = re.compile(r"""import\s*(?:[^"'`;]*?\bfrom\s*)?["'][^"'\n]*["'][^\n]*(?:\n|\Z)""")
_EXPORT = re.compile(r"export\s*(?:(?:const|let|var|function|async|default|class|type|interface|enum)\b|[{*])")
_AFTER_EXPORT = re.compile(r"[ \t]*(?:\n|\Z)|import\b|export\b")
_TAG = re.compile(r"</?(?:[A-Za-z_$][\w.:$-]*)?(?=[\s/>{])")
_STRING = re.compile(r"""\s*(?:(["'])(?P<words>(?:(?!\1)[^\\\n])*)\1|(?P<code>\S+))\s*""")
_PLAIN = re.compile(r"[^<{\\]+")
# a noncharacter, see code.py: marks a line that a component's title made
_TITLE = "\ufdd2"


def drop_statements(text: str) -> str:
    """`text` without its import and export statements; code must be masked."""
    parts, index, fresh, broken = [], 0, True, False
    while index < len(text):
        end = _statement_end(text, index) if fresh and not broken else None
        if end is None:
            end = text.find("\n", index) + 1 or len(text)
            parts.append(text[index:end])
            fresh = not text[index:end].strip()
        # a bracket that is never closed is none of MDX's: what comes after it is text
        broken = broken or end < 0
        index = abs(end)
    return "".join(parts)


def _statement_end(text: str, start: int) -> int | None:
    """The offset of the line below the statement that begins at `start`; None when none does.

    Negative when the statement's brackets are never closed: then only the lines up to the next blank one can be its.
    """
    if found := _IMPORT.match(text, start):
        return found.end()
    if not _EXPORT.match(text, start):
        return None
    index = start
    while index < len(text):
        if text[index] == "\n" and _AFTER_EXPORT.match(text, index + 1):
            return index + 1
        if text[index] in BRACKETS:
            end = bracket_end(text, index)
            if end is None:
                return -(text.find("\n\n", index) + 1 or len(text))
            index = end
        else:
            index = quoted_end(text, index) or index + 1
    return len(text)


def drop_components(text: str) -> str:
    """`text` without JSX tags and `{expressions}`, their children kept and moved to the margin; code must be masked."""
    text = drop_between(text, "{/*", "*/}", to_the_end=True)
    parts: list[str] = []
    depth = index = outermost = 0
    broken = False
    while index < len(text):
        new, end, step = _next(text, index, broken)
        # as above: after a brace that is never closed, braces are text
        broken = broken or (new == "{" and end == index + 1)
        index = end
        if step > 0 and depth == 0:
            outermost = len(parts)
        parts.append(new)
        if step < 0 and depth == 1:
            parts[outermost:] = [_to_margin("".join(parts[outermost:]))]
        depth = max(0, depth + step)
    if depth:
        parts[outermost:] = [_to_margin("".join(parts[outermost:]))]
    return "".join(parts).replace(_TITLE, "")


def _next(text: str, index: int, broken: bool) -> tuple[str, int, int]:
    """What stays of the piece at `index`, where the next begins, and how much deeper in components that is."""
    if plain := _PLAIN.match(text, index):
        return plain[0], plain.end(), 0
    if text[index] == "\\":
        return text[index : index + 2], index + 2, 0
    if text[index] == "{":
        end = None if broken else bracket_end(text, index)
        return ("{", index + 1, 0) if end is None else (_literal(text[index + 1 : end - 1]), end, 0)
    tag = _TAG.match(text, index)
    end = tag_end(text, tag.end()) if tag else None
    if not tag or end is None:
        return "<", index + 1, 0
    name = tag[0].strip("</")
    if tag[0].startswith("</"):
        return spacing(name), end, -1
    words = shown_attributes(name, text[tag.end() : end])
    alone = not text[text.rfind("\n", 0, index) + 1 : index].strip()
    shown = f"{_TITLE}{words}\n\n" if words and alone else words
    return spacing(name) + shown, end, 0 if text[end - 2] == "/" else 1


def _literal(expression: str) -> str:
    """The words of an expression that is one text in quotes or backticks; "" for all that would have to be run."""
    found = _STRING.fullmatch(expression)
    if not found:
        return " " if expression.strip() in ('" "', "' '") else ""
    if found["code"]:
        return found["code"] if PLACEHOLDER.fullmatch(found["code"]) else ""
    return str(found["words"])


def _to_margin(component: str) -> str:
    """What is left of a component, its lines dedented together and each title a line of its own."""
    first, *lines = component.split("\n")
    rest = textwrap.dedent("\n".join("" if _TITLE in line else line for line in lines)).split("\n") if lines else []
    return "\n".join(
        [first, *(line.strip() if _TITLE in line else moved for line, moved in zip(lines, rest, strict=True))]
    )
