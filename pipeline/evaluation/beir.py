"""Retrieval data sets in BEIR's layout (Thakur et al., NeurIPS 2021): corpus.jsonl, queries.jsonl, qrels/test.tsv."""

import csv
import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import jsonl
from pipeline.content.documents import Document
from pipeline.errors import SitetwinError

_MEND = "mend that line"
Corpus = dict[str, tuple[str, str]]
"""The title and text of each document, by id."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """Documents, queries, and which documents are relevant to each query."""

    documents: list[Document]
    queries: dict[str, str]
    """The queries by id. Queries without text or without a judgement are left out."""
    judgements: dict[str, dict[str, int]]
    """The grade of each judged document, by query id and document id; 0 is not relevant."""


def read_beir(folder: Path) -> DataSet:
    """The data set in `folder`, with the judgements of its test split.

    Raises:
        SitetwinError: a file is missing or has another layout, or nothing is judged.
    """
    try:
        judgements: dict[str, dict[str, int]] = defaultdict(dict)
        with (folder / "qrels" / "test.tsv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                judgements[row["query-id"]][row["corpus-id"]] = int(row["score"])
        rows = jsonl.read_objects(folder / "queries.jsonl", _MEND)
        queries = {row["_id"]: row["text"] for row in rows if row["_id"] in judgements and row["text"].strip()}
        documents = [_document(folder, row) for row in jsonl.read_objects(folder / "corpus.jsonl", _MEND)]
    except OSError as error:
        raise SitetwinError(
            f"{error.filename} can't be read ({error.strerror}): name a folder in BEIR's layout"
        ) from None
    except (KeyError, TypeError, ValueError) as error:
        raise SitetwinError(
            f"{folder} is not in BEIR's layout ({error!r}): see corpus.jsonl, queries.jsonl, qrels/test.tsv"
        ) from None
    if not queries:
        raise SitetwinError(f"{folder} has no query with a judgement: see _id and query-id in its files")
    return DataSet(documents, queries, dict(judgements))


def write_beir(
    folder: Path, corpus: Corpus, queries: Mapping[str, str], judgements: Mapping[str, Collection[str]]
) -> None:
    """Writes a data set that `read_beir` can read.

    Args:
        folder: where to write it.
        corpus: title and text by document id.
        queries: the queries by id.
        judgements: for each query the ids of the documents that answer it.
    """
    documents = [{"_id": id, "title": title, "text": text} for id, (title, text) in corpus.items()]
    judged = [f"{query}\t{id}\t1" for query, ids in judgements.items() for id in sorted(ids)]
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    for name, rows in (("corpus", documents), ("queries", [{"_id": id, "text": text} for id, text in queries.items()])):
        jsonl.write(folder / f"{name}.jsonl", rows)
    (folder / "qrels" / "test.tsv").write_text(
        "\n".join(["query-id\tcorpus-id\tscore", *judged]) + "\n", encoding="utf-8"
    )


def _document(folder: Path, row: dict[str, Any]) -> Document:
    title, text = row.get("title") or "", row["text"]
    digest = hashlib.sha256(f"{title}\n{text}".encode()).hexdigest()
    return Document(row["_id"], folder / "corpus.jsonl", title, "", text, "public", digest=digest)
