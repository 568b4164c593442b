"""Seconds from saving, hiding or deleting a note until search and chat know it, while `sitetwin watch` runs.

    python -m benchmarks.freshness [--notes 5000] [--saves 100] [--json]

It makes a vault of short notes in a throw-away folder. It saves one note after the other as editors do (a draft, then a
rename), with a fact that no other note has. It searches for the fact until it is found: by keyword, then by hybrid search
with its vector, then by chat, whose answer must contain the fact and cite the note. Then it makes the note private or
deletes it, in turn, and searches until a visitor finds nothing of it. Search and chat run in one warm process, as in the
gateway; `sitetwin ask` takes over a second more to start. `ratio` is one second divided by the 95th percentile of the
time until the chat knows a saved note: above 1 is fresh.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.report import Figures, render
from benchmarks.synthetic import notes, sentences
from pipeline.chat import Answer
from pipeline.errors import SitetwinError
from pipeline.files import write_text
from pipeline.index import Index
from pipeline.processes import vectors
from pipeline.processes.endpoint import RunFiles
from pipeline.processes.logs import last_line
from pipeline.settings import FILE_NAME, Retrieval, Settings, load_settings
from pipeline.site import Site

GOAL_SECONDS = 1.0
LONGEST_SECONDS = 60.0
PAUSE_SECONDS = 0.01
Took = dict[str, list[float]]
"""Seconds for each save, by the condition that was waited for."""
VAULT = '[[content]]\npath = "vault"\nkind = "obsidian"\nvisibility = "public"\n'


def write_vault(root: Path, count: int) -> list[Path]:
    """Writes `count` notes, twenty to a folder, and a sitetwin.toml to `root`. Returns the notes' paths."""
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
    """Runs `sitetwin watch`, and ends it and the vector store. Yields the seconds that the first sync took.

    Raises:
        SitetwinError: it ended, or did not sync within `seconds`.
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


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact that only one note has: `thing` is painted in `colour`."""

    thing: str
    colour: str

    @property
    def question(self) -> str:
        """A question for the fact."""
        return f"What colour is the {self.thing} painted in?"

    @property
    def sentence(self) -> str:
        """The fact as a sentence of a note."""
        return f"The {self.thing} is painted in the colour {self.colour}."


def finds(index: Index, fact: Fact, retrieval: Retrieval) -> bool:
    """Whether a visitor's search finds `fact`; by hybrid search the passage must have its vector."""
    passages = index.search(fact.thing, retrieval=retrieval, visibility="public").passages
    return any(
        fact.colour in passage.text and (retrieval == "keyword" or passage.similarity is not None)
        for passage in passages
    )


def answers(settings: Settings, fact: Fact, name: str) -> bool:
    """Whether an answer to a visitor contains `fact` and cites the note with this file name."""
    *_, answer = Site(settings).assistant.ask(fact.question, visibility="public")
    assert isinstance(answer, Answer)
    return fact.colour in answer.answer and any(citation.document.endswith(name) for citation in answer.citations)


def wait_until(holds: Callable[[], bool], since: float) -> float:
    """Waits until `holds` is true. Returns the seconds since `since`, a reading of perf_counter.

    Raises:
        SitetwinError: it is not true within LONGEST_SECONDS.
    """
    pause = threading.Event()
    while not holds():
        if time.perf_counter() - since > LONGEST_SECONDS:
            raise SitetwinError(f"a note was not found, or not gone, within {LONGEST_SECONDS:g} s: try fewer --notes")
        pause.wait(PAUSE_SECONDS)
    return time.perf_counter() - since


def measure(settings: Settings, files: Sequence[Path], saves: int) -> Took:
    """Seconds until each of `saves` notes, spread over `files`, is found, and until it is gone again."""
    took: Took = {}
    with Site(settings).index() as index:
        for number in range(saves):
            file = files[number * len(files) // saves]
            fact = Fact(f"quokka{number:04}x", f"zorble{number:04}y")
            before = file.read_text(encoding="utf-8")
            assert not finds(index, fact, "hybrid")
            assert not answers(settings, fact, file.name)  # loads what an answer needs, too
            write_text(file, f"{before}\n{fact.sentence}\n")
            _until(took, "", True, index, settings, fact, file.name)
            if number % 2:
                file.unlink()
            else:
                write_text(file, f"---\nprivate: true\n---\n{before}\n{fact.sentence}\n")
            _until(took, ("private_", "deleted_")[number % 2], False, index, settings, fact, file.name)
    return took


def _until(took: Took, kind: str, known: bool, index: Index, settings: Settings, fact: Fact, name: str) -> None:
    """Adds the seconds until keyword search, hybrid search and chat tell a visitor `fact` (`known`), or no longer do."""
    started = time.perf_counter()
    holds: dict[str, Callable[[], bool]] = {
        "keyword": lambda: finds(index, fact, "keyword") == known,
        "hybrid": lambda: finds(index, fact, "hybrid") == known,
        "chat": lambda: answers(settings, fact, name) == known,
    }
    for way, condition in holds.items():
        took.setdefault(f"{kind}{way}", []).append(wait_until(condition, started))


def summary(took: Took) -> Figures:
    """The percentiles in seconds by condition, and `ratio`."""
    figures: dict[str, float] = {"ratio": GOAL_SECONDS / float(np.percentile(took["chat"], 95))}
    for way, seconds in took.items():
        p50, p95 = np.percentile(seconds, [50, 95]).tolist()
        figures |= {f"{way}_p50_seconds": p50, f"{way}_p95_seconds": p95, f"{way}_longest_seconds": max(seconds)}
    return figures


def main() -> None:
    """The command line of this benchmark."""
    parser = argparse.ArgumentParser(description="Seconds from saving a note until search and chat know it.")
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
    figures = {**summary(took), "notes": len(files), "saves": len(took["chat"]), "first_sync_seconds": first_sync}
    print(render("A saved note until search and chat know it", figures, as_json=arguments.json))


if __name__ == "__main__":
    main()
