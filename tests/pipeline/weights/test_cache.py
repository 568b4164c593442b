import threading
from pathlib import Path

import pytest

from pipeline.errors import ModelError
from pipeline.weights.cache import cache_folder, cached, folder_of


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SITETWIN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def write(folder: Path) -> None:
    (folder / "weights").write_text("w", encoding="utf-8")


def contents(home: Path) -> list[str]:
    return sorted(path.name for path in folder_of("x").parent.iterdir() if not path.name.endswith(".lock"))


def test_a_folder_is_built_once(home: Path) -> None:
    built = []
    for _ in range(2):
        folder = cached("model", lambda folder: (write(folder), built.append(folder))[0])
    assert folder == folder_of("model")
    assert folder.is_relative_to(cache_folder())
    assert [path.name for path in folder.iterdir()] == ["weights"]
    assert len(built) == 1
    assert contents(home) == ["model"]


def test_a_failure_leaves_nothing_and_the_next_try_builds(home: Path) -> None:
    def fail(folder: Path) -> None:
        write(folder)
        raise ModelError("broken download")

    with pytest.raises(ModelError, match="broken download"):
        cached("model", fail)
    assert contents(home) == []
    assert (cached("model", write) / "weights").is_file()


def test_what_a_killed_process_left_is_removed(home: Path) -> None:
    left = folder_of("x").parent / ".model.draft" / "half"
    left.mkdir(parents=True)
    cached("model", write)
    assert contents(home) == ["model"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's disk that is always full")
def test_a_full_disk_is_named() -> None:
    with pytest.raises(ModelError, match="is full: free a gigabyte, or set SITETWIN_CACHE"):
        cached("model", lambda _: Path("/dev/full").write_bytes(b"weights") and None)


def test_a_cache_that_cannot_be_written_is_named(home: Path) -> None:
    home.write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(ModelError, match=r"can't be written .*: set SITETWIN_CACHE"):
        cached("model", write)


def test_the_second_of_two_waits_and_builds_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    building, go_on = threading.Event(), threading.Event()
    builds: list[Path] = []

    def build(folder: Path) -> None:
        builds.append(folder)
        building.set()
        assert go_on.wait(10)
        write(folder)

    first = threading.Thread(target=cached, args=("model", build))
    first.start()
    assert building.wait(10)
    second = threading.Thread(target=cached, args=("model", build))
    second.start()
    go_on.set()
    for thread in (first, second):
        thread.join(10)
    assert len(builds) == 1
    assert (folder_of("model") / "weights").is_file()
    assert capsys.readouterr().out == ""
