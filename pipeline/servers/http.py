"""Requests to this machine's own servers bypass the proxies that the environment names."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

DIRECT: dict[str, None] = dict.fromkeys(("all://127.0.0.1", "all://localhost", "all://[::1]"))
"""`mounts` of an httpx client: requests to this machine use no proxy."""


@contextmanager
def no_proxies() -> Iterator[None]:
    """HTTP clients that a library makes inside this block use no proxy, for as long as they live."""
    before = os.environ.get("no_proxy")
    os.environ["no_proxy"] = "*"
    try:
        yield
    finally:
        if before is None:
            del os.environ["no_proxy"]
        else:
            os.environ["no_proxy"] = before
