import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.processes import vectors
from pipeline.settings import Settings
from tests.pipeline.processes.owners import wait_gone


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    settings = Settings(root=tmp_path)
    yield settings
    service = vectors.service(settings)
    if endpoint := service.find():
        service.stop(endpoint)


def test_what_was_stored_outlives_a_killed_owner(settings: Settings) -> None:
    store = vectors.connect(settings).create_collection("kept")
    store.add(ids=["a"], embeddings=[[1.0, 0.0]])
    first = vectors.service(settings).find()
    assert first is not None
    os.kill(first.pid, signal.SIGKILL)
    wait_gone(first.pid)
    assert vectors.connect(settings).get_collection("kept").get()["ids"] == ["a"]
    assert vectors.service(settings).find() != first


def test_two_users_share_one_owner(settings: Settings) -> None:
    vectors.connect(settings).create_collection("shared")
    assert [c.name for c in vectors.connect(settings).list_collections()] == ["shared"]
