"""The MLX engine: one base model and any adapters over it, behind OpenAI's protocol, for this machine only.

All requests are in one batch, whichever adapter each names (`overlaid`). `turns` decides in which order they join it.
A request becomes an answer in this order: `protocol` → `exchange` → `asking` → `loop` → `answer` → `replies`.
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
    """An HTTP server with a thread for each connection."""

    daemon_threads = True
    request_queue_size = 128
    """The most connections that wait to be accepted. http.server's own 5 would refuse a burst."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Prints the kind and place of an unexpected exception, but not its text."""
        # The text of an exception may contain a visitor's question.
        where = traceback.extract_tb(sys.exc_info()[2])[-1]
        print(f"a request broke: {sys.exc_info()[0]} at {where.name}:{where.lineno}", file=sys.stderr, flush=True)


def start_loop(path: str, name: str, adapters: Path, limit: int | None = None, *, int8: bool = False) -> Loop:
    """A loop in its own thread. If it breaks, the process ends, and the next request starts another engine.

    Args:
        path: the base's folder or hub id.
        name: the name by which requests call the base.
        adapters: the folder of the adapters that requests may name.
        limit: the most bytes that the graphics processor may hold; None: there is no limit.
        int8: hold the weights in 8 bits, if the model is of a kind that can.
    """
    loop = Loop(lambda: Base(path, name, adapters, limit, int8=int8))
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
    loop: Loop, host: str, port: int, token: str, touch: Callable[[], None], stall_seconds: float = 120
) -> EngineServer:
    """A server that is bound to its address, but does not serve yet.

    Args:
        loop: answers the requests.
        host: the address to listen on.
        port: the port to listen on; 0: a free one.
        token: callers send it as their API key.
        touch: is called when a request begins and when it ends.
        stall_seconds: /health reports a stall after so many seconds without a move although requests wait.
    """
    attributes = {"loop": loop, "token": token, "touch": staticmethod(touch), "stall_seconds": stall_seconds}
    return EngineServer((host, port), type("Handler", (EngineHandler,), attributes))
