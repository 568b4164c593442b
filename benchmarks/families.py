"""Which families of models can be exported in which way.

    python -m benchmarks.families [--family NAME ...] [--json]

It makes a tiny random model and a LoRA of each family, with the family's own chat template and kind of tokenizer, and
exports the adapter in every way. An exported model is loaded again and must answer. Ollama is tested if it answers at
OLLAMA_HOST. A cell is `yes` or an error. `ratio` is the share of cells with `yes`.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import ollama as ollama_client

from benchmarks.report import render
from tests.exported_families import CONFIGS

SITETWIN = (sys.executable, "-P", "-m", "pipeline")
ANSWER = (
    "import sys; from pathlib import Path; from pipeline.weights import blas; blas.preload(1)\n"
    "import mlx_lm; from pipeline.weights.locating import resolve_chat_model\n"
    "model, tokenizer = mlx_lm.load(str(resolve_chat_model(sys.argv[1])))\n"
    "list(mlx_lm.stream_generate(model, tokenizer, tokenizer.encode('Why?'), max_tokens=3))"
)


def said(command: list[str], folder: Path) -> str:
    """`yes`, or the last line of a failing command's output."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return "yes" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no message"])[-1][:150]


def has_ollama() -> bool:
    """Whether an Ollama server answers."""
    try:
        ollama_client.list()
    except (ConnectionError, ollama_client.ResponseError):
        return False
    return True


def cells(models: Path, name: str, site: Path, *, with_ollama: bool) -> dict[str, str | None]:
    """The result of each way for one family: `yes`, an error, or None if it was not tried."""
    site.mkdir()
    (site / "sitetwin.toml").write_text(f"[models]\nchat = {json.dumps(str(models / name))}\n", encoding="utf-8")
    shutil.copytree(models / "adapters" / name, site / ".sitetwin" / "adapters" / name)
    exports = site / ".sitetwin" / "exports"
    found: dict[str, str | None] = {"load": said([sys.executable, "-P", "-c", ANSWER, str(models / name)], site)}
    for way in ("fused", "gguf", "peft"):
        found[way] = said([*SITETWIN, "export", name, "--to", way], site)
    found["fused, answers"] = said([sys.executable, "-P", "-c", ANSWER, str(exports / f"{name}-fused")], site)
    gguf = exports / f"{name}-gguf" / f"{name}.gguf"
    found["gguf, answers"] = said([sys.executable, "-P", "-c", ANSWER, str(gguf)], site)
    found["ollama, answers"] = None
    if with_ollama:
        model = f"sitetwin-family-{name}"
        found["ollama, answers"] = said([*SITETWIN, "export", name, "--to", "ollama", "--name", model], site)
        if found["ollama, answers"] == "yes":
            ollama_client.delete(model)
    return found


@click.command()
@click.option("--family", "names", multiple=True, type=click.Choice(list(CONFIGS)), help="Only these; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Only the figures, as JSON.")
def main(names: tuple[str, ...], as_json: bool) -> None:
    """Which families of models can be exported in which way."""
    with_ollama, chosen = has_ollama(), names or tuple(CONFIGS)
    with tempfile.TemporaryDirectory(prefix="sitetwin-") as folder:
        models = Path(folder) / "models"
        subprocess.run(
            [sys.executable, "-m", "tests.exported_families", str(models), *chosen], check=True, stdout=sys.stderr
        )
        table = {name: cells(models, name, Path(folder) / name, with_ollama=with_ollama) for name in chosen}
    figures = {f"{name}: {way}": value for name, ways in table.items() for way, value in ways.items()}
    tried = [value for value in figures.values() if value is not None]
    ratio = sum(value == "yes" for value in tried) / len(tried)
    click.echo(render("Families and ways; ratio: cells that work", {"ratio": ratio, **figures}, as_json=as_json))


if __name__ == "__main__":
    main()
