"""The records that leave this room; also the JSON of `search` and `status`."""

from typing import Literal, NamedTuple

from pydantic import BaseModel

from pipeline.settings import Fusion, Retrieval, Visibility


class Passage(BaseModel):
    """A chunk as search returns it."""

    id: str
    document: str
    title: str
    url: str
    """With the heading's anchor, when the document has an address."""
    heading: str
    """The heading path, joined by ` > `; empty above the first heading."""
    text: str
    score: float
    """Higher is better; comparable within one search only."""
    visibility: Visibility
    date: str = ""
    """The day of its document, such as `2024-01-05`; empty if it has none."""
    similarity: float | None = None
    """The cosine of question and chunk, -1 to 1; None if the dense list was not asked. Comparable between searches."""

    @property
    def whole_text(self) -> str:
        """The text below its title and headings, as it was embedded."""
        return f"{' > '.join(filter(None, (self.title, self.heading)))}\n{self.text}"


class Place(BaseModel):
    """The place of a passage at one stage of a search."""

    rank: int | None = None
    """From 1. None: the stage's list lacks the passage, and its score was looked up for the fusion."""
    score: float


class ExplainedPassage(BaseModel):
    """The place of one passage at each stage of a search; None at a stage that it did not reach."""

    id: str
    document: str
    title: str
    heading: str
    visibility: Visibility
    rank: int | None = None
    """Its place among the results, from 1; None if it was cut."""
    dense: Place | None = None
    """By cosine; None also for a chunk that is not embedded yet."""
    keyword: Place | None = None
    """By BM25."""
    matched: list[str] = []
    """The question's tokens that it holds."""
    fused: Place | None = None
    aligned: Place | None = None
    """By the fused score and how well the words of the question are met, or how near a sentence is to it."""
    reranked: Place | None = None
    cut: str = ""
    """Why it is not among the results."""


class Explanation(BaseModel):
    """How a search came to its results. It names nothing that the search may not show."""

    tokens: list[str]
    """The tokens that the keyword list was asked for."""
    embedder: str | None
    pending_chunks: int
    """The number of chunks that are not embedded yet. The dense list lacks them."""
    fusion: Fusion | None
    candidates: int
    """The most that each list handed to the fusion."""
    reranker: str | None
    filters: str
    passages: list[ExplainedPassage]
    """The results, then the other candidates, then what the filters left out."""


class SearchResult(BaseModel):
    """The passages that a search found, best first."""

    query: str
    retrieval: Retrieval
    passages: list[Passage]
    took_ms: float
    note: str = ""
    """Why nothing can be found, when no document passes the filters; or that files changed since the last sync."""
    explanation: Explanation | None = None


class FileStatus(BaseModel):
    """What the index knows of one file."""

    path: str
    state: Literal["indexed", "skipped", "failed", "pending"]
    reason: str = ""
    chunks: int = 0
    indexed_at: str | None = None
    visibility: Visibility | None = None


class DocumentCounts(BaseModel):
    """The numbers of files by their state."""

    indexed: int = 0
    skipped: int = 0
    failed: int = 0
    pending: int = 0


class DocumentEntry(NamedTuple):
    """A document in a list of all documents."""

    id: str
    title: str
    url: str


class SyncReport(BaseModel):
    """What one sync did."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0
    """Files that can't be read; `status` has their reasons."""
    chunks_embedded: int = 0
    """The number of texts that were embedded. A text whose vector is known is not embedded again."""
    chunks_deleted: int = 0
    seconds: float = 0.0
    rebuilt: bool = False
    """The index was of an earlier version of sitetwin, so it was made anew."""

    @property
    def is_quiet(self) -> bool:
        """Whether the sync changed nothing in the index."""
        return not (self.added or self.changed or self.removed or self.chunks_embedded or self.chunks_deleted)

    def summary(self) -> str:
        """One line for a person."""
        counts = {
            "added": self.added, "changed": self.changed, "removed": self.removed,
            "unchanged": self.unchanged, "skipped": self.skipped, "failed": self.failed,
        }  # fmt: skip
        files = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        if not files:
            return "no documents: write notes, or name their folder under [[content]] in sitetwin.toml"
        hint = "; `sitetwin status` says why" if self.failed or self.skipped else ""
        noun = "chunk" if self.chunks_embedded == 1 else "chunks"
        again = "made anew, as it was of an earlier version: " if self.rebuilt else ""
        return f"{again}{files}; {self.chunks_embedded} {noun} embedded in {self.seconds:.1f} s{hint}"
