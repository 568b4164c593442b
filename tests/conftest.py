import os
from collections.abc import Iterator

import pytest

pytest_plugins = ["tests.browsing", "tests.ollama_server"]


@pytest.fixture(autouse=True)
def own_umask() -> Iterator[None]:
    """Commands close what they write to other accounts; the next test begins with the usual umask."""
    before = os.umask(0o022)
    yield
    os.umask(before)
