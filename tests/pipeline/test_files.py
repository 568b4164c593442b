import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pipeline import files
from tests.pipeline.killed_writer import SIZE


def test_a_file_is_written_in_the_place_of_another(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.txt"
    files.write_text(path, "one\r\nü\u2028")
    assert path.read_bytes() == "one\r\nü\u2028".encode()
    files.write_bytes(path, b"two")
    assert path.read_bytes() == b"two"
    assert _names(path.parent) == ["file.txt"]


def test_a_writer_that_fails_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write_text(path, "old")
    with pytest.raises(FileNotFoundError), files.new_file(path) as draft:
        draft.with_name("nothing").rename(draft)
    assert path.read_text() == "old"
    assert _names(tmp_path) == ["file"]


def test_permissions_are_those_asked_for_else_those_of_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    before = os.umask(0o077)
    try:
        files.write_text(path, "1", mode=0o640)
        assert path.stat().st_mode & 0o777 == 0o640
        files.write_text(path, "2")
        assert path.stat().st_mode & 0o777 == 0o640
        files.write_text(tmp_path / "other", "3")
        assert (tmp_path / "other").stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)
    with files.new_file(tmp_path / "secret", mode=0o600) as draft:
        assert draft.stat().st_mode & 0o777 == 0o600
    with files.new_folder(tmp_path / "folder", mode=0o700) as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o700


def test_a_link_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    files.write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


def test_leftovers_of_dead_writers_go_and_those_of_living_ones_stay(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as dead:
        dead.wait()
    leftover = tmp_path / f".file.{dead.pid}-{dead.pid}.draft"
    living = tmp_path / f".file.{os.getppid()}-1.draft"
    others = tmp_path / f".file.txt.{dead.pid}-1.draft"
    for draft in (leftover, living, others):
        draft.touch()
    files.write_text(tmp_path / "file", "text")
    assert _names(tmp_path) == sorted([living.name, others.name, "file"])


def test_a_folder_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    final = tmp_path / "deep" / "folder"
    with files.new_folder(final) as folder:
        (folder / "in").mkdir()
        (folder / "in" / "file").write_text("1")
        assert not final.exists()
    assert (final / "in" / "file").read_text() == "1"
    with pytest.raises(FileNotFoundError), files.new_folder(final, replace=True) as folder:
        (folder / "nothing").rename(folder / "half")
    assert _names(final) == ["in"]
    with pytest.raises(OSError, match="not empty"), files.new_folder(final) as folder:
        (folder / "other").touch()
    assert _names(final) == ["in"]
    with files.new_folder(final, replace=True) as folder:
        (folder / "other").touch()
    assert _names(final) == ["other"]
    assert _names(final.parent) == ["folder"]


def test_two_threads_that_write_one_file_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "file"

    def write(letter: str) -> None:
        for _ in range(30):
            files.write_text(path, letter * 50_000)

    threads = [threading.Thread(target=write, args=(letter,)) for letter in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_text() in ("a" * 50_000, "b" * 50_000)
    assert _names(tmp_path) == ["file"]


def test_a_process_killed_at_any_moment_leaves_old_or_new(tmp_path: Path) -> None:
    rng = random.Random(11)
    for _ in range(8):
        command = [sys.executable, "-m", "tests.pipeline.killed_writer", str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"writing\n"
            try:
                # The moment of the kill is what is drawn here; nothing is waited for.
                writer.wait(rng.uniform(0, 0.05))
            except subprocess.TimeoutExpired:
                writer.kill()
        assert set(_letters(tmp_path / "file")) == {SIZE}
        for folder in tmp_path.glob("folder-?"):
            assert _names(folder) == ["1", "2"]
            assert _letters(folder / "1") == _letters(folder / "2") == [SIZE]
    files.write_text(tmp_path / "file", "whole")
    assert not list(tmp_path.glob(".file.*"))


def _letters(file: Path) -> list[int]:
    """How often each letter stands in the file."""
    text = file.read_text()
    return [text.count(letter) for letter in sorted(set(text))]


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
