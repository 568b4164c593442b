"""`sitetwin export`."""

from pathlib import Path

import click

from pipeline.commands.kit import PartName, as_json, print_json, with_settings
from pipeline.parts import EXPORTS
from pipeline.settings import Settings


@click.command()
@click.argument("run")
@click.option("--to", required=True, type=PartName(EXPORTS))
@click.option("--out", type=click.Path(path_type=Path), help="The folder to make; else .sitetwin/exports/RUN-TO.")
@click.option("--quantize", "bits", type=click.Choice(["4", "8"]), help="fused, ollama: bits of a weight.")
@click.option("--dequantize", is_flag=True, help="fused: expand a quantised base to floats.")
@click.option("--base-model", metavar="NAME", help="peft: the base's name on the hub.")
@click.option("--name", help="ollama: the model's name there; else RUN.")
@click.option("--question", help="ollama: the question to try it with; else the first of site.questions.")
@click.option("--no-create", is_flag=True, help="ollama: write the folder only, for an Ollama elsewhere.")
@click.option("--force", is_flag=True, help="ollama: replace a model of that name.")
@as_json
@with_settings
def export(
    settings: Settings,
    run: str,
    to: str,
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
    from pipeline.weights import blas

    blas.preload(settings.engine.threads)
    given = {"--quantize": bits, "--dequantize": dequantize, "--base-model": base_model, "--name": name,
             "--question": question, "--no-create": no_create, "--force": force}  # fmt: skip
    _check_options(to, {option for option, value in given.items() if value})
    from pipeline.training.exporting.export import Wishes
    from pipeline.training.exporting.folder import exports_directory
    from pipeline.training.exporting.run import run_export

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


WISHES = {
    "--quantize": "bits",
    "--dequantize": "dequantise",
    "--base-model": "base_model",
    "--name": "name",
    "--question": "question",
    "--no-create": "is_created",
    "--force": "is_replaced",
}
"""The field of an export's `Wishes` that each option fills."""


def _check_options(to: str, given: set[str]) -> None:
    """
    Raises:
        UsageError: one of the options `given` means nothing to the export `to`.
    """
    for option in sorted(option for option in given if WISHES[option] not in EXPORTS.load(to).heeds):
        others = [kind for kind in EXPORTS.kinds() if WISHES[option] in EXPORTS.load(kind).heeds]
        raise click.UsageError(f"{option} is for --to {' and --to '.join(others)}, not for --to {to}")
