import unicodedata
from pathlib import Path

import pytest
from watchdog.events import DirCreatedEvent, FileModifiedEvent, FileMovedEvent

from pipeline.index.changes import LONGEST_WAIT_SECONDS, QUIET_SECONDS, STORM_EVENTS, Burst, Changes


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def changes() -> tuple[Changes, Clock]:
    clock = Clock()
    changes = Changes(clock)
    changes.below([Path("/v")])
    return changes, clock


def test_each_file_waits_for_itself_alone() -> None:
    watched, clock = changes()
    watched.on_any_event(FileModifiedEvent("/v/saved.md"))
    while clock.now < QUIET_SECONDS:
        watched.on_any_event(FileModifiedEvent("/v/log.md"))
        assert watched.take() is None
        clock.now += QUIET_SECONDS / 4
    assert watched.take() == Burst(frozenset({Path("/v/saved.md")}))
    while clock.now < LONGEST_WAIT_SECONDS:
        watched.on_any_event(FileModifiedEvent("/v/log.md"))
        assert watched.take() is None
        clock.now += QUIET_SECONDS / 4
    assert watched.take() == Burst(frozenset({Path("/v/log.md")}))
    assert watched.take() is None


def test_folders_and_storms_have_everything_looked_at() -> None:
    watched, clock = changes()
    watched.on_any_event(DirCreatedEvent("/v/new"))
    clock.now = 1
    assert watched.take() == Burst(frozenset(), everything=True, folders=True)
    for number in range(STORM_EVENTS):
        watched.on_any_event(FileModifiedEvent(f"/v/.git/objects/{number}"))
    clock.now = 2
    assert watched.take() == Burst(frozenset(), everything=True, folders=True)
    watched.on_any_event(DirCreatedEvent("/v/.git/new"))
    watched.on_any_event(FileModifiedEvent("/v/.obsidian/workspace.json"))
    watched.on_any_event(FileModifiedEvent("/w/other.md"))
    clock.now = 3
    assert watched.take() is None


COMPOSED = unicodedata.normalize("NFC", "/Users/me/Notizen für José")
DECOMPOSED = unicodedata.normalize("NFD", COMPOSED)


@pytest.mark.parametrize(
    ("root", "told"),
    [
        ("/users/ME/notes", "/Users/me/Notes"),
        (COMPOSED, DECOMPOSED),
        (DECOMPOSED, COMPOSED),
        (DECOMPOSED.lower(), COMPOSED),
    ],
)
@pytest.mark.parametrize("is_same", [True, False])
def test_a_root_in_other_letters_is_the_same_where_the_disk_says_so(root: str, told: str, is_same: bool) -> None:
    """The events of a Mac, whose disks tell no case apart; on Linux two such folders are two."""
    asked = []

    def ask(one: str, other: str) -> bool:
        asked.append((one, other))
        return is_same

    clock = Clock()
    watched = Changes(clock, ask)
    watched.below([Path("/other"), Path(root)])
    watched.on_any_event(FileMovedEvent(f"{told}/a/Älter.md", f"{told}/a/New.md"))
    watched.on_any_event(FileModifiedEvent(f"{told}/.obsidian/workspace.md"))
    clock.now = 1
    paths = frozenset({Path(root, "a/Älter.md"), Path(root, "a/New.md")})
    assert watched.take() == (Burst(paths) if is_same else None)
    assert set(asked) == {(told, root)}


def test_two_folders_that_differ_in_case_alone_are_two_on_linux(tmp_path: Path) -> None:
    for name in ("Notes", "notes"):
        (tmp_path / name).mkdir(exist_ok=True)
    if len(list(tmp_path.iterdir())) == 1:
        pytest.skip("this disk tells no case apart")
    clock = Clock()
    watched = Changes(clock)
    watched.below([tmp_path / "notes"])
    watched.on_any_event(FileModifiedEvent(str(tmp_path / "Notes/a.md")))
    clock.now = 1
    assert watched.take() is None
