"""Files that are no Markdown and need a package to be read: PDF, Word, Org, reStructuredText. One file for each."""

from importlib import import_module
from importlib.util import find_spec

from pipeline.content.mending import FrontMatter
from pipeline.errors import ContentError

_READERS = {".pdf": "pdf", ".docx": "word", ".org": "org", ".rst": "rst"}
_NEEDS = {".pdf": "pypdf", ".docx": "docx", ".org": "orgparse", ".rst": "docutils"}
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
    if find_spec(_NEEDS[suffix]) is None:
        kind = suffix[1:].upper()
        raise SkippedError(f"{kind} is read with a package that is not here: run `pip install 'sitetwin[documents]'`")
    # only now: it is slow to import, and not always there
    return import_module(f"{__name__}.{_READERS[suffix]}").read(data)  # type: ignore[no-any-return]
