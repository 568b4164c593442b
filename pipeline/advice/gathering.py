"""Gathers what is known of a site, and measures what is quick to measure."""

import datetime
import time
from collections.abc import Sequence
from statistics import quantiles

from pipeline.adapters import promoted
from pipeline.advice.changes import changes
from pipeline.advice.evaluations import last_evaluation
from pipeline.advice.facts import Search, SiteFacts, Trained
from pipeline.advice.memory import Need
from pipeline.content.documents import Document
from pipeline.dataset import versions
from pipeline.errors import SitetwinError
from pipeline.evaluation import golden
from pipeline.index.index import Index
from pipeline.machine import Machine
from pipeline.site import Site
from pipeline.training import registry

MOST_QUESTIONS = 60
"""How many questions are searched, to see how well and how fast."""


def gather(site: Site, machine: Machine, needs: Sequence[Need], today: datetime.date) -> SiteFacts:
    """What is known of the site. It asks the index if there is one, and no model.

    Args:
        site: the site.
        machine: the machine that it runs on.
        needs: what models of all sizes take, the smallest first.
        today: the day up to which the notes' changes are counted.

    Raises:
        SitetwinError: the golden questions or the last evaluation can't be read, or the search fails.
    """
    settings = site.settings
    documents = site.documents()
    file = golden.questions_file(settings)
    asked = golden.load(file) if file.is_file() else []
    known = versions.versions(settings)
    rows = versions.read_rows(versions.version_folder(settings)) if known else []
    return SiteFacts(
        documents=len(documents),
        public=sum(document.visibility == "public" for document in documents),
        words=sum(len(document.text.split()) for document in documents),
        changes=changes([settings.source_path(source) for source in settings.content], documents, today),
        data_set=known[-1] if known else None,
        pairs=len(rows) if known else None,
        pair_kinds=_counted([row.pair.kind for row in rows]),
        golden=_counted([question.kind for question in asked]),
        persona_chars=len(settings.persona.instruction),
        chunk_chars=settings.index.chunk_chars,
        rerank=settings.retrieval.rerank,
        quotes=settings.quotes_first,
        with_passages=settings.dataset.with_passages,
        search=_searched(site, asked, documents),
        machine=f"{machine.system} {machine.processor}",
        memory_gb=machine.gigabytes,
        for_models=round(machine.for_models, 1),
        has_gpu=machine.is_apple_silicon,
        model=settings.models.chat,
        can_answer=_largest([need for need in needs if need.fits_answer]),
        can_train=_largest([need for need in needs if need.fits_train]),
        trained=_trained(site, documents),
        evaluation=last_evaluation(settings),
    )


def _searched(
    site: Site, asked: Sequence[golden.GoldenQuestion], documents: Sequence[Document]
) -> Search | None:  # fmt: skip
    if not (site.settings.state / "index.db").is_file():
        return None
    paged = [question for question in asked if question.answerable and question.page][:MOST_QUESTIONS]
    queries = [question.question for question in paged] or [document.title for document in documents][:MOST_QUESTIONS]
    if not queries:
        return None
    with site.index() as index:
        index.search(queries[0])  # loads what the first search needs
        timed = [_timed(index, query) for query in queries]
    took = [milliseconds for milliseconds, _ in timed]
    hits, others = [], []
    for question, (_, found) in zip(paged, timed, strict=False):
        right = [any(golden.is_page(document, page) for page in question.page) for document in found]
        hits.append(any(right))
        if any(right):
            others.append(right.count(False) / len(right))
    return Search(
        questions=len(paged),
        recall=sum(hits) / len(hits) if hits else None,
        diluted=sum(others) / len(others) if others else None,
        p50_ms=quantiles(took, n=2)[0] if len(took) > 1 else took[0],
        p95_ms=quantiles(took, n=20, method="inclusive")[-1] if len(took) > 1 else took[0],
    )


def _timed(index: Index, query: str) -> tuple[float, list[str]]:
    """The milliseconds of a search, and the document of each passage."""
    started = time.perf_counter()
    passages = index.search(query).passages
    return (time.perf_counter() - started) * 1000, [passage.document for passage in passages]


def _trained(site: Site, documents: Sequence[Document]) -> Trained | None:
    """The promoted adapter, else that of the newest finished run."""
    settings = site.settings
    finished = [run for run in registry.runs(settings) if run.state == "done"]
    adapter = promoted(settings)
    name = adapter.name if adapter else max(finished, key=lambda run: run.made_at).name if finished else ""
    run = next((run for run in finished if name in (run.name, run.last_adapter)), None)
    if run is None:
        # An adapter that was trained elsewhere.
        return Trained(adapter=name, rows=0) if name else None
    means = {score.asked: score.mean for score in run.scores if score.adapter == name and score.mode == "lora"}
    changed, count = _changed(site, run.data_set, documents)
    return Trained(
        adapter=name,
        rows=run.rows.get("train", 0),
        verdict=run.verdict.name if run.verdict else "",
        rise=run.forgetting.rise if run.forgetting else None,
        before=run.forgetting.before if run.forgetting else None,
        seen=means.get("seen"),
        unseen=means.get("held out"),
        changed=changed,
        documents=count,
    )


def _changed(site: Site, data_set: int, documents: Sequence[Document]) -> tuple[list[str], int]:
    """The documents of which a chunk that was trained on is no longer there, and how many were trained on."""
    try:
        rows = versions.read_rows(versions.version_folder(site.settings, data_set))
    except SitetwinError:
        return [], 0  # the owner has deleted that data set, so nothing tells what was trained on
    trained: dict[str, set[str]] = {}
    for row in rows:
        if row.split == "train":
            for chunk in row.pair.chunks:
                trained.setdefault(chunk.rpartition("#")[0], set()).add(chunk)
    there = {document.id: document for document in documents}
    changed = [
        id
        for id, chunks in trained.items()
        if id not in there or not chunks <= {chunk.id for chunk in site.cut(there[id])}
    ]
    return sorted(changed), len(trained)


def _counted(kinds: Sequence[str]) -> dict[str, int]:
    return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}


def _largest(needs: Sequence[Need]) -> str:
    return (
        f"{needs[-1].size} in {max((n for n in needs if n.size == needs[-1].size), key=lambda n: n.bits).bits} bits"
        if needs
        else ""
    )
