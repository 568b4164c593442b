from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from pipeline.jobs.retraining.job import RetrainingJob, RetrainingRequest, Tracker, log_file, read_job
from pipeline.settings import Settings
from pipeline.weights import blas
from tests.retraining_site import SMALL, end_processes, make_site

# Before a module of these tests imports MLX.
blas.preload(1)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama of two layers, with a token for each byte."""
    from tests.tiny_llama import make_bases

    folder = tmp_path_factory.mktemp("models")
    make_bases(folder)
    return folder / "base"


@pytest.fixture
def site(tmp_path: Path, base: Path) -> Iterator[Settings]:
    settings = make_site(tmp_path, base)
    yield settings
    end_processes(settings)


@pytest.fixture
def tracker(site: Settings) -> Callable[..., Tracker]:
    """Makes the tracker of a job that this process does, after the one before."""

    def make(**request: object) -> Tracker:
        before = read_job(site)
        me = psutil.Process()
        job = RetrainingJob(
            number=before.number + 1 if before else 1,
            request=RetrainingRequest.model_validate({"values": SMALL, **request}),
            judged=before.judged if before else "",
            started_at=datetime.now(UTC),
            log=str(log_file(site)),
            pid=me.pid,
            process_started=me.create_time(),
        )
        site.state.mkdir(exist_ok=True)
        return Tracker(site, job)

    return make
