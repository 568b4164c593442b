"""Files that are no Markdown: PDF, Word, Org, reStructuredText, HTML. One file for each; most need a package."""

from importlib import import_module
from importlib.util import find_spec

from pipeline.content.mending import FrontMatter
from pipeline.errors import ContentError

_READERS = {".pdf": "pdf", ".docx": "word", ".org": "org", ".rst": "rst", ".html": "web_page", ".htm": "web_page"}
_NEEDS = {".pdf": "pypdf", ".docx": "docx", ".org": "orgparse", ".rst": "docutils"}
PAGES = (".html", ".htm")
"""Endings of pages, in which a site's generator may have something to run first."""
FORMATS = tuple(_READERS)
"""Endings of the names of such files."""


class SkippedError(ContentError):
    """The file is left out by no fault of its own."""


def read_format(data: bytes, suffix: str) -> FrontMatter:
    """What the file `data`, whose name ends in `suffix`, says of itself, and its text as Markdown.

    Raises:
        SkippedError: the package that reads it is not installed, or it holds no text.
        ContentError: it can't be read.
    """
    if suffix in _NEEDS and find_spec(_NEEDS[suffix]) is None:
        kind = suffix[1:].upper()
        raise SkippedError(f"{kind} is read with a package that is not here: run `pip install 'sitetwin[documents]'`")
    # only now: it is slow to import, and not always there
    return import_module(f"{__name__}.{_READERS[suffix]}").read(data)  # type: ignore[no-any-return]
