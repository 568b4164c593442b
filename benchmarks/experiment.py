"""The whole experiment by one command: a site, its persona, its pairs, an adapter, an evaluation, and the report.

    python -m benchmarks.experiment docs|blog [--lab] [--systems …] [--against KEY=VALUE] [--name NAME] [--iterations N]
        [--set KEY=VALUE] [--limit N] [--tokens N] [--folder FOLDER] [--json]

Everything is done by the commands that an owner types, on the guides or on the blog in `../shared/data`. With the demo
model base, persona, rag, lora and hybrid are compared, and with `--lab` the lab model's base, persona, rag and rag with the
persona, without an adapter. `--systems` names others; an adapter is trained only if one of them has it. `--against` compares
two adapters of the same number of iterations, such as `--against with_passages=0`: one of the usual pairs, called best, and
one of pairs that are made with that key of `[dataset]`, called by the key. The report goes to `docs/reports`. What is done is not
done again, so the command goes on after a kill.

`ratio` is the accuracy of the last system over that of rag, or of the first one where rag is not asked.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import click

from benchmarks.lab_model import lab_model
from benchmarks.report import Figures, render
from benchmarks.running import PROJECT
from pipeline.settings import DatasetSettings

REPORTS = PROJECT / "docs" / "reports"
BLOG = PROJECT.parent / "shared" / "data" / "astro-blog" / "content" / "blog"
CONTENT = {
    "docs": f'path = "{PROJECT / "docs"}"\nkind = "markdown"\nurl = "/docs/{{slug}}"\nexclude = ["reports/**"]',
    "blog": f'path = "{BLOG}"\nkind = "astro"\nurl = "/blog/{{slug}}"',
}
SYSTEMS = ("base", "persona", "rag", "lora:best", "hybrid:best")
LAB_SYSTEMS = ("base", "persona", "rag", "rag+persona")
ITERATIONS = 150
"""About half an epoch of the guides' pairs: enough for a voice, and no more than a busy machine has time for."""
TOKENS = 80
"""The longest answer. A small model that can't end would take minutes for each question."""
WAIT_SECONDS = 1800
"""How long a word of the model is waited for on a machine that others keep busy."""


def settings_file(notes: str, model: str, tokens: int) -> str:
    """The sitetwin.toml of the site that is measured."""
    questions = PROJECT / "benchmarks" / "data" / f"golden_{notes}.jsonl"
    return (
        f'[site]\nname = "{notes}"\n\n[[content]]\n{CONTENT[notes]}\nvisibility = "public"\n\n'
        f'[models]\nchat = "{model}"\nembedder = "demo"\n\n[engine]\ntimeout_seconds = {WAIT_SECONDS}\n\n'
        f"[chat]\nmax_tokens = {tokens}\n\n"
        f'[evaluation]\nquestions = "{questions}"\n'
    )


