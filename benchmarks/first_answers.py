"""The share of right first answers: asks golden questions, one after the other.

    python -m benchmarks.first_answers [--questions FILE] [--config sitetwin.toml] [--json]

The main figure, `ratio`, is the share of right answers divided by the goal of 80 %.
"""

import os
import platform
import statistics
import time
from pathlib import Path

import click
from pydantic import BaseModel

from pipeline.chat import Answer
from pipeline.errors import SitetwinError
from pipeline.evaluation.golden import AnswerVerdict, GoldenQuestion, Shares, is_page, judge, load, summarise
from pipeline.settings import Mode, Settings, load_settings
from pipeline.site import Site

QUESTIONS = Path(__file__).parent / "data" / "docs_questions.jsonl"
GOAL = 0.8


class Row(BaseModel):
    """One question and its answer."""

    question: GoldenQuestion
    verdict: AnswerVerdict
    found: bool
    """Whether a page with the fact is among the retrieved passages; without it no model can be right."""
    similarity: float | None
    """The best cosine among the retrieved passages."""
    answer: Answer
    seconds: float


class Report(BaseModel):
    """The figures of all questions."""

    machine: str
    model: str
    mode: Mode
    ratio: float | None
    shares: Shares
    found: float | None
    """Share of the answerable questions whose page was retrieved, from 0 to 1."""
    seconds_per_question: float
    """The median."""


def run(settings: Settings, question: GoldenQuestion, mode: Mode) -> Row:
    """Asks and judges one question."""
    started = time.perf_counter()
    *_, answer = Site(settings).assistant.ask(question.question, mode=mode)
    seconds = time.perf_counter() - started
    assert isinstance(answer, Answer)
    with Site(settings).index() as index:
        passages = index.search(question.question).passages
    return Row(
        question=question,
        verdict=judge(question, answer),
        found=any(is_page(passage.document, page) for passage in passages for page in question.page),
        similarity=max((passage.similarity for passage in passages if passage.similarity is not None), default=None),
        answer=answer,
        seconds=seconds,
    )


def report(rows: list[Row]) -> Report:
    """The figures of `rows`, which must not be empty."""
    shares = summarise([(row.question, row.verdict) for row in rows])
    answerable = [row.found for row in rows if row.question.answerable]
    return Report(
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        model=rows[0].answer.model,
        mode=rows[0].answer.mode,
        ratio=None if shares.right is None else shares.right / GOAL,
        shares=shares,
        found=statistics.mean(answerable) if answerable else None,
        seconds_per_question=statistics.median(row.seconds for row in rows),
    )


def show(row: Row) -> str:
    """One row as text."""
    verdict = row.verdict
    marks = "refused" if verdict.refused else f"{'fact' if verdict.fact else '    '} {'cited' if verdict.cited else ''}"
    cited = ", ".join(citation.document for citation in row.answer.citations)
    similarity = "" if row.similarity is None else f"{row.similarity:.2f}"
    return (
        f"{'✓' if verdict.right else '✗'} {row.question.question}\n"
        f"    {marks:<11} found {'yes' if row.found else 'no'}  cosine {similarity}  {row.seconds:.1f} s  {cited}\n"
        f"    {' '.join(row.answer.answer.split())}"
    )


def percent(share: float | None) -> str:
    """A share as a percentage; a dash if it is None."""
    return "–" if share is None else f"{share:.0%}"


@click.command()
@click.option("--questions", type=click.Path(path_type=Path), default=QUESTIONS, help="JSONL; else those about docs/.")
@click.option("--config", type=click.Path(path_type=Path), help="The sitetwin.toml to use.")
@click.option("--mode", type=click.Choice(["base", "rag"]), default="rag", show_default=True)
@click.option("--only", help="Only questions that contain this text.")
@click.option("--json", "as_json", is_flag=True, help="Only the figures, as JSON.")
def main(questions: Path, config: Path | None, mode: Mode, only: str | None, as_json: bool) -> None:
    """Ask every question and count the right answers."""
    try:
        settings = load_settings(config)
        rows = []
        for question in load(questions):
            if only and only.casefold() not in question.question.casefold():
                continue
            rows.append(run(settings, question, mode))
            if not as_json:
                click.echo(show(rows[-1]))
    except SitetwinError as error:
        raise click.ClickException(str(error)) from None
    if not rows:
        raise click.ClickException("no question to ask: mend --questions or --only")
    result = report(rows)
    if as_json:
        click.echo(result.model_dump_json(indent=2))
        return
    shares = result.shares
    click.echo(
        f"\n{result.model}, mode {result.mode}: {shares.answerable} answerable and {shares.unanswerable} unanswerable questions\n"
        f"right {percent(shares.right)} (goal {GOAL:.0%})   fact {percent(shares.fact)}   cited {percent(shares.cited)}"
        f"   page retrieved {percent(result.found)}\n"
        f"refusals: precision {percent(shares.refusal_precision)}, recall {percent(shares.refusal_recall)}\n"
        f"{result.seconds_per_question:.1f} s a question (median) on {result.machine}"
    )


if __name__ == "__main__":
    main()
