import os
import signal
from collections.abc import Iterator

import pytest

pytest_plugins = ["tests.browsing", "tests.ollama_server"]


def pytest_configure() -> None:
    """A shell starts what runs in the background with Ctrl-C ignored, and our processes would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_umask() -> Iterator[None]:
    """Commands close what they write to other accounts; the next test begins with the usual umask."""
    before = os.umask(0o022)
    yield
    os.umask(before)
