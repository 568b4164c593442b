"""The keyword list of a search: BM25 over the tokens in SQLite's FTS5.

FTS5 keeps the postings, in the transaction that changes the chunks. The scores are made here of all of them at once,
in an eighth of the time of its own `bm25()`, which looks each matching row up by itself.
A posting names its chunk by number, and the number holds the chunk's length too, so that nothing else need be read.
The chunks of one document stand next to each other, so that a document is a span of numbers.
"""

import sqlite3
from collections.abc import Sequence

import numpy as np

from pipeline.settings import Visibility
from pipeline.text import tokens

K1, B = 0.9, 0.75
"""How soon the repetition of a word stops to count, and how much a chunk's length does. k1 is what Anserini uses for
BEIR; it was better on retrieval-dev too."""

WHOLE = 0.25
"""How much of a chunk's score is that of its whole document: of two chunks with the same words, the better is the one
of the document that is about them (Callan, SIGIR 1994)."""

LENGTH_BITS = 12
LONGEST = (1 << LENGTH_BITS) - 1
"""Tokens; a longer chunk counts as this long."""

Postings = tuple[np.ndarray, np.ndarray]
"""Of one term: the numbers (int64) of the chunks that hold it, ascending, and how often each does."""


def next_place(connection: sqlite3.Connection) -> int:
    """The upper part of the number of a chunk that is to be added."""
    last = connection.execute("SELECT MAX(number) FROM chunks").fetchone()[0]
    return 0 if last is None else (last >> LENGTH_BITS) + 1


def chunk_number(place: int, heading: Sequence[str], body: Sequence[str]) -> int:
    """Of the chunk at `place` with these tokens."""
    return place << LENGTH_BITS | min(len(heading) + len(body), LONGEST)


def add(
    connection: sqlite3.Connection, visibility: Visibility, number: int, heading: Sequence[str], body: Sequence[str]
) -> None:
    for table in ("keywords", "public_keywords") if visibility == "public" else ("keywords",):
        connection.execute(
            f"INSERT INTO {table} (rowid, heading, body) VALUES (?, ?, ?)", (number, " ".join(heading), " ".join(body))
        )
    _count(connection, visibility, chunks=1, length=number & LONGEST)


def remove(connection: sqlite3.Connection, visibility: Visibility, number: int) -> None:
    for table in ("keywords", "public_keywords"):
        connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (number,))
    _count(connection, visibility, chunks=-1, length=-(number & LONGEST))


def count_document(connection: sqlite3.Connection, visibility: Visibility, more: int) -> None:
    """`more` is 1 for a document whose chunks are added, -1 for one whose chunks are removed."""
    _count(connection, visibility, documents=more)


def keyword_scores(
    connection: sqlite3.Connection,
    query: str,
    visibility: Visibility | None,
    count: int,
    only: np.ndarray | None = None,
) -> dict[str, float]:
    """By chunk id, at most `count`, best first; of public text as if there were no private text.

    The best chunks by BM25, each with the BM25 of its document added for a part. `only`: the numbers (int64) of the
    chunks that may be found; None: any.
    """
    terms = tokens.query_tokens(query)
    table = "public_keywords" if visibility == "public" else "keywords"
    found = [np.unique(_occurrences(connection, table, term), return_counts=True) for term in terms]
    documents, chunks, length = totals(connection, visibility)
    numbers, scores = chunk_scores(found, chunks, length)
    if visibility == "private":
        public = [_occurrences(connection, "public_keywords", term) for term in terms]
        private = ~np.isin(numbers, np.concatenate([numbers[:0], *public]))
        numbers, scores = numbers[private], scores[private]
    if only is not None:
        passing = np.isin(numbers, only)
        numbers, scores = numbers[passing], scores[passing]
    best = dict(_best(numbers, scores, count))
    if not best:
        return {}
    spans = _spans(connection, list(best))
    places = np.array(list(spans.values()), np.int64)
    whole = dict(zip(spans, document_scores(found, chunks, places, length / documents).tolist(), strict=True))
    rows = connection.execute(
        f"SELECT number, id, document FROM chunks WHERE number IN ({', '.join('?' * len(best))})", list(best)
    )
    mixed = {row["id"]: (1 - WHOLE) * best[row["number"]] + WHOLE * whole[row["document"]] for row in rows}
    return dict(sorted(mixed.items(), key=lambda item: (-item[1], item[0])))


