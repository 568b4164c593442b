"""What the clients of servers that speak HTTP have in common."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

LONGEST_PAUSE = 30.0
"""Seconds, however long a server asks to wait."""
DIRECT: dict[str, None] = dict.fromkeys(("all://127.0.0.1", "all://localhost", "all://[::1]"))
"""`mounts` of a client: this machine's own servers are reached without the proxy that the environment names."""


def asked_pause(response: httpx.Response) -> float:
    """Seconds that a busy server asks to wait, at most LONGEST_PAUSE; 0 when it asks for none, or gives a date."""
    try:
        return min(float(response.headers.get("Retry-After", 0)), LONGEST_PAUSE)
    except ValueError:
        return 0.0


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
