from pathlib import Path

from watchdog.events import DirCreatedEvent, FileModifiedEvent

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
