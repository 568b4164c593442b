"""The one screen of `sitetwin up`: a live table on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pipeline.processes.supervisor import ProcessRow

_STYLES = {
    "waiting": ("·", "dim"),
    "starting": ("…", "yellow"),
    "ready": ("●", "green"),
    "restarting": ("↻", "yellow"),
    "failed": ("✗", "red"),
    "stopped": ("○", "dim"),
}


class UpScreen:
    """Shows the states of the processes on `console`."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rows: Sequence[ProcessRow] = ()
        self._url = ""
        self._began = time.monotonic()
        self._live: Live | None = None
        self._said_ready = False

    @contextmanager
    def open(self, rows: Sequence[ProcessRow], url: str) -> Iterator[None]:
        """Show `rows` while the block runs; `url` is the address to open once all are ready."""
        self._rows, self._url, self._began = rows, url, time.monotonic()
        if not self._console.is_terminal:
            yield
            return
        with Live(self._render(), console=self._console, auto_refresh=False) as live:
            self._live = live
            yield
            self.refresh()

    def show(self, row: ProcessRow) -> None:
        """Print a row that has changed, unless the live table shows it."""
        if self._live is not None:
            return
        text = f": {row.text}" if row.text else ""
        self._console.print(f"{row.name} {row.state}{text}{self._where(row)}", highlight=False, soft_wrap=True)
        if self._all_ready() and not self._said_ready:
            self._said_ready = True
            self._console.print(f"ready after {time.monotonic() - self._began:.0f} s: open {self._url}", soft_wrap=True)

    def refresh(self) -> None:
        """Draw the live table again; does nothing without a terminal."""
        if self._live is not None:
            self._live.update(self._render(), refresh=True)

    def _all_ready(self) -> bool:
        return bool(self._rows) and all(row.state == "ready" for row in self._rows)

    def _where(self, row: ProcessRow) -> str:
        if row.state in ("failed", "restarting") and row.log:
            return f" (log: {row.log})"
        return f" at {row.url}" if row.state == "ready" and row.url else ""

    def _render(self) -> Group:
        table = Table.grid(padding=(0, 2))
        for row in self._rows:
            sign, style = _STYLES[row.state]
            since = f"{time.monotonic() - row.since:.0f} s" if row.state in ("starting", "restarting") else ""
            detail = row.text or (row.url if row.state == "ready" else "")
            if row.state in ("failed", "restarting") and row.log:
                detail += f"  log: {row.log}"
            table.add_row(Text(sign, style=style), row.name, Text(row.state, style=style), since, detail)
        if self._all_ready():
            foot = Text.assemble(("Open ", "bold"), (self._url, "bold cyan"), ("   Ctrl-C stops everything", "dim"))
        else:
            foot = Text(f"starting, {time.monotonic() - self._began:.0f} s   Ctrl-C stops everything", style="dim")
        return Group(table, Text(), foot)
