"""`sitetwin eval`, `eval report`, `eval compare` and `eval cancel`."""

from pathlib import Path

import click

from pipeline.commands.kit import Commands, as_json, print_json, until_interrupted, with_settings
from pipeline.parts import Parts
from pipeline.settings import Settings


@click.group("eval", cls=Commands, parts=Parts("command", "sitetwin.eval_commands", {}), invoke_without_command=True)
@click.option(
    "--systems",
    help="Which to compare, with commas: base, persona, rag, rag+persona, lora, hybrid, lora:RUN, hybrid:RUN, flow:NAME "
    "(a flow in Langflow), or one of [evaluation.systems]. Without it: those that this site has.",
)
@click.option("--questions", type=click.Path(path_type=Path), help="Golden questions; else evaluation.questions.")
@click.option("--limit", type=click.IntRange(1), help="At most so many questions, the same each time.")
@click.option("--public", is_flag=True, help="Answer only from what visitors may see.")
@click.option(
    "--judge", help="A model that judges beside the facts: engine, ollama:NAME or openai:NAME at teacher.url."
)
@as_json
@with_settings
@click.pass_context
def evaluate(
    ctx: click.Context,
    settings: Settings,
    systems: str | None,
    questions: Path | None,
    limit: int | None,
    public: bool,
    judge: str | None,
    as_json: bool,
) -> None:
    """Ask several systems the same questions, and report which answers better.

    What was answered is kept: after Ctrl-C or a kill it goes on from there.
    """
    if ctx.invoked_subcommand:
        return
    from pipeline.dataset.teachers import named_model
    from pipeline.evaluation import golden
    from pipeline.evaluation.systems import default_systems, find_system
    from pipeline.jobs.evaluating.report.writing import write_report
    from pipeline.jobs.evaluating.run import evaluate as run
    from pipeline.jobs.evaluating.run import questions_file, sample
    from pipeline.progress import progress_bar

    names = [name.strip() for name in systems.split(",") if name.strip()] if systems else []
    chosen = [find_system(settings, name) for name in dict.fromkeys(names)] if names else default_systems(settings)
    file = questions_file(settings, questions)
    asked = sample(golden.load(file), limit)
    judge_model = named_model(settings, judge, "--judge") if judge else None
    with until_interrupted("stopping; a second Ctrl-C ends at once") as stop, progress_bar("asking") as progress:
        made = run(
            settings,
            chosen,
            asked,
            file=file.name,
            visibility="public" if public else None,
            progress=progress,
            cancelled=stop.is_set,
            judge_model=judge_model,
        )
    written = write_report(settings, made)
    if as_json:
        print_json(made.as_json())
        return
    _print(settings, made.number)
    click.echo(f"report: {written}", err=True)


def _print(settings: Settings, number: int) -> None:
    from pipeline.jobs.evaluating.record import read
    from pipeline.jobs.evaluating.report.terminal import lines
    from pipeline.jobs.evaluating.report.wording import asked

    made = read(settings, number)
    click.echo(click.wrap_text(asked(made).replace("`", ""), 100))
    click.echo("\n".join(lines(made)))


@evaluate.command("report")
@click.argument("number", type=int, required=False)
@with_settings
def report(settings: Settings, number: int | None) -> None:
    """Judge the answers of evaluation NUMBER, or of the latest one, again, and write its report anew."""
    from pipeline.jobs.evaluating.judging import judge
    from pipeline.jobs.evaluating.record import latest, read, write
    from pipeline.jobs.evaluating.report.writing import write_report

    made = read(settings, latest(settings)[0] if number is None else number)
    judge(settings, made)
    write(settings, made)
    click.echo(write_report(settings, made))


@evaluate.command("compare")
@click.argument("before", type=int, required=False)
@click.argument("after", type=int, required=False)
@as_json
@with_settings
def compare(settings: Settings, before: int | None, after: int | None, as_json: bool) -> None:
    """Compare evaluations BEFORE and AFTER, by their numbers: what became better or worse on the same questions.

    Without AFTER it is the latest one, and without both the two latest.
    """
    from pipeline.jobs.evaluating.comparing import compare as compared
    from pipeline.jobs.evaluating.record import latest, read
    from pipeline.jobs.evaluating.report.wording import said

    if before is None:
        before, after = latest(settings, 2)
    elif after is None:
        (after,) = latest(settings)
    found = compared(read(settings, before), read(settings, after))
    if not as_json:
        click.echo(f"evaluation {after} against {before}", err=True)
    if as_json:
        print_json({"comparisons": [one.model_dump() for one in found]})
        return
    for one in found:
        click.echo(said(one))


@evaluate.command("cancel")
@with_settings
def cancel(settings: Settings) -> None:
    """Stop the evaluation under way. Its answers are kept."""
    from pipeline.jobs.evaluating.run import cancel as call_off

    click.echo("it stops after the next words" if call_off(settings) else "no evaluation is under way")
