"""MDX without its program: imports, exports, expressions and components go, the text inside components stays."""

import re

from pipeline.content.brackets import BRACKETS, bracket_end, quoted_end, tag_end
from pipeline.content.code import PLACEHOLDER
from pipeline.content.html import shown_attributes, spacing
from pipeline.content.layout import Layout

_IMPORT = re.compile(
    r"""import\s*(?:(?:type\s+)?(?:[\w$]+\s*(?:,\s*)?)?(?:\{[^{}"'`;]*\}|\*\s*as\s+[\w$]+)?\s*from\s*)?["'][^"'\n]*["'][^\n]*(?:\n|\Z)"""
)
_EXPORT = re.compile(r"export\s*(?:(?:const|let|var|function|async|default|class|type|interface|enum)\b|[{*])")
_AFTER_EXPORT = re.compile(r"[ \t]*(?:\n|\Z)|import\b|export\b")
# no tag: the address of a link in angle brackets, `3 < 4`, `<https://...>`
_TAG = re.compile(r"(?<!\]\()(?<!\]: )<(?:(?=>)|/?[A-Za-z_$][\w.:$-]*(?=[\s>{]|/\s*>)|/\s*(?=>))")
_STRING = re.compile(r"""\s*(?:(["'])(?P<words>(?:(?!\1)[^\\\n])*)\1|(?P<code>\S+))\s*""")
_ANCHOR = re.compile(r"#[^\s{}]+")
_PLAIN = re.compile(r"[^<{\\]+")


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
    """`text` without JSX tags and `{expressions}`; what a tag encloses moves to where the tag stood. Code and comments must be
    out of the way."""
    index, braces, layout = 0, True, Layout()
    while index < len(text):
        if plain := _PLAIN.match(text, index):
            layout.add(plain[0])
            index = plain.end()
        elif text[index] == "\\":
            layout.add(text[index : index + 2])
            index += 2
        elif text[index] == "{":
            end = bracket_end(text, index) if braces else None
            # after a brace that is never closed, braces are text
            braces = braces and end is not None
            layout.add("{" if end is None else _literal(text[index + 1 : end - 1]))
            index = end or index + 1
        else:
            tag = _TAG.match(text, index)
            end = tag_end(text, tag.end(), braces=braces) if tag else None
            if not tag or end is None or end < 0:
                braces = braces and end != -1
                layout.add("<")
                index += 1
            else:
                _add_tag(layout, tag[0], text[tag.end() : end])
                index = end
    return layout.text()


def _add_tag(layout: Layout, opening: str, rest: str) -> None:
    name = opening.strip("</")
    if opening.startswith("</"):
        layout.add(spacing(name))
        layout.close(name)
    else:
        words = shown_attributes(name, rest)
        layout.open(name, words, spacing(name), closed=rest.endswith("/>"))


def _literal(expression: str) -> str:
    """The words of an expression that is one text in quotes or backticks; "" for all that would have to be run."""
    found = _STRING.fullmatch(expression)
    if _ANCHOR.fullmatch(expression):  # of a heading, as Docusaurus has it
        return f"{{{expression}}}"
    if not found:
        return " " if expression.strip() in ('" "', "' '") else ""
    if found["code"]:
        return found["code"] if PLACEHOLDER.fullmatch(found["code"]) else ""
    return str(found["words"])
