"""The keyword list of a search: BM25 over the tokens in SQLite's FTS5.

FTS5 stores the postings in the same transaction that changes the chunks. This module computes the scores, of all
postings at once. That takes an eighth of the time of FTS5's own `bm25()`, which looks up each matching row.
A posting names its chunk by a number that also contains the chunk's length, so nothing else has to be read.
The chunks of a document have numbers next to each other, so a document is a span of numbers.
"""

import sqlite3
from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.settings import Visibility
from pipeline.text.detecting import language_among

K1, B = 0.9, 0.75
"""BM25's k1 (how soon a repeated word stops adding to the score) and b (how much the length of a chunk matters).
Anserini uses this k1 for BEIR. It was better on retrieval-dev too."""

WHOLE = 0.25
"""The share of a chunk's score that comes from its whole document. If two chunks hold the same words, the better one
is from the document that is about these words (Callan, SIGIR 1994)."""

LENGTH_BITS = 12
LONGEST = (1 << LENGTH_BITS) - 1
"""In tokens. A longer chunk counts as this long."""

Postings = tuple[np.ndarray, np.ndarray]
"""For one term: the numbers of the chunks that hold it, ascending, and how often each holds it; both (chunks,) int64."""


def next_place(connection: sqlite3.Connection) -> int:
    """The place for the next chunk: the upper bits of its number."""
    last = connection.execute("SELECT MAX(number) FROM chunks").fetchone()[0]
    return 0 if last is None else (last >> LENGTH_BITS) + 1


def chunk_number(place: int, heading: Sequence[str], body: Sequence[str]) -> int:
    """The number of the chunk at `place`: the place in the upper bits, the count of its tokens in the lower ones."""
    return place << LENGTH_BITS | min(len(heading) + len(body), LONGEST)


def add(
    connection: sqlite3.Connection, visibility: Visibility, number: int, heading: Sequence[str], body: Sequence[str]
) -> None:
    """Adds the tokens of chunk `number` to the keyword tables."""
    for table in ("keywords", "public_keywords") if visibility == "public" else ("keywords",):
        connection.execute(
            f"INSERT INTO {table} (rowid, heading, body) VALUES (?, ?, ?)", (number, " ".join(heading), " ".join(body))
        )
    _count(connection, visibility, chunks=1, length=number & LONGEST)


def remove(connection: sqlite3.Connection, visibility: Visibility, number: int) -> None:
    """Removes the tokens of chunk `number` from the keyword tables."""
    for table in ("keywords", "public_keywords"):
        connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (number,))
    _count(connection, visibility, chunks=-1, length=-(number & LONGEST))


def count_document(connection: sqlite3.Connection, visibility: Visibility, more: int) -> None:
    """Changes the count of documents. `more`: 1 if the chunks of a document are added, -1 if they are removed."""
    _count(connection, visibility, documents=more)


def keyword_scores(
    connection: sqlite3.Connection,
    terms: Sequence[str],
    visibility: Visibility | None,
    count: int,
    only: np.ndarray | None = None,
    also: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, float]:
    """The chunks that match `terms` best, at most `count`, as scores by chunk id, best first.

    A chunk's score mixes its own BM25 with that of its document. A search of public text computes as if there were no
    private text.

    Args:
        only: the numbers (chunks,) int64 of the chunks that may be found. None: any chunk.
        also: other tokens that count as a term, by term.
    """
    table = "public_keywords" if visibility == "public" else "keywords"
    groups = [[term, *(also or {}).get(term, ())] for term in terms]
    found = [np.unique(_occurrences(connection, table, *group), return_counts=True) for group in groups]
    documents, chunks, length = totals(connection, visibility)
    numbers, scores = chunk_scores(found, chunks, length)
    if visibility == "private":
        public = [_occurrences(connection, "public_keywords", *group) for group in groups]
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


def query_language(connection: sqlite3.Connection, query: str, visibility: Visibility | None) -> str:
    """The ISO 639-1 code of the language of `query`, a question to these documents."""
    return language_among(query, languages(connection, visibility))


def languages(connection: sqlite3.Connection, visibility: Visibility | None) -> dict[str, int]:
    """How many documents are in each language, by ISO 639-1 code, most first.

    Only public documents count for a public search. Documents whose language could not be told are left out.
    """
    rows = connection.execute(
        "SELECT language, COUNT(*) FROM documents WHERE language != '' AND (visibility = 'public' OR ?)"
        " GROUP BY language ORDER BY 2 DESC, 1",
        (visibility != "public",),
    )
    return {row[0]: row[1] for row in rows}


