"""Random requests at the same time, on a tiny random Llama: all are answered, refused or left as they must be."""

from pathlib import Path

import pytest

from pipeline.weights import blas

blas.preload(1)

from benchmarks.engine_soak import soak  # noqa: E402
from tests.pipeline.engine.tiny_engines import TOKEN, running, serving  # noqa: E402
from tests.tiny_llama import make_bases  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize("seed", [1, 2])
def test_all_are_answered(tmp_path: Path, seed: int) -> None:
    make_bases(tmp_path)
    with running(tmp_path / "base", tmp_path / "adapters") as (loop, _), serving(loop) as url:
        figures = soak(f"{url}/v1", TOKEN, "abc", count=150, at_a_time=24, seed=seed)
        assert figures["failed"] == 0, figures["first_failure"]
        assert min(figures["answered"], figures["refused"], figures["left"]) > 5  # type: ignore[type-var]
        assert loop.still_seconds() == 0
