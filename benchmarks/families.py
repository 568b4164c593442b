"""Which families of models can be trained, asked and exported.

    python -m benchmarks.families [--family NAME ...] [--json]

It makes a tiny random model of each family, with the family's own chat template and kind of tokenizer. On a site of two
guides it trains an adapter for it, asks a question in the modes that use the adapter, and exports the adapter in every
way. An exported model is loaded again and must answer. Ollama is tested if it answers at OLLAMA_HOST. Random weights say
nothing, so an answer counts if there is one without an error and without a thought in it; in mode hybrid it may be the
quotation that stands in. A cell is `yes` or an error. `ratio` is the share of cells with `yes`.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import ollama as ollama_client

from benchmarks.report import render
from pipeline.processes import engine
from pipeline.settings import load_settings
from pipeline.text.thoughts import MARKS
from tests.exported_families import CONFIGS

SITETWIN = (sys.executable, "-P", "-m", "pipeline")
SECONDS = 300
"""The longest time of a cell, on a machine that does other things too."""
NOTES = Path(__file__).parents[1] / "docs"
GUIDES = ("astro", "mcp")
QUESTION = "How do I link to my site?"
ADAPTER = "tuned"
SETTINGS = """
[[content]]
path = "notes"
visibility = "public"
[engine]
threads = 1
[retrieval]
mode = "keyword"
[index]
chunk_chars = 300
[dataset]
held_out = 0.5
kinds = ["fact"]
pairs_per_chunk = 1
row_passages = 1
stages = ["score", "length", "form"]
[chat]
max_tokens = 24
decline_below = 0
"""
SHORT = (
    "batch_size=2", "iters=4", "steps_per_eval=2", "val_batches=2", "max_seq_length=1024", "grad_checkpoint=false",
    "patience=0",
)  # fmt: skip
"""A training of seconds, in the keys of `sitetwin train --set`."""
ANSWER = (
    "import sys; from pathlib import Path; from pipeline.weights import blas; blas.preload(1)\n"
    "import mlx_lm; from pipeline.weights.locating import resolve_chat_model\n"
    "model, tokenizer = mlx_lm.load(str(resolve_chat_model(sys.argv[1])))\n"
    "list(mlx_lm.stream_generate(model, tokenizer, tokenizer.encode('Why?'), max_tokens=3))"
)


def ran(command: list[str], folder: Path) -> tuple[str, str]:
    """`yes` or the last line of a failing command's output, and what it printed."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return f"longer than {SECONDS} s", ""
    failed = done.returncode != 0 or "Traceback" in done.stderr
    return (done.stderr.strip().splitlines() or ["no message"])[-1][:150] if failed else "yes", done.stdout


def asked(mode: str, site: Path) -> str:
    """`yes` if the command line answers under the adapter, or what is wrong."""
    said, printed = ran([*SITETWIN, "ask", QUESTION, "--mode", mode, "--adapter", ADAPTER, "--json"], site)
    if said != "yes":
        return said
    answer = json.loads(printed)
    if not answer["answer"]:
        return "an empty answer"
    return "a thought is shown" if any(mark in answer["answer"].lower() for mark in MARKS) else "yes"


@contextmanager
def engine_ended(site: Path) -> Iterator[None]:
    """Ends the engine that the questions have started."""
    service = engine.service(load_settings(site / "sitetwin.toml"))
    try:
        yield
    finally:
        if endpoint := service.find():
            service.stop(endpoint)


def has_ollama() -> bool:
    """Whether an Ollama server answers."""
    try:
        ollama_client.list()
    except (ConnectionError, ollama_client.ResponseError):
        return False
    return True


def make_site(folder: Path) -> None:
    """A site with an index and a data set. Neither depends on the chat model."""
    (folder / "notes").mkdir(parents=True)
    for name in GUIDES:
        shutil.copy(NOTES / f"{name}.md", folder / "notes")
    (folder / "sitetwin.toml").write_text(SETTINGS, encoding="utf-8")
    for command in (["index"], ["dataset", "build"]):
        subprocess.run([*SITETWIN, *command], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def cells(model: Path, site: Path, *, with_ollama: bool) -> dict[str, str | None]:
    """The result of each step for one family: `yes`, an error, or None if it was not tried."""
    with (site / "sitetwin.toml").open("a", encoding="utf-8") as settings:
        settings.write(f"[models]\nchat = {json.dumps(str(model))}\n")
    found: dict[str, str | None] = {"load": ran([sys.executable, "-P", "-c", ANSWER, str(model)], site)[0]}
    short = [part for value in SHORT for part in ("--set", value)]
    found["train"] = ran([*SITETWIN, "train", "--name", ADAPTER, *short], site)[0]
    with engine_ended(site):
        for mode in ("lora", "hybrid"):
            found[f"ask {mode}"] = asked(mode, site)
    exports = site / ".sitetwin" / "exports"
    for way in ("fused", "gguf", "peft"):
        found[way] = ran([*SITETWIN, "export", ADAPTER, "--to", way], site)[0]
    written = {"fused": exports / f"{ADAPTER}-fused", "gguf": exports / f"{ADAPTER}-gguf" / f"{ADAPTER}.gguf"}
    for way, path in written.items():
        found[f"{way}, answers"] = ran([sys.executable, "-P", "-c", ANSWER, str(path)], site)[0]
    found["ollama, answers"] = None
    if with_ollama:
        name = f"sitetwin-family-{site.name}"
        found["ollama, answers"] = ran([*SITETWIN, "export", ADAPTER, "--to", "ollama", "--name", name], site)[0]
        if found["ollama, answers"] == "yes":
            ollama_client.delete(name)
    return found


@click.command()
@click.option("--family", "names", multiple=True, type=click.Choice(list(CONFIGS)), help="Only these; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Only the figures, as JSON.")
def main(names: tuple[str, ...], as_json: bool) -> None:
    """Which families of models can be trained, asked and exported."""
    with_ollama, chosen = has_ollama(), names or tuple(CONFIGS)
    table = {}
    with tempfile.TemporaryDirectory(prefix="sitetwin-") as folder:
        models, prepared = Path(folder) / "models", Path(folder) / "prepared"
        subprocess.run(
            [sys.executable, "-m", "tests.exported_families", str(models), *chosen], check=True, stdout=sys.stderr
        )
        make_site(prepared)
        for name in chosen:
            site = shutil.copytree(prepared, Path(folder) / name)
            table[name] = cells(models / name, site, with_ollama=with_ollama)
            click.echo(f"{name}: {', '.join(f'{step} {value}' for step, value in table[name].items())}", err=True)
    figures = {f"{name}: {step}": value for name, steps in table.items() for step, value in steps.items()}
    tried = [value for value in figures.values() if value is not None]
    ratio = sum(value == "yes" for value in tried) / len(tried)
    click.echo(render("Families and steps; ratio: cells that work", {"ratio": ratio, **figures}, as_json=as_json))


if __name__ == "__main__":
    main()
