"""The text of a PDF, page by page, its bookmarks as headings."""

import io
import logging
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from pipeline.content.formats import SkippedError
from pipeline.content.mending import FrontMatter
from pipeline.errors import ContentError

# it tells of each fault that it got over
logging.getLogger("pypdf").setLevel(logging.ERROR)
_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u00ad\u2010]\n(?=[^\W\d_A-Z])")
_MARK = re.compile(r"^(?=[#>]|[-+*] |\d+[.)] )", re.MULTILINE)
_LIGATURES = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0xFB00, 0xFB07)}
"""From one character to its letters, as in "\ufb01lter": an embedder does not know the word otherwise."""
_MOST_LEVELS = 5


def read(data: bytes) -> FrontMatter:
    """The words of the PDF `data`.

    Raises:
        SkippedError: no page holds text.
        ContentError: it is locked or broken.
    """
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise ContentError("protected by a password: save it without one to have it found")
        headings = _headings(reader)
        pages = [_page(page.extract_text(), headings[number]) for number, page in enumerate(reader.pages)]
    except (PyPdfError, ValueError, TypeError, KeyError, IndexError, AttributeError, NotImplementedError) as error:
        raise ContentError(f"no PDF that can be read ({error}): open it and save it anew") from None
    if not re.search(r"\w", "".join(pages)):
        raise SkippedError("pages without text, so probably scanned: put it through OCR (ocrmypdf) to have it found")
    return FrontMatter({}, "\n\n".join(filter(None, pages)))


def _headings(reader: PdfReader) -> dict[int, list[str]]:
    """The bookmarks by the number of the page that they lead to, as headings."""
    found: dict[int, list[str]] = defaultdict(list)
    for level, bookmark in _bookmarks(reader.outline, 2):
        page = reader.get_destination_page_number(bookmark)
        if page is not None and bookmark.title:
            found[page].append(f"{'#' * level} {' '.join(str(bookmark.title).translate(_LIGATURES).split())}")
    return found


def _bookmarks(outline: list[Any], level: int) -> Iterator[tuple[int, Any]]:
    for entry in outline:
        if isinstance(entry, list):
            yield from _bookmarks(entry, min(level + 1, _MOST_LEVELS))
        else:
            yield level, entry


def _page(text: str, headings: list[str]) -> str:
    """A page's text below its headings; each stands above the line that says the same, where there is one."""
    lines = _MARK.sub(r"\\", _HYPHEN.sub("", text.translate(_LIGATURES).strip())).split("\n")
    for heading in reversed(headings):
        words = heading.lstrip("# ").casefold()
        place = next((n for n, line in enumerate(lines) if line.strip("\\ ").casefold() == words), None)
        lines[place or 0 : (place + 1 if place is not None else 0)] = ["", heading, ""]
    return "\n".join(lines).strip("\n")
