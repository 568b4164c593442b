import dataclasses
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from pipeline.errors import ServiceError
from pipeline.processes.endpoint import Endpoint, is_held
from pipeline.processes.owner import Idleness, Owner
from tests.pipeline.processes.owners import MakeService, wait_gone


def test_started_once_and_found_by_all(owned: MakeService) -> None:
    first = owned().ensure()
    assert owned().ensure() == first
    assert owned().find() == first


def test_many_at_once_start_one(owned: MakeService) -> None:
    with ThreadPoolExecutor(8) as pool:
        endpoints = set(pool.map(lambda _: owned().ensure().pid, range(8)))
    assert len(endpoints) == 1


def test_a_killed_owner_is_noticed_and_started_again(owned: MakeService) -> None:
    first = owned().ensure()
    os.kill(first.pid, signal.SIGKILL)
    wait_gone(first.pid)
    assert owned().find() is None
    assert owned().ensure().pid != first.pid


def test_nobody_uses_it_so_it_ends(owned: MakeService) -> None:
    endpoint = owned(idle_minutes=0.005).ensure()
    wait_gone(endpoint.pid)
    assert owned().find() is None
    assert "idle for 0.005 minutes" in owned().log.read_text()


def test_a_use_starts_the_idle_clock_again(owned: MakeService) -> None:
    service = owned()
    service.ensure()
    before = service.files.last_use()
    service.ensure()
    assert service.files.last_use() != before


def test_idle_time_is_counted_in_pauses() -> None:
    idle = Idleness(20)
    assert idle.pause == 5
    uses = [1, 1, 1, 1, 2, 2, 2, 2, 2]
    assert [idle.is_over(use) for use in uses] == [False] * 8 + [True]


def test_a_clock_that_jumps_ends_no_owner(owned: MakeService) -> None:
    """As after twenty minutes of sleep: the last use looks long ago."""
    service = owned(idle_minutes=0.02)
    endpoint = service.ensure()
    os.utime(service.files.used_path, (0, 0))
    began = time.monotonic()
    wait_gone(endpoint.pid)
    assert time.monotonic() - began > 0.8 * 60 * 0.02


def test_the_lock_decides_where_the_clock_was_set_anew(owned: MakeService) -> None:
    """A process's start is told by the system's clock, on a Mac and on Linux."""
    service = owned()
    endpoint = service.ensure()
    moved = endpoint.model_copy(update={"created": endpoint.created + 7200})
    service.files.endpoint_path.write_text(moved.model_dump_json())
    assert service.find() == moved
    assert service.ensure() == moved
    os.kill(endpoint.pid, signal.SIGKILL)
    wait_gone(endpoint.pid)
    assert service.find() is None


def test_many_may_ask_for_a_lock_at_once(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    assert not is_held(tmp_path / "lock")
    with lock:
        assert is_held(tmp_path / "lock")
    with ThreadPoolExecutor(8) as pool:
        assert not any(pool.map(lambda _: is_held(tmp_path / "lock"), range(500)))


def test_what_a_dead_owner_left_is_not_taken_for_the_next_one(owned: MakeService) -> None:
    """Between its lock and its first answer, a new owner must not be found under the old one's process id."""
    service = owned()
    service.files.endpoint_path.write_text(
        Endpoint(pid=os.getpid(), created=0, port=1, details={"mood": "good"}).model_dump_json()
    )
    assert service.find() is None
    Owner(tmp := service.state / "run", "thing", 5)
    assert not (tmp / "thing.json").exists()


def test_other_settings_replace_the_owner(owned: MakeService) -> None:
    old = owned(mood="good").ensure()
    new = owned(mood="better").ensure()
    assert new.details == {"mood": "better"}
    assert owned().find() == new
    wait_gone(old.pid, seconds=0)


def test_there_is_never_a_second_owner(owned: MakeService) -> None:
    service = owned()
    first = service.ensure()
    service.files.endpoint_path.unlink()
    try:
        with pytest.raises(ServiceError, match="another thing process owns"):
            service.ensure()
    finally:
        psutil.Process(first.pid).terminate()  # `stop` looks for its file, which is gone
        wait_gone(first.pid)


def test_a_start_that_takes_long_is_said(
    owned: MakeService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pipeline.processes.service.SAY_SECONDS", 0)
    replace(owned(), waiting="loading gemma").ensure()
    assert capsys.readouterr().err == "loading gemma …\n"
    owned().ensure()
    assert capsys.readouterr().err == ""


def test_a_failed_start_says_the_last_words_and_the_log(owned: MakeService) -> None:
    with pytest.raises(ServiceError) as error:
        owned(script="import sys; sys.exit('the disk is made of cheese')").ensure()
    assert "the disk is made of cheese" in str(error.value)
    assert "thing.log" in str(error.value)


def test_a_start_can_be_taken_back(owned: MakeService) -> None:
    abandon = threading.Event()
    abandon.set()
    before = set(psutil.Process().children())
    with pytest.raises(ServiceError, match="abandoned"):
        owned(script="import threading; threading.Event().wait()").ensure(abandon)
    assert set(psutil.Process().children()) <= before


def test_one_that_does_not_answer_is_ended_with_what_it_started(owned: MakeService) -> None:
    script = "import subprocess, sys; subprocess.Popen(['sleep', '600']).wait()"
    service = dataclasses.replace(owned(script=script), start_seconds=1)
    before = set(psutil.Process().children(recursive=True))
    with pytest.raises(ServiceError, match="did not answer within 1 s"):
        service.ensure()
    assert set(psutil.Process().children(recursive=True)) <= before


def test_an_empty_endpoint_file_means_no_owner(owned: MakeService) -> None:
    owned().files.endpoint_path.write_text("")
    assert owned().find() is None


def test_a_process_id_used_again_is_not_the_owner(owned: MakeService) -> None:
    service = owned()
    endpoint = service.ensure()
    stranger = endpoint.model_copy(update={"pid": os.getpid()})
    service.stop(stranger)
    assert service.find() == endpoint


STUCK = """
import json, os, sys
from http.server import HTTPServer, BaseHTTPRequestHandler
from dataclasses import replace
from pathlib import Path
from pipeline.processes.owner import Owner

state = Path(sys.argv[1])
owner = Owner(state / "run", "thing", 5)

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        is_stuck = (state / "stuck").read_text() == str(os.getpid())
        body = json.dumps({"reason": "nothing has moved for 130 s"} if is_stuck else {}).encode()
        self.send_response(503 if is_stuck else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

server = HTTPServer(("127.0.0.1", 0), Handler)
owner.publish_when(lambda: True, server.server_port, mood=sys.argv[3])
server.serve_forever()
"""


def test_an_owner_that_says_it_is_stuck_is_started_anew_by_whoever_uses_it(owned: MakeService) -> None:
    (owned.state / "stuck").write_text("nobody")
    service = dataclasses.replace(owned(script=STUCK), health="/health")
    first = service.ensure()
    assert service.ensure() == first
    (owned.state / "stuck").write_text(str(first.pid))
    assert service.ensure().pid != first.pid
    wait_gone(first.pid)
