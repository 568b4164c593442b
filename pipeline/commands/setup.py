"""`sitetwin init`, `doctor` and `status`."""

import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.kit import as_json, print_json, with_settings
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.index.passages import FileStatus

NAMED = 3
"""So many files with the same reason are named one by one."""


@click.command()
@click.option(
    "--content", type=click.Path(path_type=Path), help="The folder of Markdown; else the first usual one that exists."
)
@click.option("--force", is_flag=True, help="Replace an existing sitetwin.toml.")
def init(content: Path | None, force: bool) -> None:
    """Write a sitetwin.toml here, with the choices explained."""
    from pipeline.starter import write_settings

    file = write_settings(Path.cwd(), content, force=force)
    click.echo(f"wrote {file}\nnext: `sitetwin doctor`, then `sitetwin up`")


@click.command()
@click.option("--links", is_flag=True, help="Compare the addresses of public notes with the built site's pages.")
@click.option("--site", type=click.Path(path_type=Path), help="With --links: the built site's folder, or its sitemap.")
@as_json
@with_settings
def doctor(settings: Settings, as_json: bool, links: bool, site: Path | None) -> None:
    """Show what is there, what is missing, and the command that mends it."""
    from pipeline.doctor import examine
    from pipeline.doctor.links import compare_links

    findings = compare_links(settings, site) if links or site else examine(settings)
    if as_json:
        print_json({"findings": [finding.model_dump() for finding in findings]})
    else:
        for finding in findings:
            mark = {"ok": "✓", "missing": "✗", "note": "·"}[finding.state]
            click.echo(f"{mark} {finding.name}: {finding.text}" + (f"\n    → {finding.mend}" if finding.mend else ""))
    if any(finding.state == "missing" for finding in findings):
        sys.exit(1)


@click.command()
@as_json
@with_settings
def status(settings: Settings, as_json: bool) -> None:
    """Show what is indexed, what is not and why, which adapter answers, and which processes run."""
    from pipeline.embedding.choosing import named
    from pipeline.status import read_status

    report = read_status(settings)
    if as_json:
        print_json(report)
        return
    counts = report.documents
    click.echo(
        f"{counts.indexed} documents indexed, {counts.pending} pending, {counts.skipped} skipped, {counts.failed} failed"
    )
    for line in not_indexed(report.files):
        click.echo(f"  {line}")
    if report.languages:
        click.echo(f"languages: {named(report.languages)}")
    if report.advice:
        click.echo(f"  {report.advice}")
    for name, process in report.processes.items():
        click.echo(f"{name}: {process.state}" + (f" at {process.url} (process {process.pid})" if process.url else ""))
    click.echo(f"adapter: {report.adapter}" if report.adapter else "adapter: none is promoted")
    for name, reason in report.flows_left_out.items():
        click.echo(f"flow left out: {name}: {reason}")
    if report.retraining:
        click.echo(report.retraining.summary)


def not_indexed(files: "Iterable[FileStatus]") -> list[str]:
    """A line for each file that is not indexed; files of one folder with the same reason share one if they are many."""
    groups = defaultdict(list)
    for file in files:
        if file.state != "indexed" or file.reason:
            groups[file.state, file.reason, Path(file.path).parent].append(file.path)
    lines = []
    for (state, reason, folder), paths in groups.items():
        if len(paths) <= NAMED:
            lines += [f"{state}: {path}: {reason}" for path in paths]
        else:
            lines.append(f"{state}: {len(paths)} files in {folder} (`sitetwin status --json` names them): {reason}")
    return lines
