"""How well sitetwin recognises that the notes hold no answer. It searches golden questions and asks no language model.

    python -m benchmarks.refusal [--clones FOLDER] [--json]
    python -m benchmarks.refusal --notes FOLDER --questions FILE

It measures each existing collection in the modes hybrid and keyword: precision and recall of refusals, false refusals
among the answerable questions, and the area under the ROC curve. It compares what sitetwin learns from the collection with
the fixed rule that was used before. Larger collections of other people's notes are measured too if `--clones` names the
folder with their repositories; `CLONES` says which. `--notes` measures any folder of notes. `ratio` is the F1 of refusals divided by that rule's, on the held-out questions of all
collections and modes together.
"""

import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from pydantic import BaseModel

from benchmarks.report import machine
from benchmarks.running import PROJECT
from pipeline.errors import SitetwinError, StaleIndexError
from pipeline.evaluation.golden import is_page, load
from pipeline.index.passages import Passage
from pipeline.settings import ContentSource, Retrieval, Settings
from pipeline.site import Site
from pipeline.text.names import names
from pipeline.text.words import content_stems, stems_with_parts

DATA = Path(__file__).parent / "data"
SHARED = PROJECT.parent / "shared" / "data"
STATE = PROJECT / ".sitetwin" / "refusal"
"""Kept between runs, so that only the first run embeds."""
MODES: tuple[Retrieval, ...] = ("hybrid", "keyword")

RULE_LIMIT = 0.4


@dataclass(frozen=True)
class Collection:
    """Notes, and the names of the files with questions about them."""

    name: str
    source: ContentSource
    tuned_on: tuple[Path, ...]
    held_out: tuple[Path, ...]


COLLECTIONS = (
    Collection(
        "docs",
        ContentSource(path=PROJECT / "docs", url="/docs/{slug}", exclude=["reports/**"], visibility="public"),
        (DATA / "docs_questions.jsonl", DATA / "docs_heldout.jsonl"),
        (DATA / "refusal_docs.jsonl",),
    ),
    Collection(
        "blog",
        ContentSource(path=SHARED / "astro-blog/content/blog", kind="astro", url="/blog/{slug}"),
        (DATA / "blog_questions.jsonl",),
        (DATA / "refusal_blog.jsonl", DATA / "refusal_blog_dated.jsonl"),
    ),
    Collection(
        "vault",
        ContentSource(path=SHARED / "obsidian-vault", kind="obsidian", visibility="public"),
        (DATA / "vault_questions.jsonl",),
        (DATA / "refusal_vault.jsonl",),
    ),
)


@dataclass(frozen=True)
class Clone:
    """Notes of others in a public repository, and whether weights were fitted on the questions about them."""

    name: str
    repository: str
    """On GitHub."""
    commit: str
    tuned_on: bool = False

    def collection(self, folder: Path) -> Collection:
        """The collection that was cloned into `folder`."""
        questions = (DATA / f"refusal_{self.name}.jsonl",)
        lists = (questions, ()) if self.tuned_on else ((), questions)
        return Collection(self.name, ContentSource(path=folder.resolve() / self.name, visibility="public"), *lists)


CLONES = (
    Clone("til", "jbranchaud/til", "453e9edbdf2be4165b65cbcce7342ac7bb9c4859", tuned_on=True),
    Clone("handbook", "mattermost/mattermost-handbook", "46d7a8b6541cba3474cb4069725ffd1f3f68d514", tuned_on=True),
    Clone("garden", "Tycholiz/Digital-Garden", "a4d95cede1101641aa6b88fdb39ec188c764ceb9"),
    Clone("zet", "rwxrob/zet", "a01454da6599a6e77a578840f5ddb0b9ebf60de7"),
    Clone("recipes", "LukeSmithxyz/based.cooking", "2d8642ec41ccc6162ec3123c15024dd3d22cc33b"),
    Clone("govuk", "alphagov/govuk-developer-docs", "972d1b4410ffd165f2f3e889eda30bcf7d1cc6b3"),
    Clone("notebook", "simonw/til", "8d908b6d36cdd27bc6464392435ac6223a00caac"),
)
"""`git clone https://github.com/REPOSITORY FOLDER/NAME`, then `git -C FOLDER/NAME checkout COMMIT`."""


