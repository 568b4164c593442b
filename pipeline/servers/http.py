"""Servers of this machine are reached without the proxies that the environment names."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

DIRECT: dict[str, None] = dict.fromkeys(("all://127.0.0.1", "all://localhost", "all://[::1]"))
"""`mounts` of a client: this machine's own servers are reached without the proxy that the environment names."""


@contextmanager
def no_proxies() -> Iterator[None]:
    """Clients that others make within are for this machine alone: they heed no proxy as long as they live."""
    before = os.environ.get("no_proxy")
    os.environ["no_proxy"] = "*"
    try:
        yield
    finally:
        if before is None:
            del os.environ["no_proxy"]
        else:
            os.environ["no_proxy"] = before
