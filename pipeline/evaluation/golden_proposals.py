"""Drafts golden questions for a site, keeps them until the owner decides, and writes what is accepted."""

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from pipeline import files, jsonl
from pipeline.content.documents import Document
from pipeline.dataset import versions
from pipeline.dataset.build import choose_documents
from pipeline.dataset.plan import says_something, sources_of
from pipeline.dataset.records import Pair, PairSource
from pipeline.dataset.teachers import load_writer
from pipeline.evaluation import golden
from pipeline.evaluation.golden import GoldenQuestion
from pipeline.evaluation.golden_check import check
from pipeline.evaluation.golden_draft import Proposal, changed, chosen, from_notes, from_pair, outside, reworded
from pipeline.settings import Settings
from pipeline.site import Site

SURPLUS = 2
"""So many times the wanted number is drafted, because some of it is found to be bad."""


class Drafted(BaseModel):
    """The result of a draft."""

    proposals: list[Proposal]
    dropped: int
    """Proposals that `golden check` would have found fault with."""
    unreadable: list[str]
    """Chunks of which the teacher's answer could not be read, with the reason."""


def proposals_file(settings: Settings) -> Path:
    """The file of the proposals; it may not exist yet."""
    return settings.state / "golden" / "proposals.jsonl"


def read_proposals(settings: Settings) -> list[Proposal]:
    """The proposals of the last draft; none if there was none.

    Raises:
        SitetwinError: a line can't be read.
    """
    file = proposals_file(settings)
    return jsonl.read(file, Proposal, "run `sitetwin golden draft` again") if file.is_file() else []


async def draft(site: Site, count: int) -> Drafted:
    """Proposes at most `count` questions that the golden questions do not ask yet, and keeps them in the proposals' file.

    Pairs of the test split come first, and questions whose note was edited after the training; then what the teacher
    writes from notes that were not trained on. With a model as teacher, trained questions are reworded.

    Raises:
        SitetwinError: there are no documents, no index, or the teacher can't be reached.
    """
    settings = site.settings
    documents = choose_documents(site.documents(), settings.dataset.visibility)
    sources = [source for document in documents for source in sources_of(document, site.cut) if says_something(source)]
    known = versions.versions(settings)
    rows = versions.read_rows(versions.version_folder(settings)) if known else []
    trained = [row.pair for row in rows if row.split == "train"]
    file = golden.questions_file(settings)
    there = golden.load(file) if file.is_file() else []
    teacher, wanted = site.teacher(), count * SURPLUS
    unreadable: list[str] = []
    found = outside(max(1, count // 12))
    found += [
        proposal
        for row in rows
        if row.split == "test" and (text := _text(row.pair, sources))
        if (proposal := from_pair(row.pair, text, f"the test split of data set {known[-1]}"))
    ]
    if trained:
        found += await changed(trained, sources, teacher, known[-1])
    seen = {pair.source for pair in trained}
    unseen = [source for source in sources if source.document not in seen] or sources
    found += await from_notes(unseen, teacher, wanted, unreadable)
    if trained and (model := load_writer(settings)):
        with_text = [(pair, text) for pair in trained if (text := _text(pair, sources))]
        found += await reworded(with_text, model, max(1, count // 6), known[-1])
    good = _without_faults(site, chosen(found, wanted), there, documents, trained)
    drafted = Drafted(
        proposals=chosen(good, count), dropped=len(chosen(found, wanted)) - len(good), unreadable=unreadable
    )  # fmt: skip
    jsonl.write(proposals_file(settings), drafted.proposals)
    return drafted


def _text(pair: Pair, sources: Sequence[PairSource]) -> str:
    return "\n".join(source.text for source in sources if source.chunk in pair.chunks)


def _without_faults(
    site: Site,
    proposals: Sequence[Proposal],
    there: Sequence[GoldenQuestion],
    documents: Sequence[Document],
    trained: Sequence[Pair],
) -> list[Proposal]:
    texts = {document.id: f"{document.title}\n{document.text}" for document in documents}
    questions = [*there, *(proposal.golden for proposal in proposals)]
    with site.index() as index:
        found = check(
            questions, texts, [pair.question for pair in trained], site.embed, lambda text: index.search(text).passages
        )
    bad = {finding.number - 1 - len(there) for finding in found}
    return [proposal for place, proposal in enumerate(proposals) if place not in bad]


def replace(settings: Settings, old: str | None, new: GoldenQuestion | None) -> None:
    """Changes one line of the golden questions, and leaves the others as they are written.

    Args:
        settings: name the file.
        old: the words of the question that goes; None: none goes.
        new: the question that takes its place, or comes last; None: none does.

    Raises:
        SitetwinError: a line of the file is no question.
    """
    file = golden.questions_file(settings)
    lines = file.read_text("utf-8-sig").split("\n") if file.is_file() else []
    asked = iter(golden.load(file) if lines else [])
    kept, is_written = [], new is None
    for line in filter(str.strip, lines):
        if next(asked).question != old:
            kept.append(line)
        elif new and not is_written:
            kept.append(_line(new))
            is_written = True
    if new and not is_written:
        kept.append(_line(new))
    files.write_text(file, "".join(f"{line.rstrip()}\n" for line in kept))


def _line(question: GoldenQuestion) -> str:
    """A line with the keys that say something, so that a person can read and edit the file."""
    said = question.model_dump(mode="json", exclude_defaults=True)
    return json.dumps({"question": said.pop("question")} | said, ensure_ascii=False)