class Figures(BaseModel):
    """Measures of the refusals, from 0 to 1."""

    precision: float | None
    recall: float
    false_refusals: float
    """Share of the answerable questions that were refused."""
    found_refused: float | None
    """The same among those whose page is one of the passages. The others could only be answered wrongly."""
    auc: float


class Row(BaseModel):
    """The figures of one collection in one mode."""

    collection: str
    retrieval: Retrieval
    held_out: bool
    answerable: int
    unanswerable: int
    learnt: Figures
    rule: Figures


@dataclass(frozen=True)
class Mark:
    """The scores of one question."""

    question: str
    answerable: bool
    found: bool
    """Whether the page with the answer is among the passages."""
    learnt: float
    """The score minus the limit; below zero the question is refused."""
    rule: float


def measure(collection: Collection, show: Callable[[str], None]) -> list[tuple[Row, list[Mark]]]:
    """Indexes a collection and measures it in each mode; `show` gets lines about the progress."""
    settings = Settings(root=STATE / collection.name, content=[collection.source])
    settings.state.mkdir(parents=True, exist_ok=True)
    with Site(settings).index() as index:
        try:
            report = index.sync()
        except StaleIndexError:  # kept by a run with another embedder
            report = index.sync(rebuild=True)
        show(f"{collection.name}: {report.summary()}")
    rows = []
    for mode in MODES:
        searched = settings.model_copy(update={"retrieval": settings.retrieval.model_copy(update={"mode": mode})})
        Site(searched).calibrate()
        for held_out, files in ((False, collection.tuned_on), (True, collection.held_out)):
            if marks := _marks(searched, files):
                rows.append((_row(collection.name, mode, held_out, marks), marks))
    return rows


def _marks(settings: Settings, files: Iterable[Path]) -> list[Mark]:
    judge, marks = Site(settings).assistant.judge, []
    with Site(settings).index() as index:
        for question in (question for file in files for question in load(file)):
            passages = index.search(question.question, visibility="public").passages
            verdict = judge(question.question, passages)
            rule = fixed_rule(question.question, passages) - RULE_LIMIT
            found = any(is_page(passage.document, page) for passage in passages for page in question.page)
            score = verdict.probability - verdict.decline_below
            marks.append(Mark(question.question, question.answerable, found, score, rule))
    return marks


def fixed_rule(question: str, passages: Sequence[Passage]) -> float:
    """The former score: .6 × the best cosine + .4 × the share of the question's words; × .6 if a name is missing."""
    if not passages:
        return 0.0
    wanted = set(content_stems(question))
    held = stems_with_parts(" ".join(f"{p.title} {p.heading} {p.text}" for p in passages))
    shared = len(wanted & held) / len(wanted) if wanted else 0.0
    similarities = [p.similarity for p in passages if p.similarity is not None]
    score = 0.6 * max(similarities) + 0.4 * shared if similarities else shared
    return score if names(question) <= held else 0.6 * score


def _row(name: str, mode: Retrieval, held_out: bool, marks: Sequence[Mark]) -> Row:
    answerable = np.array([mark.answerable for mark in marks])
    found = np.array([mark.found for mark in marks])
    return Row(
        collection=name,
        retrieval=mode,
        held_out=held_out,
        answerable=int(answerable.sum()),
        unanswerable=int((~answerable).sum()),
        learnt=figures(answerable, np.array([mark.learnt for mark in marks]), found),
        rule=figures(answerable, np.array([mark.rule for mark in marks]), found),
    )


def figures(answerable: np.ndarray, scores: np.ndarray, found: np.ndarray) -> Figures:
    """The figures of `scores`, of shape (questions,); below zero is a refusal.

    Args:
        answerable: bool of shape (questions,), with both values.
        found: bool of shape (questions,), whether the page with the answer is among the passages.
    """
    refused = scores < 0
    above, below = scores[answerable][:, None], scores[~answerable][None, :]
    return Figures(
        precision=float((~answerable)[refused].mean()) if refused.any() else None,
        recall=float(refused[~answerable].mean()),
        false_refusals=float(refused[answerable].mean()),
        found_refused=float(refused[found].mean()) if found.any() else None,
        auc=float(((above > below) + 0.5 * (above == below)).mean()),
    )


