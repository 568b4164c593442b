import os
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from pipeline.errors import ServiceError
from pipeline.processes import supervisor as module
from pipeline.processes.endpoint import RunFiles
from pipeline.processes.supervisor import Child, Member, ProcessRow, Shared, Supervisor
from tests.pipeline.processes.owners import MakeService, wait_gone

WAITS = "import threading; threading.Event().wait()"


class Watcher:
    """Remembers the states of each row and lets a test wait for one."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self._changed = threading.Condition()

    def __call__(self, row: ProcessRow) -> None:
        with self._changed:
            self.seen.append((row.name, row.state))
            self._changed.notify_all()

    def wait_for(self, name: str, state: str, times: int = 1) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.seen.count((name, state)) >= times, timeout=60), self.seen


def child(tmp_path: Path, code: str = WAITS, name: str = "child") -> Child:
    return Child(name, [sys.executable, "-c", code], tmp_path / f"{name}.log")


def pid_of(member: Child) -> int:
    assert member._process is not None
    return member._process.pid


@pytest.fixture(autouse=True)
def quick_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_SECONDS", 0.01)


def test_a_dead_child_is_started_again(tmp_path: Path) -> None:
    member, watcher = child(tmp_path), Watcher()
    supervisor = Supervisor([member], {}, watcher)
    supervisor.start()
    watcher.wait_for("child", "ready")
    first = pid_of(member)
    os.kill(first, signal.SIGKILL)
    watcher.wait_for("child", "ready", times=2)
    second = pid_of(member)
    supervisor.stop()
    assert first != second
    assert not psutil.pid_exists(second)


def test_one_that_keeps_dying_is_given_up_with_its_reason(tmp_path: Path) -> None:
    member = Child(
        "child", [sys.executable, "-c", "import sys; sys.exit('no port')"], tmp_path / "log", answers=lambda: False
    )
    watcher = Watcher()
    supervisor = Supervisor([member], {}, watcher)
    supervisor.start()
    watcher.wait_for("child", "failed")
    assert "no port" in member.row.text
    assert watcher.seen.count(("child", "restarting")) == module.RESTARTS
    supervisor.stop()


def test_who_needs_another_waits_for_it(tmp_path: Path) -> None:
    gate = threading.Event()
    first = Child("first", [sys.executable, "-c", WAITS], tmp_path / "1", answers=gate.is_set)
    second, watcher = child(tmp_path, name="second"), Watcher()
    supervisor = Supervisor([second, first], {"second": ["first"]}, watcher)
    supervisor.start()
    watcher.wait_for("first", "starting")
    assert ("second", "starting") not in watcher.seen
    gate.set()
    watcher.wait_for("second", "ready")
    supervisor.stop()


@pytest.mark.parametrize("ends", ["ready", "failed", "late"])
def test_who_begins_later_waits_but_needs_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: str) -> None:
    monkeypatch.setattr(module, "AFTER_SECONDS", 0.2 if ends == "late" else 60)
    gate = threading.Event()
    code = "import sys; sys.exit('no port')" if ends == "failed" else WAITS
    first = Child("first", [sys.executable, "-c", code], tmp_path / "1", answers=gate.is_set)
    second, watcher = child(tmp_path, name="second"), Watcher()
    supervisor = Supervisor([second, first], {}, watcher, {"second": ["first"]})
    supervisor.start()
    watcher.wait_for("first", "starting")
    if ends == "ready":
        assert ("second", "starting") not in watcher.seen
        gate.set()
    watcher.wait_for("second", "ready")
    assert (("first", ends) in watcher.seen) is (ends != "late")
    supervisor.stop()


def test_stopping_in_the_middle_of_a_start(tmp_path: Path) -> None:
    member = Child("child", [sys.executable, "-c", WAITS], tmp_path / "log", answers=lambda: False, start_seconds=600)
    watcher = Watcher()
    supervisor = Supervisor([member], {}, watcher)
    supervisor.start()
    watcher.wait_for("child", "starting")
    supervisor.stop()
    assert member.trouble() == "died"


def test_a_childs_own_children_end_with_it(tmp_path: Path) -> None:
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {WAITS!r}]).wait()"
    members: list[Member] = [parent := child(tmp_path, code)]
    supervisor = Supervisor(members, {}, watcher := Watcher())
    supervisor.start()
    watcher.wait_for("child", "ready")
    grandchildren = []
    while not grandchildren:
        grandchildren = psutil.Process(pid_of(parent)).children()
    supervisor.stop()
    wait_gone(grandchildren[0].pid)


def test_a_shared_owner_that_ran_before_is_left_running(owned: MakeService) -> None:
    endpoint = owned().ensure()
    supervisor = Supervisor([Shared(owned())], {}, watcher := Watcher())
    supervisor.start()
    watcher.wait_for("thing", "ready")
    supervisor.stop()
    assert owned().find() == endpoint


def test_a_shared_owner_that_was_started_here_is_stopped(owned: MakeService) -> None:
    supervisor = Supervisor([Shared(owned())], {}, watcher := Watcher())
    supervisor.start()
    watcher.wait_for("thing", "ready")
    assert owned().find() is not None
    supervisor.stop()
    assert owned().find() is None


def test_what_a_start_waits_for_is_shown(owned: MakeService) -> None:
    shown: list[tuple[str, str]] = []
    ready = threading.Event()

    def show(row: ProcessRow) -> None:
        shown.append((row.state, row.text))
        if row.state == "ready":
            ready.set()

    supervisor = Supervisor([Shared(replace(owned(), waiting="loading gemma"))], {}, show)
    supervisor.start()
    assert ready.wait(60)
    supervisor.stop()
    assert shown[:2] == [("starting", "loading gemma"), ("ready", "")]


def test_what_a_killed_supervisor_left_is_ended(tmp_path: Path) -> None:
    def make() -> Child:
        return Child("child", [sys.executable, "-c", WAITS], tmp_path / "log", run_directory=tmp_path)

    left = make()
    left.start()
    make().end_orphan()
    wait_gone(pid_of(left))
    assert left.trouble() == "died"
    make().end_orphan()


def test_a_stranger_with_the_same_process_id_is_left_alone(tmp_path: Path) -> None:
    member, stranger = child(tmp_path), child(tmp_path, name="stranger")
    stranger.start()
    files = RunFiles(tmp_path, "child.child")
    endpoint = files.publish(0, pid=pid_of(stranger))
    files.endpoint_path.write_text(endpoint.model_copy(update={"created": endpoint.created - 60}).model_dump_json())
    Child("child", [], tmp_path / "log", run_directory=tmp_path).end_orphan()
    assert stranger.trouble() == ""
    stranger.stop()
    member.stop()


def test_a_child_that_cannot_start_now_is_not_started(tmp_path: Path) -> None:
    def port_is_taken() -> None:
        raise ServiceError("port 7860 can't be used")

    member = Child("child", [sys.executable, "-c", WAITS], tmp_path / "log", check=port_is_taken)

    with pytest.raises(ServiceError, match="port 7860 can't be used"):
        member.start()
    assert not (tmp_path / "log").exists()


def test_a_child_whose_start_fails_is_ended(tmp_path: Path) -> None:
    def refuse() -> bool:
        raise ServiceError("its flows are refused: mend them")

    member = Child("child", [sys.executable, "-c", WAITS], tmp_path / "log", answers=refuse)
    with pytest.raises(ServiceError, match="mend them"):
        member.start()
    assert not psutil.pid_exists(pid_of(member))
