"""The MLX engine: one base model and any adapters over it, behind OpenAI's protocol, for this machine only.

All requests are in one batch, whichever adapter each names: see `overlaid`. In which order they join it: see `turns`.
How a request becomes an answer: `protocol` → `exchange` → `asking` → `loop` → `answer` → `replies`.
Import this after `blas.preload()`.
"""

import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from pathlib import Path

from pipeline.engine.base import Base
from pipeline.engine.handler import EngineHandler
from pipeline.engine.loop import Loop
from pipeline.errors import ModelError


class EngineServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    """Of connections that wait to be accepted; http.server's 5 refuses a burst."""

    def handle_error(self, request: object, client_address: object) -> None:
        # The text of an error may carry a question; its place does not.
        where = traceback.extract_tb(sys.exc_info()[2])[-1]
        print(f"a request broke: {sys.exc_info()[0]} at {where.name}:{where.lineno}", file=sys.stderr, flush=True)


def start_loop(path: str, name: str, adapters: Path, limit: int | None = None) -> Loop:
    """A loop in a thread of its own. Where it breaks, the process ends: whoever asks next starts another engine.

    Args:
        path: of the base, a folder or hub id.
        name: what requests call it.
        adapters: the folder of adapters that requests may name.
        limit: bytes that the graphics processor may hold; None: there is none.
    """
    loop = Loop(lambda: Base(path, name, adapters, limit))
    threading.Thread(target=_run, args=(loop,), name="engine", daemon=True).start()
    return loop


def _run(loop: Loop) -> None:
    try:
        loop.run()
    except ModelError as error:
        print(error, file=sys.stderr, flush=True)
        os._exit(1)
    except Exception:
        logging.exception("the generation broke")
        print("the generation broke: ending", file=sys.stderr, flush=True)
        os._exit(1)


def make_server(
    loop: Loop, host: str, port: int, touch: Callable[[], None], stall_seconds: float = 120
) -> EngineServer:
    """A bound server.

    Args:
        touch: called at each request's begin and end.
        stall_seconds: for how long nothing may move while requests wait before /health says so.
    """
    attributes = {"loop": loop, "touch": staticmethod(touch), "stall_seconds": stall_seconds}
    return EngineServer((host, port), type("Handler", (EngineHandler,), attributes))
