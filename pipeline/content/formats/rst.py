"""A reStructuredText file as Markdown, by docutils; also what Sphinx adds to it."""

import re
from collections.abc import Iterator
from textwrap import dedent
from typing import Any

from docutils import nodes
from docutils.core import publish_doctree
from docutils.parsers.rst import Directive, directives, roles
from docutils.utils import SystemMessage

from pipeline.content.converting import decode, without_long_runs
from pipeline.content.mending import FrontMatter
from pipeline.errors import ContentError

# docutils is in the public domain, or under the BSD, Python's or Zope's licence. Its COPYING names the GPL for math2html,
# which its author has relicensed (BSD), and for an editor's mode, which is no part of a wheel.
_SETTINGS = {
    "file_insertion_enabled": False,  # a page names what it likes, and nothing outside of a source is read
    "raw_enabled": False,
    "report_level": 5,
    "halt_level": 5,
    "syntax_highlight": "none",
    "line_length_limit": 10_000_000,
    "_disable_config": True,
}
_ROLES = (
    "any attr class command confval data dfn doc download envvar exc file func guilabel kbd keyword mod menuselection meth"
    " numref obj option pep program ref rfc term token type var"
).split()
_TEXTS = "versionadded versionchanged deprecated seealso centered rubric tabs tab tab-item tab-set grid grid-item card glossary".split()
_DROPPED = "toctree index automodule autoclass autofunction currentmodule only contents highlight include literalinclude meta".split()
_LONGEST_LINE = 2_000
"""In characters. docutils' time grows with the square of a paragraph, so what stands in one longer line is several."""
_LONG_LINE = re.compile(rf"^\S.{{{_LONGEST_LINE},}}$", re.MULTILINE)
_STRETCH = re.compile(rf"(.{{1,{_LONGEST_LINE}}})(?:\s+|$)|.{{{_LONGEST_LINE}}}")
_EXPLICIT = re.compile(r"(.+?)\s*<[^<>]+>", re.DOTALL)


class _Text(Directive):  # type: ignore[misc]
    """Keeps the words of a directive that only changes how they look."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec = None

    def run(self) -> list[nodes.Node]:
        kept = nodes.container()
        if self.arguments:
            kept += nodes.paragraph(text=self.arguments[0])
        self.state.nested_parse(self.content, self.content_offset, kept)
        return [kept]


class _Dropped(_Text):
    """Shows nothing of its own."""

    def run(self) -> list[nodes.Node]:
        return []


def _role(name: str, rawtext: str, text: str, *_: Any, **__: Any) -> tuple[list[nodes.Node], list[Any]]:
    """The words of a reference: `words <target>` or the target."""
    found = _EXPLICIT.fullmatch(text)
    return [nodes.inline(text=found[1] if found else text.lstrip("~!"))], []


def _with_short_lines(text: str) -> str:
    return _LONG_LINE.sub(
        lambda line: "\n\n".join(found[1] or found[0] for found in _STRETCH.finditer(line[0])),
        without_long_runs(text),
    )


def read(data: bytes) -> FrontMatter:
    """The text of the file `data`; the fields above it are the front matter.

    Raises:
        ContentError: it is not UTF-8, or docutils can't parse it.
    """
    for name in _ROLES:
        roles.register_local_role(name, _role)
    for name in _TEXTS:
        directives.register_directive(name, _Text)
    for name in _DROPPED:
        directives.register_directive(name, _Dropped)
    try:
        tree = publish_doctree(_with_short_lines(decode(data)), settings_overrides=_SETTINGS)
    except (SystemMessage, ValueError, RecursionError) as error:
        raise ContentError(f"no reStructuredText that can be read ({error}): mend it") from None
    values = {name: value for field in tree.findall(nodes.docinfo) for name, value in _fields(field)}
    title = str(tree.get("title", ""))
    blocks = [f"# {title}"] if title else []
    return FrontMatter(values, "\n\n".join([*blocks, *_blocks(tree, 1)]))


def _fields(docinfo: nodes.Node) -> Iterator[tuple[str, str]]:
    for entry in docinfo.children:
        if isinstance(entry, nodes.field):
            yield entry[0].astext().lower(), entry[1].astext()
        else:
            yield entry.tagname, entry.astext()


def _blocks(parent: Any, level: int) -> Iterator[str]:
    """The blocks of Markdown that the children of `parent` are, below a heading of `level`."""
    for node in parent.children:
        if isinstance(node, nodes.section):
            yield f"{'#' * min(level + 1, 6)} {node[0].astext()}"
            yield from _blocks(nodes.container("", *node.children[1:]), level + 1)
        elif isinstance(node, nodes.literal_block | nodes.doctest_block):
            language = next((name for name in node.get("classes", []) if name != "code"), "")
            yield f"```{language}\n{node.astext()}\n```"
        elif isinstance(node, nodes.bullet_list | nodes.enumerated_list):
            yield "\n".join(f"- {_indented(item, level)}" for item in node.children)
        elif isinstance(node, nodes.definition_list):
            yield from (
                "\n".join((f"**{item[0].astext()}**", _indented(item[-1], level, ""))) for item in node.children
            )
        elif isinstance(node, nodes.table):
            yield _table(node)
        elif isinstance(node, nodes.image):
            yield node.get("alt", "")
        elif isinstance(node, nodes.system_message):
            yield from (_unknown(block.astext()) for block in node.findall(nodes.literal_block))
        elif isinstance(node, nodes.title | nodes.subtitle) and parent.tagname == "document":
            if node.tagname == "subtitle":
                yield node.astext()
        elif isinstance(
            node, nodes.paragraph | nodes.title | nodes.line_block | nodes.term | nodes.caption | nodes.rubric
        ):
            yield _inline(node)
        elif isinstance(node, nodes.Body | nodes.Part | nodes.Structural) and not isinstance(
            node, nodes.Invisible | nodes.docinfo | nodes.raw
        ):
            yield from _blocks(node, level)


def _unknown(directive: str) -> str:
    """The words in a directive that docutils does not know; what is indented there is code."""
    kept = [line for line in directive.split("\n")[1:] if not re.match(r"\s*:[\w-]+:", line)]
    text = dedent("\n".join(kept)).strip("\n")
    if re.search(r"^\.\. [\w:-]+::", text, re.MULTILINE):
        return read(text.encode()).body  # a tab, a card: what it holds is reStructuredText too
    is_code = any(line[:1].isspace() for line in text.split("\n"))
    return f"```\n{text}\n```" if is_code else text.strip()


def _indented(item: Any, level: int, indent: str = "  ") -> str:
    return "\n\n".join(block for block in _blocks(item, level) if block).replace("\n", f"\n{indent}")


def _inline(node: Any) -> str:
    """The words of a paragraph; code keeps its marks."""
    if isinstance(node, nodes.Text):
        return str(node.astext())
    if isinstance(node, nodes.literal):
        return f"`{node.astext()}`"
    if isinstance(node, nodes.image):
        return str(node.get("alt", ""))
    if isinstance(node, nodes.problematic | nodes.footnote_reference):
        return "" if isinstance(node, nodes.footnote_reference) else str(node.astext())
    separator = "\n" if isinstance(node, nodes.line_block) else ""
    return separator.join(map(_inline, node.children))


def _table(table: Any) -> str:
    rows = [
        [" ".join(entry.astext().split()).replace("|", "\\|") for entry in row.children]
        for row in table.findall(nodes.row)
    ]
    head = [f"| {' | '.join(rows[0])} |", f"|{' --- |' * len(rows[0])}"] if rows else []
    return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in rows[1:])])
