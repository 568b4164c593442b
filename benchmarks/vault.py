"""Seconds and peak memory of `sitetwin index` on a vault of so many notes, as its owner runs it.

    python -m benchmarks.vault [--notes 10000] [--json]

The notes are files of one to three sentences of docs/, a hundred in each folder; embedder and vector store are the real
ones. `first` is the first index, `again` a look at every file that finds nothing changed, `edited` one after a note was
edited. `server` is what Chroma's process holds then. All in seconds and in megabytes of the process's peak. `ratio` is the
peak of the first index over that of a tenth of the notes: below 10 it grows more slowly than the vault.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.report import Figures, render
from benchmarks.search_scale import resident_megabytes
from benchmarks.synthetic import notes, sentences
from pipeline.processes import vectors
from pipeline.settings import load_settings

IN_A_FOLDER = 100
SETTINGS = '[[content]]\npath = "notes"\nkind = "obsidian"\n'


def write_vault(root: Path, count: int) -> None:
    """A site of `count` notes in `root`."""
    (root / "sitetwin.toml").write_text(SETTINGS, encoding="utf-8")
    for number, (title, text) in enumerate(notes(count, sentences())):
        folder = root / "notes" / str(number // IN_A_FOLDER)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.md").write_text(f"# {title}\n\n{text}\n", encoding="utf-8")


def run_index(root: Path) -> tuple[float, float]:
    """Seconds and peak megabytes of one `sitetwin index` in `root`.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    command = [str(Path(sys.executable).with_name("sitetwin")), "index", "--json"]
    started = time.perf_counter()
    with subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return time.perf_counter() - started, usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e6 / 1024)


def measure(count: int) -> dict[str, float]:
    """The figures of a vault of `count` notes."""
    with tempfile.TemporaryDirectory(prefix="sitetwin-vault-") as folder:
        root = Path(folder)
        write_vault(root, count)
        service = vectors.service(load_settings(root / "sitetwin.toml"))
        figures = {}
        try:
            for name in ("first", "again", "edited"):
                if name == "edited":
                    (root / "notes/0/0.md").write_text("# Edited\n\nA heron stood there.\n", encoding="utf-8")
                figures[f"{name}_seconds"], figures[f"{name}_megabytes"] = run_index(root)
            figures["server_megabytes"] = resident_megabytes(service.ensure().pid)
        finally:
            if endpoint := service.find():
                service.stop(endpoint)
    return figures


def summary(count: int, whole: dict[str, float], tenth: dict[str, float]) -> Figures:
    """The figures of both vaults; `ratio` compares their peaks."""
    return {
        "ratio": whole["first_megabytes"] / tenth["first_megabytes"],
        "notes": count,
        **whole,
        **{f"tenth_{name}": value for name, value in tenth.items()},
    }


def main() -> None:
    """The command line of this benchmark."""
    parser = argparse.ArgumentParser(description="What indexing a vault costs in time and memory.")
    parser.add_argument("--notes", type=int, default=10_000, help="so many notes")
    parser.add_argument("--json", action="store_true", help="only the figures, as JSON")
    arguments = parser.parse_args()
    tenth, whole = measure(max(1, arguments.notes // 10)), measure(arguments.notes)
    print(render("A vault, indexed", summary(arguments.notes, whole, tenth), as_json=arguments.json))


if __name__ == "__main__":
    main()
