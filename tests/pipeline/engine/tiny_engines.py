"""A whole engine on a tiny model, in this process: its loop, and a server on a free port. Import after `blas.preload()`."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from benchmarks.engine import make_adapter
from pipeline.engine.base import Base
from pipeline.engine.loop import Loop
from pipeline.engine.server import make_server

END = 2
"""The token that ends an answer."""
TOKEN = "the-owners"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
"""What the server of `serving` asks of its callers."""
NEVER_ENDS = {END: -1000.0}
"""A `logit_bias` with which an answer has all the tokens that it may have."""


@contextmanager
def running(
    base: Path,
    adapters: Path,
    cache_bytes: int | None = None,
    limit: int | None = None,
    begin: bool = True,
    int8: bool = False,
) -> Iterator[tuple[Loop, threading.Event]]:
    """The loop over `base` with the adapters a, b and c in the folder `adapters`, and what lets it begin."""
    for number, name in enumerate("abc"):
        make_adapter(adapters / name, base, number)
    may_begin = threading.Event()
    if begin:
        may_begin.set()

    def load() -> Base:
        assert may_begin.wait(60)
        return Base(str(base), "tiny", adapters, limit, int8=int8)

    with _run(Loop(load, cache_bytes), begin) as loop:
        try:
            yield loop, may_begin
        finally:
            may_begin.set()


@contextmanager
def loaded(base: Path) -> Iterator[Loop]:
    """The loop over `base` without adapters."""
    with _run(Loop(lambda: Base(str(base), "tiny", base / "adapters"))) as loop:
        yield loop


@contextmanager
def _run(loop: Loop, begin: bool = True) -> Iterator[Loop]:
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(loop.run)
        try:
            if begin:
                assert loop.ready.wait(60), ended.exception(timeout=0)
            yield loop
        finally:
            loop.end()
            ended.result(timeout=60)


@contextmanager
def serving(loop: Loop, stall_seconds: float = 120) -> Iterator[str]:
    """Gives the address of a server over `loop`."""
    server = make_server(loop, "127.0.0.1", 0, TOKEN, lambda: None, stall_seconds)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(server.serve_forever, 0.05)
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.server_close()
