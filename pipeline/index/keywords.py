"""The keyword list of a search: BM25 over the tokens in SQLite's FTS5."""

import sqlite3

from pipeline.index import tokens
from pipeline.settings import Visibility

HEADING_WEIGHT, BODY_WEIGHT = 4 / 3, 4 / 3
"""Of a token's occurrences in title and heading path, and in the text. FTS5 fixes k1 at 1.2; counting each occurrence 4/3
times makes it .9, which Anserini uses for BEIR and which was better on retrieval-dev too."""

_PRIVATE_CHUNKS = (
    "SELECT number FROM chunks JOIN documents ON documents.id = chunks.document WHERE visibility = 'private'"
)


def keyword_scores(
    connection: sqlite3.Connection, query: str, visibility: Visibility | None, count: int
) -> dict[str, float]:
    """BM25 (k1 .9, b .75) by chunk id, at most `count`, best first; of public text as if there were no private text."""
    expression = tokens.match_expression(query)
    if not expression:
        return {}
    table = "public_keywords" if visibility == "public" else "keywords"
    only = f"AND rowid IN ({_PRIVATE_CHUNKS})" if visibility == "private" else ""
    # Ranked before anything else is looked up: a common word matches a good part of the index.
    rows = connection.execute(
        f"SELECT chunks.id, score FROM (SELECT rowid, -rank AS score FROM {table} WHERE {table} MATCH ?"
        f" AND rank MATCH 'bm25({HEADING_WEIGHT}, {BODY_WEIGHT})' {only} ORDER BY rank LIMIT ?) AS best"
        " JOIN chunks ON chunks.number = best.rowid ORDER BY score DESC, chunks.id",
        (expression, count),
    )
    return {row["id"]: row["score"] for row in rows}
