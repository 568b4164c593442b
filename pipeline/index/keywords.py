"""The keyword list of a search: BM25 over the tokens in SQLite's FTS5.

FTS5 keeps the postings, in the transaction that changes the chunks. The scores are made here of all of them at once:
the same as those of its own `bm25()`, but in an eighth of the time, as that looks each matching row up by itself.
A posting names its chunk by number, and the number holds the chunk's length too, so that nothing else need be read.
"""

import sqlite3
from collections.abc import Sequence

import numpy as np

from pipeline.index import tokens
from pipeline.settings import Visibility

K1, B = 0.9, 0.75
"""How soon the repetition of a word stops to count, and how much a chunk's length does. k1 is what Anserini uses for
BEIR; it was better on retrieval-dev too."""

LENGTH_BITS = 12
LONGEST = (1 << LENGTH_BITS) - 1
"""Tokens; a longer chunk counts as this long."""


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
    _count(connection, visibility, 1, number & LONGEST)


def remove(connection: sqlite3.Connection, visibility: Visibility, number: int) -> None:
    for table in ("keywords", "public_keywords"):
        connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (number,))
    _count(connection, visibility, -1, -(number & LONGEST))


def keyword_scores(
    connection: sqlite3.Connection,
    query: str,
    visibility: Visibility | None,
    count: int,
    only: np.ndarray | None = None,
) -> dict[str, float]:
    """BM25 by chunk id, at most `count`, best first; of public text as if there were no private text.

    `only`: the numbers (int64) of the chunks that may be found; None: any.
    """
    terms = tokens.query_tokens(query)
    table = "public_keywords" if visibility == "public" else "keywords"
    numbers, scores = bm25([_occurrences(connection, table, term) for term in terms], *_totals(connection, visibility))
    if visibility == "private":
        public = [_occurrences(connection, "public_keywords", term) for term in terms]
        private = ~np.isin(numbers, np.concatenate([numbers[:0], *public]))
        numbers, scores = numbers[private], scores[private]
    if only is not None:
        passing = np.isin(numbers, only)
        numbers, scores = numbers[passing], scores[passing]
    best = dict(_best(numbers, scores, count))
    rows = connection.execute(
        f"SELECT number, id FROM chunks WHERE number IN ({', '.join('?' * len(best))})", list(best)
    ).fetchall()
    ranked = sorted((-best[row["number"]], row["id"]) for row in rows)
    return {id: -score for score, id in ranked}


def bm25(occurrences: Sequence[np.ndarray], chunks: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of all chunks that hold a term of the query, and their scores.

    The formula is FTS5's: Robertson and Zaragoza 2009, and a term that most chunks hold counts next to nothing.
    `occurrences`: of each term, the number (int64) of the chunk that each of its occurrences is in, ascending.
    `chunks`, `length`: how many there are in all, and their tokens.
    """
    found, parts = [np.empty(0, np.int64)], [np.empty(0)]
    for numbers in occurrences:
        held, times = np.unique(numbers, return_counts=True)
        rarity = max(np.log((chunks - len(held) + 0.5) / (len(held) + 0.5)), 1e-6)
        norm = K1 * (1 - B + B * (held & LONGEST) * (chunks / max(length, 1)))
        found.append(held)
        parts.append(rarity * (K1 + 1) * times / (times + norm))
    numbers = np.concatenate(found)
    order = np.argsort(numbers, kind="stable")  # which makes use of that each term's are in order
    numbers, starts = np.unique(numbers[order], return_index=True)
    return numbers, np.add.reduceat(np.concatenate(parts)[order], starts) if len(starts) else np.empty(0)


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


def _totals(connection: sqlite3.Connection, visibility: Visibility | None) -> tuple[int, int]:
    """Chunks, and tokens in all of them: of public text for a public search, else of everything."""
    row = connection.execute(
        "SELECT COALESCE(SUM(chunks), 0), COALESCE(SUM(tokens), 0) FROM keyword_totals WHERE visibility = 'public' OR ?",
        (visibility != "public",),
    ).fetchone()
    return row[0], row[1]


def _count(connection: sqlite3.Connection, visibility: Visibility, chunks: int, length: int) -> None:
    connection.execute(
        "INSERT INTO keyword_totals VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET"
        " chunks = chunks + excluded.chunks, tokens = tokens + excluded.tokens",
        (visibility, chunks, length),
    )
