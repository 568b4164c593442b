"""The command line and its commands. Top-level rooms beside `pipeline` add theirs by entry points of `sitetwin.commands`."""

import functools
from pathlib import Path

import click

from pipeline.commands.kit import Commands
from pipeline.parts import Parts
from pipeline.settings import load_settings
from pipeline.surroundings import own_version

COMMANDS = Parts(
    "command",
    "sitetwin.commands",
    {
        "init": "pipeline.commands.setup:init",
        "doctor": "pipeline.commands.setup:doctor",
        "status": "pipeline.commands.setup:status",
        "index": "pipeline.commands.indexing:index",
        "watch": "pipeline.commands.indexing:watch",
        "search": "pipeline.commands.asking:search",
        "ask": "pipeline.commands.asking:ask",
        "dataset": "pipeline.commands.dataset:dataset",
        "persona": "pipeline.commands.persona:persona",
        "train": "pipeline.commands.training:train",
        "runs": "pipeline.commands.training:runs",
        "promote": "pipeline.commands.training:promote",
        "rollback": "pipeline.commands.training:rollback",
        "retrain": "pipeline.commands.retraining:retrain",
        "export": "pipeline.commands.exporting:export",
        "adapters": "pipeline.commands.adapters:adapters",
        "golden": "pipeline.commands.golden:golden",
        "eval": "pipeline.commands.evaluating:evaluate",
        "advise": "pipeline.commands.advising:advise",
        "bench": "pipeline.commands.bench:bench",
    },
)
"""This room's commands, in the order of the help. Those of the rooms beside `pipeline` follow."""


def _show_version(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        click.echo(f"sitetwin, version {own_version()}")
        context.exit()


@click.group(
    cls=Commands,
    parts=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version."
)
@click.option(
    "--config", type=click.Path(path_type=Path), help="The sitetwin.toml to use; else the nearest one above here."
)
@click.pass_context
def main(ctx: click.Context, config: Path | None) -> None:
    """An assistant for your site that answers from your Markdown, with its sources."""
    ctx.obj = functools.cache(lambda: load_settings(config))