def f1(values: Figures) -> float:
    """The harmonic mean of precision and recall."""
    return 2 * (values.precision or 0) * values.recall / (((values.precision or 0) + values.recall) or 1)


def show_figures(values: Figures) -> str:
    """The figures in one line."""
    precision = "  –" if values.precision is None else f"{values.precision:.0%}"
    of_found = "–" if values.found_refused is None else f"{values.found_refused:.0%}"
    return (
        f"precision {precision:>4} recall {values.recall:>4.0%} false refusals {values.false_refusals:>3.0%}"
        f" of the found {of_found:>3} AUC {values.auc:.3f}"
    )


_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


def _chosen(clones: Path | None, notes: Path | None, questions: Path | None) -> list[Collection]:
    if (notes is None) != (questions is None):
        raise click.UsageError("--notes and --questions need each other: give both")
    if notes and questions:
        return [Collection(notes.name, ContentSource(path=notes.resolve(), visibility="public"), (), (questions,))]
    return [*COLLECTIONS, *(clone.collection(clones) for clone in CLONES if clones)]


@click.command()
@click.option("--only", help="One collection, by its name.")
@click.option("--clones", type=_FOLDER, help="The folder with the clones of larger collections.")
@click.option("--notes", type=_FOLDER, help="Any folder of notes; needs --questions.")
@click.option("--questions", type=click.Path(path_type=Path, exists=True), help="Golden questions about --notes.")
@click.option("--wrong", is_flag=True, help="Name the questions that were judged wrongly.")
@click.option("--anew", is_flag=True, help="Index and learn again.")
@click.option("--json", "as_json", is_flag=True, help="Only the figures, as JSON.")
def main(
    only: str | None,
    clones: Path | None,
    notes: Path | None,
    questions: Path | None,
    wrong: bool,
    anew: bool,
    as_json: bool,
) -> None:
    """Judge what was found for each question, and count the right refusals."""

    def say(text: str) -> None:
        if not as_json:
            click.echo(text)

    if anew:
        shutil.rmtree(STATE, ignore_errors=True)
    measured: list[tuple[Row, list[Mark]]] = []
    try:
        for collection in _chosen(clones, notes, questions):
            if only in (None, collection.name) and collection.source.path.is_dir():
                measured += measure(collection, say)
    except SitetwinError as error:
        raise click.ClickException(str(error)) from None
    if not measured:
        raise click.ClickException("no collection of that name is here: mend --only or --clones")
    marks = [mark for row, own in measured if row.held_out for mark in own] or [m for _, own in measured for m in own]
    pooled = _row("all", "hybrid", True, marks)
    ratio = f1(pooled.learnt) / f1(pooled.rule)
    if as_json:
        rows = [row.model_dump() for row, _ in measured]
        click.echo(json.dumps({"machine": machine(), "ratio": ratio, "rows": rows}, indent=2))
        return
    for row, own in measured:
        kind = "held out" if row.held_out else "tuned on"
        click.echo(
            f"\n{row.collection} {row.retrieval}, {kind}: {row.answerable} answerable, {row.unanswerable} not\n"
            f"  learnt  {show_figures(row.learnt)}\n  before  {show_figures(row.rule)}"
        )
        for mark in own if wrong else ():
            if mark.answerable == (mark.learnt < 0):
                click.echo(f"    {'refused' if mark.answerable else 'answered'} ({mark.learnt:+.2f}): {mark.question}")
    click.echo(
        f"\nall held out, both modes:\n  learnt  {show_figures(pooled.learnt)}\n  before  {show_figures(pooled.rule)}\n"
        f"F1 of refusals {f1(pooled.learnt):.3f}, before {f1(pooled.rule):.3f}: ratio {ratio:.2f}\non {machine()}"
    )


if __name__ == "__main__":
    main()
