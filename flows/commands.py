"""`sitetwin flows`."""

import json
import subprocess
import sys
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import click

from flows import builder, checking, drawing, files, server
from flows.registry import Registry, load_registry
from flows.visitors import refusal
from pipeline.commands.kit import as_json, print_json, with_settings
from pipeline.errors import ServiceError
from pipeline.files import write_text
from pipeline.settings import Settings
from pipeline.surroundings import environment

CHECK_SECONDS = 300


@click.group()
def flows() -> None:
    """Langflow's flows: build, check, compare with the editor, copy back and forth."""


@flows.command()
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), default=files.SHIPPED, show_default=False)
def build(output: Path) -> None:
    """Make the flow files from the components as they are now."""
    _require_langflow()
    for name, flow in builder.build_all(load_registry()).items():
        path = output / f"{name}.json"
        write_text(path, drawing.to_text(flow))
        click.echo(str(path))


@flows.command()
@with_settings
def check(settings: Settings) -> None:
    """Whether sitetwin's flow files and your own fit the components, and the bundle is valid."""
    _require_langflow()
    registry = load_registry()
    built = builder.build_all(registry)
    problems = [problem for name, flow in built.items() if (problem := _difference(name, drawing.to_text(flow)))]
    bundle = files.SHIPPED.parent / "components"
    paths = [str(path) for name in built if (path := files.SHIPPED / f"{name}.json").exists()]
    problems += [f"the bundle: {said}" for said in _lfx("extension", "validate", str(bundle), "--execute-imports")]
    problems += _broken(paths)
    # Unlike `validate`, `upgrade` takes one file at a time.
    problems += [said for path in paths for said in _lfx("upgrade", "--strict", path)]
    own, of_own = _check_own(settings, registry)
    problems += of_own
    if problems:
        raise ServiceError("; ".join(problems))
    click.echo(f"{len(built) + own} flow(s) and the bundle fit Langflow {version('lfx')}", err=True)


@flows.command()
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), help="default: flows/ beside sitetwin.toml")
@with_settings
def pull(settings: Settings, output: Path | None) -> None:
    """Copy the flows of the running editor into files."""
    _require_langflow()
    pulled = server.pull_flows(settings, output or files.owners_directory(settings))
    for path in pulled.changed:
        click.echo(str(path))
    for path in pulled.conflicts:
        click.echo(
            f"{path.stem} was edited here and in the editor: {path} is the editor's version, your file stays; `sitetwin "
            f"flows diff {path.stem}` shows the differences, `sitetwin flows push {path.stem}` takes your file",
            err=True,
        )
    if not pulled.changed and not pulled.conflicts:
        click.echo("nothing has changed since the last pull", err=True)


@flows.command()
@click.argument("name")
@as_json
@with_settings
def diff(settings: Settings, name: str, as_json: bool) -> None:
    """Show what was changed in the running editor: node, field, before, after."""
    _require_langflow()
    found = server.changed_in_editor(settings, name)
    if as_json:
        print_json({"flow": name, "differences": [asdict(difference) for difference in found]})
        return
    for difference in found:
        click.echo(str(difference))
    if not found:
        click.echo(f"{name} is in the editor as in its file", err=True)


@flows.command()
@click.argument("name")
@with_settings
def push(settings: Settings, name: str) -> None:
    """Put a flow's file in the place of the running editor's version, which is kept in a file."""
    _require_langflow()
    saved = server.push_flow(settings, name)
    click.echo(f"{name} is in the editor as in its file")
    if saved:
        click.echo(f"the editor's version before is in {saved}", err=True)


@flows.command()
@with_settings
def upgrade(settings: Settings) -> None:
    """Renew sitetwin's components in the running editor's flows; what you set stays. `sitetwin up` does so too."""
    _require_langflow()
    upgraded = server.upgrade_flows(settings)
    for flow in upgraded:
        click.echo(str(flow))
    if not upgraded:
        click.echo("sitetwin's components are up to date in all flows", err=True)


@flows.command()
@click.argument("name")
@with_settings
def restore(settings: Settings, name: str) -> None:
    """Put sitetwin's own flow beside the one that was changed in the running editor."""
    _require_langflow()
    restored = server.restore_flow(settings, name)
    click.echo(f"{restored} is in the editor: compare, or let visitors talk to it with langflow.flow = {restored!r}")


@flows.command("open")
@with_settings
def open_editor(settings: Settings) -> None:
    """Print a link that opens the running editor once."""
    _require_langflow()
    url = server.base_url(settings)
    if not server.is_healthy(url):
        raise ServiceError(f"no Langflow answers at {url}: run `sitetwin up`")
    click.echo(server.desk(settings).new_link(url))


def _require_langflow() -> None:
    if not server.is_installed():
        raise ServiceError("Langflow is not installed: run `pip install 'sitetwin[langflow]'`")


def _difference(name: str, built: str) -> str:
    path = files.SHIPPED / f"{name}.json"
    if not path.exists():
        return f"{path.name} is missing: run `sitetwin flows build`"
    if path.read_text(encoding="utf-8") != built:
        return f"{path.name} is not what the components make now: run `sitetwin flows build`"
    return ""


def _check_own(settings: Settings, registry: Registry) -> tuple[int, list[str]]:
    """The number of the owner's flow files, and what is wrong with them, by node and edge."""
    folder = files.owners_directory(settings)
    if folder.resolve() == files.SHIPPED.resolve():
        return 0, []
    found = []
    paths = sorted(folder.glob("*.json"))
    for path in paths:
        try:
            flow = files.read_flow(path)
        except ServiceError as error:
            found.append(str(error))
            continue
        found += [f"{path}: {problem}" for problem in checking.problems(flow, registry)]
        if flow.get("endpoint_name") == settings.langflow.flow and (reason := refusal(flow)):
            found.append(f"{path}: {reason}")
    return len(paths), found


def _broken(paths: list[str]) -> list[str]:
    """The errors of `lfx validate`. Its warnings are left out: lfx 1.13 warns of notes, and of types that fit."""
    found = json.loads(_run_lfx("validate", "--format", "json", *paths).stdout)
    return [
        f"{Path(flow['path']).name}: {issue['node_name'] or 'edge'}: {issue['message']}"
        for flow in found
        for issue in flow["issues"]
        if issue["severity"] == "error"
    ]


def _lfx(*arguments: str) -> list[str]:
    """The output of a failed `lfx` command as one problem; [] if the command succeeds."""
    result = _run_lfx(*arguments)
    return [] if result.returncode == 0 else [" ".join((result.stdout + result.stderr).split())[-600:]]


def _run_lfx(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lfx"), *arguments],
        capture_output=True, text=True, encoding="utf-8", timeout=CHECK_SECONDS,
        env=environment({"DO_NOT_TRACK": "true", "NO_COLOR": "1", "COLUMNS": "200"}),
    )  # fmt: skip
