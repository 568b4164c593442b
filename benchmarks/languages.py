"""Right answers and right refusals in many languages, from notes and questions of that language.

    python -m benchmarks.languages [--embedder NAME] [--only CODE] [--verbose] [--json]

Each file of benchmarks/data/languages holds a few notes, questions that they answer, and questions that they don't. The
notes are indexed and asked as a newcomer's are: the demo's models, answers in quotations. `ratio` is the share of all
questions that were answered or declined rightly.
"""

import json
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from benchmarks.report import machine
from pipeline.chat import Answer
from pipeline.embedding.choosing import fitting_embedder
from pipeline.errors import SitetwinError
from pipeline.evaluation.golden import GoldenQuestion, is_page, judge
from pipeline.processes import vectors
from pipeline.settings import ContentSource, ModelSettings, Settings
from pipeline.site import Site
from pipeline.text.detecting import count_languages

DATA = Path(__file__).parent / "data" / "languages"


@dataclass(frozen=True, slots=True)
class Set:
    """Notes by file name, and questions about them."""

    name: str
    notes: dict[str, str]
    questions: list[GoldenQuestion]


@dataclass(frozen=True, slots=True)
class Figures:
    """How many questions of each kind there are, and how many were treated rightly."""

    name: str
    embedder: str
    answerable: int
    found: int
    """Answerable questions whose note was retrieved."""
    right: int
    unanswerable: int
    declined: int


def read_set(file: Path) -> Set:
    """The notes and questions of a file such as `de.toml`."""
    read = tomllib.loads(file.read_text(encoding="utf-8"))
    answerable = [
        GoldenQuestion(question=question, fact=tuple(facts), page=(page,))
        for question, (*facts, page) in read["answerable"].items()
    ]
    others = [GoldenQuestion(question=question, answerable=False) for question in read["unanswerable"]["questions"]]
    return Set(file.stem, read["notes"], [*answerable, *others])


@contextmanager
def site_of(notes: dict[str, str], embedder: str) -> Iterator[Site]:
    """A site of public `notes`, indexed and calibrated in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="sitetwin-languages-") as folder:
        root = Path(folder)
        for name, text in notes.items():
            (root / "notes" / name).parent.mkdir(parents=True, exist_ok=True)
            (root / "notes" / name).write_text(text, encoding="utf-8")
        source = ContentSource(path=root / "notes", kind="markdown", url="/{slug}", visibility="public")
        models = ModelSettings(embedder=embedder) if embedder else ModelSettings()
        settings = Settings(root=root, content=[source], models=models)
        settings.state.mkdir()
        site = Site(settings)
        try:
            with site.index() as index:
                index.sync()
            site.calibrate()
            yield site
        finally:
            store = vectors.service(settings)
            if endpoint := store.find():
                store.stop(endpoint)


def measure(notes: Set, embedder: str, verbose: bool) -> Figures:
    """Asks every question of a set; `verbose` shows each wrong answer."""
    found = right = declined = 0
    with site_of(notes.notes, embedder) as site:
        for question in notes.questions:
            *_, answer = site.assistant.ask(question.question)
            assert isinstance(answer, Answer)
            verdict = judge(question, answer)
            with site.index() as index:
                passages = index.search(question.question).passages
            found += any(is_page(passage.document, page) for passage in passages for page in question.page)
            right += verdict.right and question.answerable
            declined += verdict.right and not question.answerable
            if verbose and not verdict.right:
                said = " ".join(answer.answer.split())
                click.echo(f"    {notes.name} {question.question}  {answer.answerability}  {said}", err=True)
    answerable = sum(question.answerable for question in notes.questions)
    return Figures(
        notes.name, site.settings.models.embedder, answerable, found, right, len(notes.questions) - answerable, declined
    )


@click.command()
@click.option("--embedder", default="", help="models.embedder; else the one that `sitetwin init` chooses.")
@click.option("--only", multiple=True, help="The sets to measure, such as de.")
@click.option("--verbose", is_flag=True, help="Show each wrong answer.")
@click.option("--json", "as_json", is_flag=True, help="Only the figures, as JSON.")
def main(embedder: str, only: tuple[str, ...], verbose: bool, as_json: bool) -> None:
    """Ask every question of every language and count the right answers and refusals."""
    files = sorted(file for file in DATA.glob("*.toml") if not only or file.stem in only)
    if not files:
        raise click.ClickException(f"no set to measure: {DATA} holds {', '.join(f.stem for f in DATA.glob('*.toml'))}")
    rows = []
    for file in files:
        notes = read_set(file)
        try:
            rows.append(measure(notes, embedder or fitting_embedder(count_languages(notes.notes.values())), verbose))
        except SitetwinError as error:
            raise click.ClickException(str(error)) from None
        if not as_json:
            click.echo(_shown(rows[-1]))
    ratio = sum(row.right + row.declined for row in rows) / sum(row.answerable + row.unanswerable for row in rows)
    if as_json:
        figures = {"machine": machine(), "ratio": ratio, "sets": {row.name: asdict(row) for row in rows}}
        click.echo(json.dumps(figures, indent=2))
    else:
        click.echo(f"right {ratio:.1%} of all questions")


def _shown(row: Figures) -> str:
    return (
        f"{row.name:<8} right {row.right}/{row.answerable}   declined {row.declined}/{row.unanswerable}"
        f"   found {row.found}/{row.answerable}   {row.embedder}"
    )


if __name__ == "__main__":
    main()
