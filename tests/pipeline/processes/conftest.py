from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.processes.owners import MakeService


@pytest.fixture
def owned(tmp_path: Path) -> Iterator[MakeService]:
    """Makes services whose owner is a real small server; ends those that are left."""
    make = MakeService(tmp_path)
    yield make
    if endpoint := make().find():
        make().stop(endpoint)