def chunk_scores(found: Sequence[Postings], chunks: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of all chunks that hold a term of the query, ascending, and the BM25 of each.

    `found`: the postings of each term. `chunks`, `length`: how many there are in all, and their tokens.
    """
    numbers = np.concatenate([np.empty(0, np.int64), *(held for held, _ in found)])
    mean = length / max(chunks, 1)
    parts = [_rarity(len(held), chunks) * _weight(times, held & LONGEST, mean) for held, times in found]
    order = np.argsort(numbers, kind="stable")  # which makes use of that each term's are in order
    numbers, starts = np.unique(numbers[order], return_index=True)
    return numbers, np.add.reduceat(np.concatenate(parts)[order], starts) if len(starts) else np.empty(0)


def document_scores(found: Sequence[Postings], chunks: int, spans: np.ndarray, mean: float) -> np.ndarray:
    """The BM25 of each document, (documents,), with the terms' rarity among chunks.

    `spans`: (documents, 3) int64: the numbers of its first and its last chunk, and its tokens. `mean`: tokens of a
    document of middling length.
    """
    scores = np.zeros(len(spans))
    for held, times in found:
        so_far = np.concatenate([[0], np.cumsum(times)])
        within = so_far[np.searchsorted(held, spans[:, 1], "right")] - so_far[np.searchsorted(held, spans[:, 0])]
        scores += _rarity(len(held), chunks) * _weight(within, spans[:, 2], mean)
    return scores


def _rarity(holding: int, chunks: int) -> float:
    """Of a term that `holding` of `chunks` hold, as Lucene counts it: above 0 for words in more than half of them too."""
    return float(np.log1p((chunks - holding + 0.5) / (holding + 0.5)))


def _weight(times: np.ndarray, lengths: np.ndarray, mean: float) -> np.ndarray:
    """Of a term that stands `times` in texts of these `lengths` (tokens): Robertson and Zaragoza 2009."""
    return (K1 + 1) * times / (times + K1 * (1 - B + B * lengths / mean))


def _best(numbers: np.ndarray, scores: np.ndarray, count: int) -> list[tuple[int, float]]:
    """The `count` of the highest score, and of equal ones those with the lower number."""
    if len(scores) > count:
        kept = scores >= np.partition(scores, -count)[-count]
        numbers, scores = numbers[kept], scores[kept]
    best = np.argsort(-scores, kind="stable")[:count]
    return list(zip(numbers[best].tolist(), scores[best].tolist(), strict=True))


def _occurrences(connection: sqlite3.Connection, table: str, term: str) -> np.ndarray:
    # One string of all of them: Python would make a row of each.
    found = connection.execute(f"SELECT group_concat(doc) FROM {table}_places WHERE term = ?", (term,)).fetchone()[0]
    return np.fromstring(found or "", dtype=np.int64, sep=",")


def _spans(connection: sqlite3.Connection, numbers: Sequence[int]) -> dict[str, tuple[int, int, int]]:
    """First number, last number and tokens of each document that one of the chunks is of."""
    rows = connection.execute(
        f"SELECT document, MIN(number), MAX(number), SUM(number & {LONGEST}) FROM chunks WHERE document IN"
        f" (SELECT document FROM chunks WHERE number IN ({', '.join('?' * len(numbers))})) GROUP BY document",
        numbers,
    )
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def totals(connection: sqlite3.Connection, visibility: Visibility | None) -> tuple[int, int, int]:
    """Documents, chunks, and tokens in all of them: of public text for a public search, else of everything."""
    documents, chunks, length = connection.execute(
        "SELECT COALESCE(SUM(documents), 0), COALESCE(SUM(chunks), 0), COALESCE(SUM(tokens), 0) FROM keyword_totals"
        " WHERE visibility = 'public' OR ?",
        (visibility != "public",),
    ).fetchone()
    return documents, chunks, length


def _count(
    connection: sqlite3.Connection, visibility: Visibility, documents: int = 0, chunks: int = 0, length: int = 0
) -> None:
    connection.execute(
        "INSERT INTO keyword_totals (visibility, documents, chunks, tokens) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " documents = documents + excluded.documents, chunks = chunks + excluded.chunks,"
        " tokens = tokens + excluded.tokens",
        (visibility, documents, chunks, length),
    )