def run(folder: Path, *command: str, variables: Mapping[str, str] = MappingProxyType({})) -> str:
    """What `sitetwin` says on stdout, with these environment variables. Its progress passes through.

    Raises:
        CalledProcessError: it failed.
    """
    environment = os.environ | {"SITETWIN_CONFIG": str(folder / "sitetwin.toml")} | dict(variables)
    click.echo(f"$ sitetwin {' '.join(command)}", err=True)
    program = [sys.executable, "-m", "pipeline", *command]
    return subprocess.run(program, cwd=PROJECT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def prepare(folder: Path, notes: str, model: str, tokens: int) -> None:
    """Writes the site's settings with a persona, if there are none."""
    file = folder / "sitetwin.toml"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(settings_file(notes, model, tokens), encoding="utf-8")
        run(folder, "index")
        run(folder, "persona", "draft", "--write")


def train(
    folder: Path, name: str, configuration: Iterable[str], variables: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Makes the pairs and an adapter of them with this name, or goes on with it.

    Args:
        configuration: of the training, as KEY=VALUE.
    """
    known = {one["name"]: one for one in json.loads(run(folder, "runs", "--json"))["runs"]}
    if name not in known:
        run(folder, "dataset", "build", variables=variables)
        keys = (word for assignment in configuration for word in ("--set", assignment))
        run(folder, "train", "--preset", "best", "--name", name, *keys, variables=variables)
    elif known[name]["state"] != "done":
        run(folder, "train", "--name", name, "--resume", variables=variables)


def dataset_variable(assignment: str) -> Mapping[str, str]:
    """The environment variable that sets a key of `[dataset]`, from KEY=VALUE.

    Raises:
        UsageError: there is no such key, or no value.
    """
    key, equals, value = assignment.partition("=")
    if key not in DatasetSettings.model_fields or not equals:
        raise click.UsageError("--against takes a key of [dataset] and its value, such as with_passages=0")
    return {f"SITETWIN_DATASET__{key.upper()}": value}


def report(folder: Path, name: str, printed: str) -> None:
    """Copies the report of an evaluation, and what it printed as JSON, to where the guides' readers find it."""
    made = folder / ".sitetwin" / "reports" / f"eval-{json.loads(printed)['number']}"
    for ending in (".html", ".md"):
        shutil.copy(made.with_suffix(ending), REPORTS / f"{name}{ending}")
    (REPORTS / f"{name}.json").write_text(printed, encoding="utf-8")


@click.command()
@click.argument("notes", type=click.Choice(sorted(CONTENT)))
@click.option("--lab", is_flag=True, help="With the lab model and without an adapter.")
@click.option(
    "--systems", "named", help="As in `sitetwin eval`, in place of the usual ones; the adapter is called best."
)
@click.option("--against", help="KEY=VALUE of [dataset]: compare with an adapter of pairs that are made with it.")
@click.option("--name", help="Of the report's files; else docs, blog, docs-lab or blog-lab.")
@click.option("--iterations", default=ITERATIONS, show_default=True, help="Of the adapter's training.")
@click.option("--set", "assignments", multiple=True, help="KEY=VALUE of the training; may be given again.")
@click.option("--limit", type=int, help="The most questions; else all.")
@click.option("--tokens", default=TOKENS, show_default=True, help="Of the longest answer.")
@click.option("--folder", type=click.Path(path_type=Path), help="For the site; else one in .sitetwin/experiment.")
@click.option("--json", "as_json", is_flag=True, help="Only the figures, as JSON.")
def main(
    notes: str,
    lab: bool,
    named: str | None,
    against: str | None,
    name: str | None,
    iterations: int,
    assignments: tuple[str, ...],
    limit: int | None,
    tokens: int,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Run the experiment and print its accuracies."""
    changed = dataset_variable(against) if against else None
    site_name = f"{notes}-lab" if lab else notes
    key = against.partition("=")[0] if against else None
    name = name or (f"{site_name}-{key}" if key else site_name)
    root = (folder or PROJECT / ".sitetwin" / "experiment" / site_name).resolve()
    prepare(root, notes, str(lab_model()) if lab else "demo", tokens)
    usual = ("lora:best", f"lora:{key}", "hybrid:best", f"hybrid:{key}") if key else LAB_SYSTEMS if lab else SYSTEMS
    systems = tuple(named.split(",")) if named else usual
    configuration = (f"iters={iterations}", *assignments)
    if any(system.endswith(":best") for system in systems):
        train(root, "best", configuration)
    if key and changed:
        train(root, key, configuration, changed)
    asked = ("--limit", str(limit)) if limit else ()
    printed = run(root, "eval", "--systems", ",".join(systems), "--public", "--json", *asked)
    found = json.loads(printed)["systems"]
    report(root, name, printed)
    accuracy = {system: found[system]["accuracy"]["value"] for system in systems}
    first = accuracy.get("rag", accuracy[systems[0]])
    figures: Figures = {"ratio": accuracy[systems[-1]] / first if first else None, **accuracy}
    click.echo(render(f"accuracy on the questions of golden_{notes}.jsonl", figures, as_json=as_json))


if __name__ == "__main__":
    main()
