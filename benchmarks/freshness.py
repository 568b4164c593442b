"""Seconds from saving a note until search finds it, while `sitetwin watch` runs.

    python -m benchmarks.freshness [--notes 5000] [--saves 100] [--json]

A vault of that many short notes in a throw-away folder, with the embedder in force. One note after the other is saved as
editors do it (a draft, renamed), with a word that no other holds, and is searched for until it is found: by its keyword,
then by hybrid search with its vector. `ratio` is one second over the 95th percentile of the latter: above 1 is fresh.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.report import Figures, render
from benchmarks.synthetic import notes, sentences
from pipeline.errors import SitetwinError
from pipeline.index import Index, open_index
from pipeline.processes import vectors
from pipeline.processes.endpoint import RunFiles
from pipeline.processes.service import last_line
from pipeline.settings import FILE_NAME, Retrieval, Settings, load_settings

GOAL_SECONDS = 1.0
LONGEST_SECONDS = 60.0
PAUSE_SECONDS = 0.01
VAULT = '[[content]]\npath = "vault"\nkind = "obsidian"\n'


def write_vault(root: Path, count: int) -> list[Path]:
    """`count` notes and a sitetwin.toml in `root`; twenty notes to a folder."""
    (root / FILE_NAME).write_text(VAULT, encoding="utf-8")
    files = []
    for number, (title, text) in enumerate(notes(count, sentences())):
        file = root / "vault" / f"folder {number // 20}" / f"note {number}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"# {title}\n\n{text}\n", encoding="utf-8")
        files.append(file)
    return files


@contextmanager
def watching(settings: Settings, seconds: float) -> Iterator[float]:
    """`sitetwin watch` of `settings`, synced; gives the seconds that took. Ends it, and the vector store.

    Raises:
        SitetwinError: it ended, or had not synced within `seconds`.
    """
    log = settings.root / "watch.log"
    command = [sys.executable, "-m", "pipeline", "--config", str(settings.root / FILE_NAME), "watch"]
    pause, started = threading.Event(), time.perf_counter()
    with log.open("wb") as said:
        process = subprocess.Popen(command, cwd=settings.root, stdout=said, stderr=said)
    try:
        files = RunFiles(settings.run_directory, "watcher")
        while files.find() is None:
            if process.poll() is not None or time.perf_counter() - started > seconds:
                raise SitetwinError(f"no first sync within {seconds:g} s ({last_line(log, 0)}): try fewer --notes")
            pause.wait(0.1)
        yield time.perf_counter() - started
    finally:
        process.terminate()
        process.wait(timeout=60)
        service = vectors.service(settings)
        if endpoint := service.find():
            service.stop(endpoint)


def save(file: Path, word: str) -> None:
    """`file` gains a sentence with `word`, by a draft that takes its place."""
    draft = file.with_name(f".{file.name}.tmp")
    draft.write_text(f"{file.read_text(encoding='utf-8')}\nThe word of today is {word}.\n", encoding="utf-8")
    draft.replace(file)


def finds(index: Index, word: str, retrieval: Retrieval) -> bool:
    """Whether search has a passage with `word`; by hybrid search, with its vector."""
    passages = index.search(word, retrieval=retrieval).passages
    return any(
        word in passage.text and (retrieval == "keyword" or passage.similarity is not None) for passage in passages
    )


def wait_until(holds: Callable[[], bool], since: float) -> float:
    """Seconds from `since`, a reading of perf_counter, until `holds`.

    Raises:
        SitetwinError: it does not within LONGEST_SECONDS.
    """
    pause = threading.Event()
    while not holds():
        if time.perf_counter() - since > LONGEST_SECONDS:
            raise SitetwinError(f"a saved note was not found within {LONGEST_SECONDS:g} s: try fewer --notes")
        pause.wait(PAUSE_SECONDS)
    return time.perf_counter() - since


def measure(settings: Settings, files: Sequence[Path], saves: int) -> list[tuple[float, float]]:
    """Seconds until each of `saves` notes, spread over `files`, was found: by keyword, and with its vector."""
    took = []
    with open_index(settings) as index:
        for number in range(saves):
            word = f"quokka{number:04}x"
            assert not finds(index, word, "hybrid")  # loads the embedder, too
            save(files[number * len(files) // saves], word)
            saved = time.perf_counter()
            keyword = wait_until(lambda word=word: finds(index, word, "keyword"), saved)  # type: ignore[misc]
            hybrid = wait_until(lambda word=word: finds(index, word, "hybrid"), saved)  # type: ignore[misc]
            took.append((keyword, hybrid))
    return took


def summary(took: Sequence[tuple[float, float]]) -> Figures:
    """Figures of (keyword, hybrid) seconds, one pair for each save."""
    (keyword_p50, hybrid_p50), (keyword_p95, hybrid_p95) = np.percentile(np.array(took), [50, 95], axis=0).tolist()
    return {
        "ratio": GOAL_SECONDS / hybrid_p95,
        "keyword_p50_seconds": keyword_p50,
        "keyword_p95_seconds": keyword_p95,
        "hybrid_p50_seconds": hybrid_p50,
        "hybrid_p95_seconds": hybrid_p95,
        "hybrid_longest_seconds": max(hybrid for _, hybrid in took),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Seconds from saving a note until search finds it.")
    parser.add_argument("--notes", type=int, default=5000, help="how many the vault holds")
    parser.add_argument("--saves", type=int, default=100, help="how many are saved, one after the other")
    parser.add_argument("--json", action="store_true", help="only the figures, as JSON")
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="sitetwin-") as folder:
            root = Path(folder)
            files = write_vault(root, arguments.notes)
            settings = load_settings(root / FILE_NAME)
            print(f"indexing {len(files)} notes", file=sys.stderr)
            with watching(settings, 60 + len(files) / 5) as first_sync:
                took = measure(settings, files, arguments.saves)
    except SitetwinError as error:
        sys.exit(str(error))
    figures = {**summary(took), "notes": len(files), "saves": len(took), "first_sync_seconds": first_sync}
    print(render("A saved note until search finds it", figures, as_json=arguments.json))


if __name__ == "__main__":
    main()
