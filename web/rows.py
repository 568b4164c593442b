"""What `sitetwin up` has started so far, told to the gateway through a file."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from pipeline import files
from pipeline.processes.supervisor import Row

NAMES = {
    "vectors": "the vector store",
    "engine": "the model",
    "watcher": "the index",
    "langflow": "Langflow",
    "gateway": "this page",
}
"""What a visitor is told."""


class RowsFile:
    def __init__(self, run_directory: Path) -> None:
        self._path = run_directory / "up.rows.json"

    def write(self, rows: Iterable[Row]) -> None:
        files.write_text(self._path, json.dumps({row.name: row.state for row in rows}))

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)

    def starting(self) -> Sequence[str]:
        """Names of the parts that don't answer yet; () where no `up` runs."""
        try:
            states = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return ()
        return [NAMES.get(name, name) for name, state in states.items() if state != "ready" and name != "gateway"]
