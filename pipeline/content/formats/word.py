"""The text of a Word document (.docx): headings, lists, tables, notes, also what was inserted while changes are tracked."""

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import docx
from docx.opc.exceptions import OpcError
from docx.oxml.ns import qn
from docx.oxml.parser import parse_xml
from docx.text.paragraph import Paragraph

from pipeline.content.mending import FrontMatter
from pipeline.errors import ContentError

_MOST_BYTES = 200_000_000
"""Unpacked: a few kilobytes can be packed gigabytes."""
_HEADING = re.compile(r"heading (\d)", re.IGNORECASE)
_NOTES = ("/footnotes", "/endnotes")
_UNSHOWN = {qn("w:del"), qn("w:moveFrom"), "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"}


def read(data: bytes) -> FrontMatter:
    """The words of the document `data` as Markdown.

    Raises:
        ContentError: it is no such document.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(file.file_size for file in packed.infolist()) > _MOST_BYTES:
                raise ContentError(f"more than {_MOST_BYTES:,} bytes when unpacked: split it")
        document = docx.Document(io.BytesIO(data))
    except (zipfile.BadZipFile, OpcError, KeyError, ValueError) as error:
        raise ContentError(f"no Word document that can be read ({error}): open it and save it anew") from None
    blocks = [*_blocks(document.element.body, document), *_notes(document)]
    return FrontMatter({}, re.sub(r"\n{3,}", "\n\n", "\n".join(blocks)).strip("\n"))


def _blocks(parent: Any, document: Any) -> Iterator[str]:
    """The lines of what stands in `parent`, paragraphs apart from each other."""
    for child in parent:
        if child.tag == qn("w:p"):
            yield from _paragraph(child, document)
        elif child.tag == qn("w:tbl"):
            yield from ("", *_table(child), "")
        elif child.tag not in _UNSHOWN:  # a content control and its like
            yield from _blocks(child, document)


def _paragraph(element: Any, document: Any) -> Iterator[str]:
    text = _text(element)
    if not text.strip():
        return
    style = Paragraph(element, document).style
    name = str(style.name) if style is not None else ""
    if found := _HEADING.match(name):
        yield from ("", f"{'#' * min(int(found[1]), 6)} {' '.join(text.split())}", "")
    elif name == "Title":
        yield from ("", f"# {' '.join(text.split())}", "")
    elif "list" in name.casefold() or element.find(f"{qn('w:pPr')}/{qn('w:numPr')}") is not None:
        yield f"- {text.strip()}"
    else:
        yield from ("", text.strip(), "")


def _table(element: Any) -> Iterator[str]:
    rows = [
        [" ".join(_text(cell).split()).replace("|", "\\|") for cell in row.iter(qn("w:tc"))]
        for row in element.iter(qn("w:tr"))
    ]
    for number, row in enumerate(rows):
        yield f"| {' | '.join(row)} |"
        if number == 0:
            yield f"|{' --- |' * len(row)}"


def _text(element: Any) -> str:
    """What a reader sees of `element`: not what was deleted or hidden, but a picture's description."""
    if element.tag in _UNSHOWN or (
        element.tag == qn("w:r") and element.find(f"{qn('w:rPr')}/{qn('w:vanish')}") is not None
    ):
        return ""
    if element.tag == qn("w:t"):
        return element.text or ""
    if element.tag in (qn("w:tab"), qn("w:br"), qn("w:cr")):
        return " "
    if element.tag == qn("wp:docPr"):
        return element.get("descr") or ""
    inner = "".join(map(_text, element))
    # paragraphs of a cell or a text box
    return f"{inner} " if element.tag == qn("w:p") else inner


def _notes(document: Any) -> Iterator[str]:
    """Footnotes and endnotes."""
    for relation in document.part.rels.values():
        if relation.reltype.endswith(_NOTES) and not relation.is_external:
            yield from (
                f"\n{' '.join(text.split())}\n"
                for note in parse_xml(relation.target_part.blob)
                if (text := _text(note))
            )
