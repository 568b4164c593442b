"""Converts chunks and pairs to Langflow's tables and back."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from lfx.schema.data import Data
from lfx.schema.dataframe import DataFrame

from pipeline.dataset.records import Candidate, Pair, PairSource, Rejection

PAIR_COLUMNS = ("question", "answer", "kind", "accuracy", "style", "source", "chunk_index")


def chunks_to_table(sources: Iterable[PairSource]) -> DataFrame:
    """A table with one row for each chunk."""
    return DataFrame([asdict(source) for source in sources])


def chunks_from(value: object) -> list[PairSource]:
    """The chunks in a table of ours or of another splitter. A row needs only a `text`.

    Raises:
        ValueError: `value` is not a table, or a row has no text.
    """
    return [_source(record, position) for position, record in enumerate(_records(value, "Notes to Chunks"))]


def pairs_to_table(candidates: Iterable[Candidate]) -> DataFrame:
    """A table with one row for each pair and the text that it was made from."""
    return DataFrame([_row(candidate.pair, candidate.sources) for candidate in candidates])


def pairs_from(value: object) -> list[Candidate]:
    """The pairs in a table of `pairs_to_table`. The texts of several chunks come back as one source.

    Raises:
        ValueError: `value` is not a table, or a row lacks a column.
    """
    return [_candidate(record, position) for position, record in enumerate(_records(value, "the Teacher's Pairs"))]


def reviewed_to_table(candidates: Iterable[Candidate], rejections: Mapping[str, Rejection]) -> DataFrame:
    """A table with each pair once and the filter's verdict on it.

    Args:
        rejections: rejections by pair id.
    """
    rows = []
    for id, candidate in {candidate.pair.id: candidate for candidate in candidates}.items():
        refused = rejections.get(id)
        reason = f"{refused.stage}: {refused.reason}" if refused else ""
        rows.append({"accepted": refused is None, "reason": reason, **_row(candidate.pair, candidate.sources)})
    return DataFrame(rows)


def _row(pair: Pair, sources: tuple[PairSource, ...]) -> dict[str, Any]:
    headings = dict.fromkeys(source.heading for source in sources if source.heading)
    return {
        **{column: getattr(pair, column) for column in PAIR_COLUMNS},
        "title": sources[0].title,
        "heading": "; ".join(headings),
        "text": "\n\n".join(source.text for source in sources),
        "chunks": list(pair.chunks),
        "visibility": "private" if any(source.visibility == "private" for source in sources) else "public",
    }


def _records(value: object, connect: str) -> list[dict[str, Any]]:
    tables = value if isinstance(value, list | tuple) else [value]
    records: list[dict[str, Any]] = []
    for table in tables:
        if isinstance(table, DataFrame):
            records += table.to_dict(orient="records")
        elif isinstance(table, Data | Mapping):
            records.append(dict(table.data if isinstance(table, Data) else table))
        else:
            raise ValueError(f"no table is connected: connect {connect}")
    return [{str(key): item for key, item in record.items() if not _is_missing(item)} for record in records]


def _is_missing(item: object) -> bool:
    """Whether a table's cell was missing in the record; the table has NaN there."""
    return item is None or (isinstance(item, float) and math.isnan(item))


def _source(record: dict[str, Any], position: int) -> PairSource:
    text = str(record.get("text", "")).strip()
    if not text:
        raise ValueError(f"row {position + 1} has no text: connect a table with a column `text`")
    document = str(record.get("document") or record.get("source") or record.get("file_path") or "table")
    index = int(record.get("index", record.get("chunk_index", position)))
    return PairSource(
        chunk=str(record.get("chunk") or f"{document}#{index}"),
        document=document,
        index=index,
        title=str(record.get("title") or document),
        heading=str(record.get("heading", "")),
        text=text,
        # A text without a visibility counts as private.
        visibility="public" if record.get("visibility") == "public" else "private",
    )


def _candidate(record: dict[str, Any], position: int) -> Candidate:
    if missing := [column for column in PAIR_COLUMNS if column not in record]:
        raise ValueError(f"row {position + 1} has no {', '.join(missing)}: connect the Teacher's Pairs")
    source = _source(record, position)
    chunks = tuple(record.get("chunks") or (source.chunk,))
    pair = Pair(**{column: record[column] for column in PAIR_COLUMNS}, chunks=chunks)
    return Candidate(pair, (replace(source, chunk=chunks[0]),))
