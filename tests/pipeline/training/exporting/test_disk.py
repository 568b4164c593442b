from pathlib import Path

import pytest

from pipeline.errors import SitetwinError
from pipeline.training.exporting.disk import bytes_of_export, check_disk

QUANTISED = {"quantization": {"bits": 4, "group_size": 64}}
GB = 10**9


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Gemma 3 12B in 4 bits, without its bytes."""
    for number in (1, 2):
        with (tmp_path / f"model-0000{number}-of-00002.safetensors").open("wb") as file:
            file.truncate(3_375_000_000)
    return tmp_path


def test_what_ollama_takes_is_counted_twice(base: Path) -> None:
    assert bytes_of_export(base, QUANTISED, bits=None, is_expanded=True, copies=2) == 48 * GB
    assert bytes_of_export(base, QUANTISED, bits=None, is_expanded=True, copies=1) == 24 * GB
    assert bytes_of_export(base, QUANTISED, bits=None, is_expanded=False, copies=1) == 6.75 * GB
    assert bytes_of_export(base, QUANTISED, bits=8, is_expanded=True, copies=1) == 12.75 * GB
    assert bytes_of_export(base, {}, bits=None, is_expanded=True, copies=1) == 6.75 * GB


def test_too_little_is_said_before_anything_is_written(tmp_path: Path) -> None:
    check_disk(tmp_path / "new" / "export", 24 * GB, free=24 * GB)
    with pytest.raises(SitetwinError, match=r"needs about 24\.0 GB, 20\.0 GB are free .* --out"):
        check_disk(tmp_path / "new" / "export", 24 * GB, free=20 * GB)
    check_disk(tmp_path / "new" / "export", 1)
    with pytest.raises(SitetwinError, match="GB are free"):
        check_disk(tmp_path / "new" / "export", 10**18)
