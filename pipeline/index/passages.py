"""The records that leave this room; also the JSON of `search` and `status`."""

from typing import Literal

from pydantic import BaseModel

from pipeline.settings import Retrieval, Visibility


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
    similarity: float | None = None
    """Cosine between question and chunk, -1 to 1, where a dense list was asked; comparable between searches."""


class SearchResult(BaseModel):
    query: str
    retrieval: Retrieval
    passages: list[Passage]
    took_ms: float


class FileStatus(BaseModel):
    path: str
    state: Literal["indexed", "skipped", "failed", "pending"]
    reason: str = ""
    chunks: int = 0
    indexed_at: str | None = None
    visibility: Visibility | None = None


class DocumentCounts(BaseModel):
    indexed: int = 0
    skipped: int = 0
    failed: int = 0
    pending: int = 0
