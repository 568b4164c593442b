"""Explains a search: the rank and score of each passage at each stage, and why the other passages were cut."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.index.lists import ListRequest, Lists
from pipeline.index.passages import ExplainedPassage, Explanation, Place
from pipeline.text import tokens

SHOWN_CUT = 12
"""How many of the cut passages the table shows. JSON has all of them."""


@dataclass(frozen=True, slots=True)
class Stages:
    """The result of each stage of a search, by chunk id."""

    lists: Lists
    fused: Mapping[str, float]
    merged: Mapping[str, str]
    """For each passage that only repeats a better one, that better passage."""
    aligned: Mapping[str, float]
    """Empty if no words were compared."""
    reranked: Mapping[str, float]
    """Empty if no reranker was asked."""
    best: list[str]
    """The passages that the search returns."""


def explain(
    request: ListRequest, stages: Stages, everything: Lists, embedder: str | None, reranker: str | None, pending: int
) -> Explanation:
    """The search, step by step.

    Args:
        everything: the lists of the same question without filters. They, too, hold only passages that may be seen.
        embedder: the name of the embedder; None if the search did not use it.
        reranker: the name of the reranker; None if there is none.
        pending: how many chunks are not embedded yet.
    """
    lists, final = stages.lists, {id: rank for rank, id in enumerate(stages.best, 1)}
    words = lists.terms
    dense, keyword = _places(lists.dense), _places(lists.keyword)
    looked_up = {id: Place(score=cosine) for id, cosine in lists.cosines.items()}
    fused, aligned, reranked = map(_places, (stages.fused, stages.aligned, stages.reranked))
    passages = [
        _explained(lists.rows[id], words).model_copy(
            update={
                "rank": final.get(id),
                "dense": dense.get(id) or looked_up.get(id),
                "keyword": keyword.get(id),
                "fused": fused.get(id),
                "aligned": aligned.get(id),
                "reranked": reranked.get(id),
                "cut": "" if id in final else _cut(id, request, stages),
            }
        )
        for id in sorted(stages.fused, key=lambda id: (final.get(id, len(final) + 1), -stages.fused[id], id))
    ]
    dense, keyword = _places(everything.dense), _places(everything.keyword)
    passages += [
        _explained(row, words).model_copy(
            update={"dense": dense.get(id), "keyword": keyword.get(id), "cut": _left_out(request)}
        )
        for id, row in everything.rows.items()
        if id not in lists.rows
    ]
    return Explanation(
        tokens=words,
        embedder=embedder,
        pending_chunks=pending,
        fusion=request.fusion if request.retrieval == "hybrid" else None,
        candidates=request.candidates,
        reranker=reranker,
        filters=request.filters.describe(),
        passages=passages,
    )


def table(explanation: Explanation) -> Iterator[str]:
    """The explanation for people, line by line."""
    if explanation.tokens:
        yield f"words:    {' '.join(explanation.tokens)}"
    if explanation.embedder:
        yield f"meaning:  {explanation.embedder}"
    if explanation.pending_chunks:
        yield f"          {explanation.pending_chunks} chunks are not embedded yet, so only their words are known"
    if explanation.fusion:
        yield f"fusion:   by {explanation.fusion}, of at most {explanation.candidates} passages of each list"
    if explanation.reranker:
        yield f"reranker: {explanation.reranker}"
    if explanation.filters:
        yield f"filters:  {explanation.filters}"
    columns = [
        name
        for name in ("dense", "keyword", "fused", "aligned", "reranked")
        if any(getattr(passage, name) for passage in explanation.passages)
    ]
    yield ""
    yield "".join(["  #", *(f"{name:>14}" for name in columns), "  passage"])
    cut = [passage for passage in explanation.passages if passage.cut]
    for passage in [passage for passage in explanation.passages if passage.rank] + cut[:SHOWN_CUT]:
        where = f"{passage.document} › {passage.heading}" if passage.heading else passage.document
        matched = f"  [{' '.join(passage.matched)}]" if passage.matched else ""
        why = f"  – {passage.cut}" if passage.cut else ""
        places = (f"{_shown(getattr(passage, name)):>14}" for name in columns)
        yield "".join([f"{passage.rank or '':>3}", *places, f"  {where}{matched}{why}"])
    if len(cut) > SHOWN_CUT:
        yield f"and {len(cut) - SHOWN_CUT} more that were cut: --json has all"


def _explained(row: sqlite3.Row, words: list[str]) -> ExplainedPassage:
    headings = json.loads(row["headings"])
    held = set(tokens.tokens("\n".join((row["title"], *headings, row["text"])), row["language"]))
    return ExplainedPassage(
        id=row["id"],
        document=row["document"],
        title=row["title"],
        heading=" > ".join(headings),
        visibility=row["visibility"],
        matched=[word for word in words if word in held],
    )


def _places(scores: Mapping[str, float]) -> dict[str, Place]:
    ranked = sorted(scores, key=lambda id: (-scores[id], id))
    return {id: Place(rank=rank, score=scores[id]) for rank, id in enumerate(ranked, 1)}


def _cut(id: str, request: ListRequest, stages: Stages) -> str:
    if id in stages.merged:
        return f"merged with {stages.merged[id]}, which says the same"
    if stages.reranked and id not in stages.reranked:
        return f"not among the first {len(stages.reranked)}, which the reranker reads"
    return f"below the first {request.k}"


def _left_out(request: ListRequest) -> str:
    return "filtered out" if request.filters else "below the candidates"


def _shown(place: Place | None) -> str:
    if place is None:
        return "-"
    return f"{place.rank or '-':>3} {place.score:8.4f}"
