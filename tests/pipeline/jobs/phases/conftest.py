from collections.abc import Iterator

import pytest

from pipeline.processes import engine, vectors
from pipeline.settings import Settings
from tests.pipeline.training.conftest import base, site, small  # noqa: F401

VALUES = {
    "learning_rate": 0.02, "max_seq_length": 128, "steps_per_report": 2, "steps_per_eval": 6, "save_every": 3,
    "grad_checkpoint": False,
}  # fmt: skip


@pytest.fixture
def asked_site(site: Settings) -> Iterator[Settings]:
    """The training tests' site; the processes that are started for it end with the test."""
    yield site
    for service in (engine.service(site), vectors.service(site)):
        if endpoint := service.find():
            service.stop(endpoint)
