from collections.abc import Iterator

import pytest

from tests.answering_server import Server, answering


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that answers as the test tells it."""
    with answering() as server:
        yield server