def chunk_scores(found: Sequence[Postings], chunks: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores all chunks that hold a term of the query, by BM25 (Robertson and Zaragoza, 2009).

    Args:
        found: the postings of each term.
        chunks: the number of all chunks.
        length: the number of tokens in all chunks.

    Returns:
        The numbers of the chunks (matches,) int64, ascending, and the score of each (matches,) float64.
    """
    numbers = np.concatenate([np.empty(0, np.int64), *(held for held, _ in found)])
    mean = length / max(chunks, 1)
    parts = [rarity(len(held), chunks) * _weight(times, held & LONGEST, mean) for held, times in found]
    order = np.argsort(numbers, kind="stable")  # quick on numbers that are partly sorted, as these are
    numbers, starts = np.unique(numbers[order], return_index=True)
    return numbers, np.add.reduceat(np.concatenate(parts)[order], starts) if len(starts) else np.empty(0)


def document_scores(found: Sequence[Postings], chunks: int, spans: np.ndarray, mean: float) -> np.ndarray:
    """Scores documents by BM25. How rare a term is, is counted among chunks.

    Args:
        found: the postings of each term.
        chunks: the number of all chunks.
        spans: (documents, 3) int64: the numbers of the document's first and last chunk, and its tokens.
        mean: the mean number of tokens in a document.

    Returns:
        The scores (documents,) float64.
    """
    scores = np.zeros(len(spans))
    for held, times in found:
        so_far = np.concatenate([[0], np.cumsum(times)])
        within = so_far[np.searchsorted(held, spans[:, 1], "right")] - so_far[np.searchsorted(held, spans[:, 0])]
        scores += rarity(len(held), chunks) * _weight(within, spans[:, 2], mean)
    return scores


def rarity(holding: int, chunks: int) -> float:
    """The idf of a term that `holding` of `chunks` hold, by Lucene's formula.

    It is above 0 also for a term that more than half of the chunks hold.
    """
    return float(np.log1p((chunks - holding + 0.5) / (holding + 0.5)))


def _weight(times: np.ndarray, lengths: np.ndarray, mean: float) -> np.ndarray:
    """BM25's term frequency part (Robertson and Zaragoza, 2009), for each text.

    Args:
        times: how often the term occurs in each text (texts,).
        lengths: the tokens of each text (texts,).
        mean: the mean number of tokens in a text.
    """
    return (K1 + 1) * times / (times + K1 * (1 - B + B * lengths / mean))


def _best(numbers: np.ndarray, scores: np.ndarray, count: int) -> list[tuple[int, float]]:
    """The `count` chunks with the highest scores. If scores are equal, the lower number comes first."""
    if len(scores) > count:
        kept = scores >= np.partition(scores, -count)[-count]
        numbers, scores = numbers[kept], scores[kept]
    best = np.argsort(-scores, kind="stable")[:count]
    return list(zip(numbers[best].tolist(), scores[best].tolist(), strict=True))


def _occurrences(connection: sqlite3.Connection, table: str, *terms: str) -> np.ndarray:
    # SQLite joins the numbers into one string: a Python row for each number would be slow.
    marks = ", ".join("?" * len(terms))
    found = connection.execute(
        f"SELECT group_concat(doc) FROM {table}_places WHERE term IN ({marks})", terms
    ).fetchone()[0]
    return np.fromstring(found or "", dtype=np.int64, sep=",")


def _spans(connection: sqlite3.Connection, numbers: Sequence[int]) -> dict[str, tuple[int, int, int]]:
    """First chunk number, last chunk number and tokens, by document, for the documents that these chunks belong to."""
    rows = connection.execute(
        f"SELECT document, MIN(number), MAX(number), SUM(number & {LONGEST}) FROM chunks WHERE document IN"
        f" (SELECT document FROM chunks WHERE number IN ({', '.join('?' * len(numbers))})) GROUP BY document",
        numbers,
    )
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def totals(connection: sqlite3.Connection, visibility: Visibility | None) -> tuple[int, int, int]:
    """The numbers of documents, chunks and tokens: of public text for a public search, otherwise of all text."""
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
