"""The file in which `sitetwin up` tells the gateway what has started so far."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from pipeline import files
from pipeline.processes.supervisor import ProcessRow

NAMES = {
    "vectors": "the vector store",
    "engine": "the model",
    "watcher": "the index",
    "langflow": "Langflow",
    "gateway": "this page",
}
"""Names of the processes for visitors."""


class RowsFile:
    """The states of the processes of `sitetwin up`, in a file of `run_directory`."""

    def __init__(self, run_directory: Path) -> None:
        self._path = run_directory / "up.rows.json"

    def write(self, rows: Iterable[ProcessRow]) -> None:
        """Replace the file by the states of `rows`."""
        files.write_text(self._path, json.dumps({row.name: row.state for row in rows}))

    def remove(self) -> None:
        """Delete the file if it exists."""
        self._path.unlink(missing_ok=True)

    def starting(self, besides: Sequence[str] = ()) -> Sequence[str]:
        """The visitors' names of the processes that don't answer yet, but for `besides`; () if no `up` runs."""
        try:
            states = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return ()
        unasked = ("gateway", *besides)
        return [NAMES.get(name, name) for name, state in states.items() if state != "ready" and name not in unasked]
