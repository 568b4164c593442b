"""`sitetwin export`."""

from pathlib import Path
from typing import Literal

import click

from pipeline.commands.kit import as_json, print_json, with_settings
from pipeline.settings import Settings

To = Literal["fused", "gguf", "ollama", "peft"]


@click.command()
@click.argument("run")
@click.option("--to", required=True, type=click.Choice(["fused", "gguf", "ollama", "peft"]))
@click.option("--out", type=click.Path(path_type=Path), help="The folder to make; else .sitetwin/exports/RUN-TO.")
@click.option("--quantize", "bits", type=click.Choice(["4", "8"]), help="fused, ollama: bits of a weight.")
@click.option("--dequantize", is_flag=True, help="fused: expand a quantised base to floats.")
@click.option("--base-model", metavar="NAME", help="peft: the base's name on the hub.")
@click.option("--name", help="ollama: of the model there; else RUN.")
@click.option("--question", help="ollama: what is asked through it; else the first of site.questions.")
@click.option("--no-create", is_flag=True, help="ollama: write the folder only, for an Ollama elsewhere.")
@click.option("--force", is_flag=True, help="ollama: replace a model of that name.")
@as_json
@with_settings
def export(
    settings: Settings,
    run: str,
    to: To,
    out: Path | None,
    bits: str | None,
    dequantize: bool,
    base_model: str | None,
    name: str | None,
    question: str | None,
    no_create: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Take the adapter of RUN elsewhere: as a model folder, as GGUF, into Ollama, or for Hugging Face PEFT."""
    given = {"--quantize": bits, "--dequantize": dequantize, "--base-model": base_model, "--name": name,
             "--question": question, "--no-create": no_create, "--force": force}  # fmt: skip
    for option, value in given.items():
        if value and to not in OPTIONS[option]:
            raise click.UsageError(f"{option} is for --to {' and --to '.join(OPTIONS[option])}, not for --to {to}")
    from pipeline.weights import blas

    blas.preload(settings.engine.threads)
    from pipeline.training.exporting.folder import exports_directory
    from pipeline.training.exporting.run import Wishes, run_export

    wishes = Wishes(
        to=to,
        folder=(out or exports_directory(settings) / f"{run}-{to}").absolute(),
        bits=None if bits is None else 4 if bits == "4" else 8,
        dequantise=dequantize,
        base_model=base_model,
        name=name,
        question=question,
        is_created=not no_create,
        is_replaced=force,
    )
    done = run_export(settings, run, wishes, lambda text: click.echo(text, err=True))
    if as_json:
        print_json(done)
        return
    if done.answer is not None:
        click.echo(f"{done.question}\n{done.answer}\n")
    click.echo(f"{done.folder} ({done.bytes / 1e6:,.0f} MB)\nnext: {done.next}")


OPTIONS: dict[str, tuple[To, ...]] = {
    "--quantize": ("fused", "ollama"),
    "--dequantize": ("fused",),
    "--base-model": ("peft",),
    "--name": ("ollama",),
    "--question": ("ollama",),
    "--no-create": ("ollama",),
    "--force": ("ollama",),
}
"""What each is for."""
