"""What an answer takes with today's prompt beside the former one, in the same run.

    python -m benchmarks.written_pace [--model NAME] [--limit 20] [--collection docs] [--json]

Both prompts are asked the same answerable questions with the same passages, by turns, each as often first as the other, so
that whatever else keeps the machine busy meets both. `ratio` is the median of today's seconds over the former's, question by
question. `low` and `high` are the ends of its 95 % interval, None for fewer than six questions. Questions that the evidence
declines are left out: they take no time.
"""

import math
import statistics
from collections.abc import Iterator, Sequence

import click
from scipy.stats import quantile_test

from benchmarks.lab_model import lab_model
from benchmarks.report import render
from benchmarks.written_answers import FORMER, QUESTIONS, TODAY, ask, chosen, opened, present, systems
from pipeline.errors import SitetwinError

BAR = 1.3


def seconds(model: str, limit: int, only: str | None) -> Iterator[tuple[str, float, float]]:
    """Each question that is not declined, with today's seconds and the former prompt's."""
    collections = present(only)
    turn = 0
    for collection in collections:
        questions = chosen(collection.name, math.ceil(limit / len(collections)))
        answerable = [question for question in questions if question.answerable]
        site, passages = opened(collection, model, answerable)
        both = systems(site.assistant, model)
        for question in answerable:
            found = passages[question.question]
            if site.assistant.judge(question.question, found).declined:
                continue
            order = (TODAY, FORMER) if turn % 2 else (FORMER, TODAY)
            took = {one: ask(both[one], question, found).seconds for one in order}
            turn += 1
            yield question.question, took[TODAY], took[FORMER]


def figures(timed: Sequence[tuple[float, float]]) -> dict[str, float | int | str | None]:
    """The figures of pairs of seconds, today's and the former's, of which there must be one."""
    ratios = [today / former for today, former in timed]
    # By the binomial distribution, whatever the ratios': Conover, Practical Nonparametric Statistics, section 3.2.
    interval = quantile_test(ratios, q=BAR, p=0.5).confidence_interval()
    low, high = (None if math.isnan(end) else float(end) for end in interval)
    return {
        "ratio": statistics.median(ratios),
        "low": low,
        "high": high,
        "questions": len(ratios),
        "median_seconds": statistics.median(today for today, _ in timed),
        "former_median_seconds": statistics.median(former for _, former in timed),
    }


@click.command()
@click.option("--model", help="What `models.chat` takes; else the lab model.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Questions, of all collections.")
@click.option("--collection", type=click.Choice(list(QUESTIONS)), help="Only this one.")
@click.option("--json", "as_json", is_flag=True, help="Only the figures, as JSON.")
def main(model: str | None, limit: int, collection: str | None, as_json: bool) -> None:
    """Time both prompts on the same questions."""
    timed = []
    try:
        for question, today, former in seconds(model or str(lab_model()), limit, collection):
            timed.append((today, former))
            click.echo(f"{today:6.1f} s, former {former:6.1f} s  {question}", err=as_json)
    except SitetwinError as error:
        raise click.ClickException(str(error)) from None
    if not timed:
        raise click.ClickException("no question was answered: raise --limit or leave --collection out")
    click.echo(render(f"today's prompt beside the former one (bar {BAR})", figures(timed), as_json=as_json))


if __name__ == "__main__":
    main()
