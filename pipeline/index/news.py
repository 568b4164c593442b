"""What a sync changed, document by document."""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel

from pipeline.index.index import Index
from pipeline.index.passages import FileStatus, SyncReport
from pipeline.index.vector_sync import SyncProgress

What = Literal["failed", "added", "changed", "removed", "skipped"]
ORDER: tuple[What, ...] = ("failed", "added", "changed", "removed", "skipped")
"""What needs the owner's eye comes first."""


class DocumentNews(BaseModel):
    """What became of one document."""

    what: What
    document: str
    """Its id, or the path of a file that is no document."""
    reason: str = ""
    """Why it failed or was skipped."""


def sync_with_news(index: Index, progress: SyncProgress, *, rebuild: bool) -> tuple[SyncReport, list[DocumentNews]]:
    """Brings the index up to date; also returns what became of each document that is not as it was.

    Raises:
        SitetwinError: as `Index.sync`.
    """
    before = index.digests()
    report = index.sync(progress, rebuild=rebuild)
    return report, news(before, index.digests(), index.status()[1])


def news(before: Mapping[str, str], after: Mapping[str, str], files: Sequence[FileStatus]) -> list[DocumentNews]:
    """What is new from `before` to `after`, hashes by document, and what can't be read; the most urgent first."""
    found = [
        DocumentNews(what=file.state, document=file.path, reason=file.reason)
        for file in files
        if file.state in ("failed", "skipped")
    ]
    found += [DocumentNews(what="removed", document=id) for id in before.keys() - after.keys()]
    changed = [id for id in after if before.get(id) != after[id]]
    found += [DocumentNews(what="changed" if id in before else "added", document=id) for id in changed]
    return sorted(found, key=lambda one: (ORDER.index(one.what), one.document))
