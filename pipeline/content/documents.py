"""The records that leave this room."""

import datetime
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.settings import Visibility


@dataclass(frozen=True, slots=True)
class Document:
    """One readable file."""

    id: str
    """Stable over edits: the source's name and the path below it, e.g. `docs/first-run.md`."""
    path: Path
    title: str
    url: str
    """Where a citation links to; empty when the source has no address."""
    text: str
    """Markdown without front matter, comments, imports and JSX; wikilinks and embeds are plain words."""
    visibility: Visibility
    tags: tuple[str, ...] = ()
    date: datetime.date | None = None
    changes_at: datetime.datetime | None = None
    """When the visibility changes without an edit, because a day comes that the front matter or the path names."""
    digest: str = ""
    """SHA-256 of everything above but the path, in hex."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document that is embedded and found as one."""

    id: str
    """`<document>#<first 16 hex of the SHA-256 of its text and headings>-<n>`, n counting equal ones."""
    document: str
    position: int
    """0 for the document's first chunk."""
    headings: tuple[str, ...]
    """The headings above it, outermost first, without the document's title."""
    anchor: str
    """The slug of the innermost heading, as GitHub and Astro make it; empty above the first heading."""
    text: str
    span: tuple[int, int] | None = None
    """From where to where it stands in the document's text, in characters; None in what the index gives back."""

    def indexed_text(self, title: str) -> str:
        """What is embedded and keyword-indexed: title and heading path in front of the text."""
        return f"{' > '.join((title, *self.headings))}\n{self.text}"


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file that a content source names, or of a whole folder that can't be read."""

    id: str
    """The document's; one that ends in `/` speaks of a folder: when such a report is `failed`, nothing is known of
    the documents whose id begins with it, so the index keeps them."""
    path: Path
    state: str
    """`read`, `skipped` (by a rule of the owner's), `failed` (can't be read), or `gone` (of one that was changed)."""
    reason: str = ""
    """What is wrong and what to do; of a file that was read, why it has no address or another file has
    the same, and what is wrong with its front matter."""
    document: Document | None = field(default=None, repr=False)
    takes_in: tuple[tuple[Path, tuple[int, int] | None], ...] = ()
    """The other files whose text the document holds or would hold, each with its version; None: it isn't there."""
    version: tuple[int, int] | None = None
    """When the file was modified, in nanoseconds since the epoch, and its bytes, before it was read; None when it wasn't."""
