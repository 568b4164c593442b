import os
from pathlib import Path

from pipeline.settings.spelling import on_disk


def test_a_folder_bears_the_name_that_the_disk_has_for_it(tmp_path: Path) -> None:
    """A Mac opens `notes` for `Notes` and tells of changes in `Notes`; it is asked by fcntl's F_GETPATH."""
    folder = tmp_path / "notes"
    folder.mkdir()
    asked = []

    def ask(handle: int) -> bytes:
        asked.append(os.fstat(handle).st_ino)
        return f"{tmp_path}/Notes für José".encode() + bytes(20)

    assert on_disk(folder, ask) == tmp_path / "Notes für José"
    assert asked == [folder.stat().st_ino]
    assert on_disk(folder, None) == folder
    assert on_disk(tmp_path / "gone", ask) == tmp_path / "gone"
