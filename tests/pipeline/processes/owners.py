"""A real shared process for tests: a small server under an Owner."""

import sys
from pathlib import Path

import psutil

from pipeline.processes.service import Service

OWNER = """
import sys
from http.server import HTTPServer, BaseHTTPRequestHandler
from pathlib import Path
from pipeline.processes.owner import Owner

state, idle, mood = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
owner = Owner(state / "run", "thing", idle)
server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
owner.publish_when(lambda: True, server.server_port, mood=mood)
server.serve_forever()
"""


class MakeService:
    def __init__(self, state: Path) -> None:
        self.state = state
        self._script = state / "owner.py"
        self._script.write_text(OWNER, encoding="utf-8")

    def __call__(self, idle_minutes: float = 5, mood: str = "good", script: str | None = None) -> Service:
        if script is not None:
            self._script.write_text(script, encoding="utf-8")
        command = (sys.executable, str(self._script), str(self.state), str(idle_minutes), mood)
        return Service("thing", command, self.state, start_seconds=30, details={"mood": mood})


def wait_gone(pid: int, seconds: float = 30) -> None:
    """Return when the process has ended; it may be a child of this one."""
    try:
        psutil.Process(pid).wait(timeout=seconds)
    except psutil.NoSuchProcess:
        return
