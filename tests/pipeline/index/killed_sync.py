"""Run by test_index_kill: syncs that end by SIGKILL after the Nth line of the index's own code.

Arguments: the site's folder and Chroma's port. Each line of stdin is a kind of sync (`all`, `changed`, `rebuild`) and a
number of lines, 0 for a whole sync; the answer is how many lines ran, or `killed`. Every sync is a process of its own, forked before anything was opened.
"""

import os
import runpy
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from pipeline.content import read_changed, read_sources

ROOM = str(Path(__file__).parents[3] / "pipeline" / "index")


def sync(site_folder: Path, port: int, kind: str, last_line: int) -> int:
    lines = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal lines
        if not frame.f_code.co_filename.startswith(ROOM):
            return None
        if event == "line":
            lines += 1
            if lines == last_line:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    site = helpers["Site"](site_folder, port)
    names = {file.id.partition("/")[2] for file in read_sources(site.settings)} | {"deleted.md", "old.md"}
    changed = read_changed(site.settings, [site.notes / name for name in sorted(names)])
    options = {"all": {}, "changed": {"changed": changed}, "rebuild": {"rebuild": True}}[kind]
    sys.settrace(trace)
    site.index.sync(**options)
    sys.settrace(None)
    return lines


if __name__ == "__main__":
    helpers = runpy.run_path(str(Path(__file__).with_name("conftest.py")))
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    for line in sys.stdin:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            kind, last_line = line.split()
            os.write(writer, str(sync(folder, port, kind, int(last_line))).encode())
            os._exit(0)
        os.close(writer)
        status = os.waitpid(child, 0)[1]
        with os.fdopen(reader) as answer:
            print("killed" if os.WIFSIGNALED(status) else answer.read(), flush=True)
