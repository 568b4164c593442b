"""Converts passages to Langflow's tables and lists and back."""

import math
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urljoin

from lfx.schema.data import Data
from lfx.schema.dataframe import DataFrame

from pipeline.index.passages import Passage

RETRIEVE_MS = "retrieve_ms"
READ = (
    "Do not repeat these passages. Now answer the question from them in one to three sentences of your own, with the number of "
    "the passage behind each fact, such as [1]. The same search finds the same again."
)
NOTHING = (
    "No passage of the notes fits this question. Search once in other words, or say that it is not in these notes."
)
"""What an agent is told after the passages, or without any."""


def to_table(passages: Iterable[Passage], retrieve_ms: float) -> DataFrame:
    """A table with one row per passage and the columns of `search --json`.

    Args:
        retrieve_ms: duration of the search in milliseconds, kept in the table's attributes.
    """
    table = DataFrame([passage.model_dump(mode="json") for passage in passages])
    table.attrs[RETRIEVE_MS] = retrieve_ms
    return table


def to_text(passages: Iterable[Passage], site: str) -> str:
    """The passages as text for an agent: title, link and whole text of each, numbered from 1.

    Args:
        site: the site's address, for links without a host.
    """
    texts = []
    for number, passage in enumerate(passages, 1):
        name = " › ".join(part for part in (passage.title, passage.heading) if part)
        link = [urljoin(site, passage.url)] if passage.url else []
        texts.append("\n".join([f"[{number}] {name}", *link, "", passage.text]))
    return "\n\n".join([*texts, READ] if texts else [NOTHING])


def is_connected(value: object) -> bool:
    """Whether `value` comes from a retriever, even one that found nothing."""
    return value is not None and not isinstance(value, str) and not (isinstance(value, list | tuple) and not value)


def retrieve_ms(value: object) -> float:
    """Duration in milliseconds of the search for these passages; 0 if another node found them."""
    tables = value if isinstance(value, list | tuple) else [value]
    return float(sum(table.attrs.get(RETRIEVE_MS, 0.0) for table in tables if isinstance(table, DataFrame)))


def from_input(value: object) -> list[Passage]:
    """The passages in a table or in JSON records of our retriever or another one.

    Another retriever's record needs a `text`. Other fields of a passage are used if present, also under `metadata`.

    Raises:
        ValueError: `value` is neither a table nor records, or a record has no text.
    """
    records = [_record(row) for row in _rows(value)]
    return [_passage(record, position) for position, record in enumerate(records)]


def _rows(value: object) -> list[object]:
    if value is None:
        return []
    if isinstance(value, DataFrame):
        return list(value.to_dict(orient="records"))
    if isinstance(value, list | tuple):
        return [row for item in value for row in _rows(item)]
    if isinstance(value, Data | Mapping):
        return [value]
    raise ValueError(f"passages are a table or a list of JSON records, not {type(value).__name__}: connect a retriever")


def _record(row: object) -> dict[str, Any]:
    content = dict(row.data) if isinstance(row, Data) else dict(row)  # type: ignore[call-overload]
    metadata = content.pop("metadata", None)
    merged = {**metadata, **content} if isinstance(metadata, Mapping) else content
    # A table has NaN for a field that was missing in the record.
    return {str(k): v for k, v in merged.items() if not (v is None or (isinstance(v, float) and math.isnan(v)))}


def _passage(record: dict[str, Any], position: int) -> Passage:
    text = record.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"passage {position + 1} has no text: connect a retriever whose records have a `text` field")
    document = str(record.get("document") or record.get("source") or record.get("title") or f"passage-{position + 1}")
    return Passage(
        id=str(record.get("id") or f"{document}#{position}"),
        document=document,
        title=str(record.get("title") or document),
        url=str(record.get("url") or ""),
        heading=str(record.get("heading") or ""),
        text=text,
        score=float(record.get("score") or 0.0),
        visibility=record.get("visibility", "public"),
        similarity=record.get("similarity"),
    )
