"""The public documents that the gateway shows as pages."""

import contextlib
import logging
import math
import os
import posixpath
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, time
from urllib.parse import quote, unquote, urlsplit

from pipeline.content import read_sources
from pipeline.content.documents import Document
from pipeline.content.folders import SUFFIXES, configurations
from pipeline.content.frontmatter import lookup
from pipeline.content.kinds.eleventy_data import is_data
from pipeline.content.parsing import read_text
from pipeline.content.slugs import plain_text
from pipeline.errors import SettingsError
from pipeline.live_settings import LiveSettings
from pipeline.settings import Settings
from web.markdown import Rendered, render

log = logging.getLogger(__name__)

_LOOK_AGAIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Guide:
    """A document that has a page on the gateway."""

    document: Document
    path: str
    """Decoded path of its address on the gateway, without a final slash: `/docs/first-run`."""
    description: str = ""
    order: float = math.inf
    """`order` of the front matter. Guides without it follow, the newest first, then by title."""

    @property
    def href(self) -> str:
        """The encoded address of the page; "/" for the landing page."""
        return quote(self.path) or "/"

    @property
    def day(self) -> int:
        """The document's date as an ordinal number of days; 0 if it has none."""
        return self.document.date.toordinal() if self.document.date else 0


class Guides:
    """The guides of a site. It reads the documents again when a file's name, size or time of change differs. Thread-safe.

    Args:
        clock: seconds; files are looked at once in `_LOOK_AGAIN_SECONDS`.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = monotonic) -> None:
        self._live = LiveSettings(settings)
        self._settings = _shown_part(settings)
        self._clock = clock
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._print: frozenset[tuple[str, int, int]] = frozenset()
        self._due = float("inf")
        """When a page comes or goes by its date, in seconds since the epoch."""
        self._guides: dict[str, Guide] = {}
        self._by_id: dict[str, Guide] = {}
        self._rendered: dict[str, Rendered] = {}

    def all(self) -> list[Guide]:
        """All guides, in reading order."""
        with self._lock:
            self._refresh()
            return list(self._guides.values())

    def find(self, path: str) -> Guide | None:
        """The guide at a decoded path; None if there is no public one."""
        with self._lock:
            self._refresh()
            return self._guides.get(_normal(path))

    def render(self, guide: Guide) -> Rendered:
        """The guide's text as HTML. Links to other files lead to their pages."""
        with self._lock:
            if guide.path not in self._rendered:
                document = guide.document
                self._rendered[guide.path] = render(
                    document.text, title=document.title, link=lambda to: self._target(document, to)
                )
            return self._rendered[guide.path]

    def _refresh(self) -> None:
        now = self._clock()
        if now - self._looked < _LOOK_AGAIN_SECONDS:
            return
        self._looked = now
        is_other = self._follow_settings()
        found = frozenset(self._files())
        if found == self._print and not is_other and time() < self._due:
            return
        documents = [report.document for report in read_sources(self._settings) if report.document]
        self._due = min((one.changes_at.timestamp() for one in documents if one.changes_at), default=float("inf"))
        guides = sorted(
            (_guide(document) for document in documents if _shown(document)),
            key=lambda guide: (guide.order, -guide.day, guide.document.title.lower()),
        )
        self._guides = {}
        for guide in guides:
            self._guides.setdefault(guide.path, guide)
        self._by_id = {guide.document.id: guide for guide in guides}
        self._rendered = {}
        self._print = found

    def _follow_settings(self) -> bool:
        """Whether sitetwin.toml changed. Its new rules for private notes must hold without a restart."""
        try:
            if not self._live.refresh():
                return False
        except SettingsError as error:
            log.error("the former settings stay in force: %s", error)
            return False
        self._settings = _shown_part(self._live.now)
        return True

    def _files(self) -> Iterator[tuple[str, int, int]]:
        """Name, time of change in ns and size in bytes of every file that may be a document, or says who may see one."""
        yield from ((str(file), modified, size) for file, modified, size in configurations(self._settings))
        for source in self._settings.content:
            for folder, _, names in os.walk(self._settings.source_path(source)):
                for file in (Path(folder, name) for name in names if name.lower().endswith(SUFFIXES) or is_data(name)):
                    with contextlib.suppress(OSError):  # the file is gone or a broken link, so it has no page
                        found = file.stat()
                        yield str(file), found.st_mtime_ns, found.st_size

    def _target(self, document: Document, address: str) -> str | None:
        """The page address for a link to another file; None if that file has no page. Other links are returned unchanged."""
        parts = urlsplit(address)
        if parts.scheme or parts.netloc or not parts.path or parts.path.startswith("/"):
            return address
        if posixpath.splitext(parts.path)[1].lower() not in (".md", ".mdx"):
            return address
        guide = self._by_id.get(posixpath.normpath(posixpath.join(posixpath.dirname(document.id), unquote(parts.path))))
        return guide.href + (f"#{parts.fragment}" if parts.fragment else "") if guide else None


def _shown_part(settings: Settings) -> Settings:
    shown = [source for source in settings.content if source.url.startswith("/")]
    return settings.model_copy(update={"content": shown})


def _normal(path: str) -> str:
    return path.rstrip("/")


def _shown(document: Document) -> bool:
    return document.visibility == "public" and document.url.startswith("/")


def _guide(document: Document) -> Guide:
    values = read_text(document.path.read_bytes(), document.path.suffix.lower()).values
    order = lookup(values, "order")
    description = lookup(values, "description")
    return Guide(
        document,
        _normal(unquote(document.url)),
        plain_text(description) if isinstance(description, str) else "",
        float(order) if isinstance(order, int | float) else math.inf,
    )
