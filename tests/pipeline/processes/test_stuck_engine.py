"""A real engine that gets stuck under the supervisor: its /health says so, and the supervisor starts another one."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from pipeline.adapters import CONFIG, WEIGHTS, AdapterCard, write_card
from pipeline.processes import engine
from pipeline.processes import supervisor as module
from pipeline.processes.endpoint import Endpoint
from pipeline.processes.supervisor import ProcessRow, Shared, Supervisor
from pipeline.settings import EngineSettings, ModelSettings, Settings
from tests.pipeline.processes.owners import wait_gone
from tests.scripted_model import make_scripted_model

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """A site with a tiny model whose engine counts as stuck after three seconds."""
    make_scripted_model(tmp_path / "model", "qwen2", ["The key ", "is under the mat."])
    chat, slow = ModelSettings(chat=str(tmp_path / "model")), EngineSettings(timeout_seconds=3, threads=1)
    settings = Settings(root=tmp_path, models=chat, engine=slow)
    yield settings
    service = engine.service(settings)
    if endpoint := service.find():
        service.stop(endpoint)


def block(settings: Settings) -> Path:
    """An adapter whose base the engine compares with a pipe in its model's folder: it waits for a writer for ever."""
    folder = settings.state / "adapters" / "endless"
    folder.mkdir(parents=True)
    write_card(folder, AdapterCard(base="", base_hash="another", visibility="public"))
    for name in (CONFIG, WEIGHTS):
        (folder / name).write_bytes(b"")
    pipe = Path(settings.models.chat, "model-endless.safetensors")
    os.mkfifo(pipe)
    return pipe


def ask(endpoint: Endpoint, **how: str) -> str:
    body = {"messages": [{"role": "user", "content": "Where is the key?"}], "temperature": 0, **how}
    headers = {"Authorization": f"Bearer {endpoint.token}"}
    answer = httpx.post(f"{endpoint.url}/v1/chat/completions", json=body, headers=headers, timeout=60, trust_env=False)
    return str(answer.json()["choices"][0]["message"]["content"])


def test_the_supervisor_starts_a_stuck_engine_anew(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_SECONDS", 0.01)
    seen: list[tuple[str, str]] = []
    changed = threading.Condition()

    def show(row: ProcessRow) -> None:
        if row.state == "restarting":
            pipe.unlink()  # or the next engine could not load its model
        with changed:
            seen.append((row.state, row.text))
            changed.notify_all()

    def wait_for_ready(times: int) -> Endpoint:
        with changed:
            assert changed.wait_for(lambda: [state for state, _ in seen].count("ready") == times, timeout=90), seen
        endpoint = engine.service(settings).find()
        assert endpoint is not None
        return endpoint

    supervisor = Supervisor([Shared(engine.service(settings))], {}, show)
    supervisor.start()
    try:
        first = wait_for_ready(1)
        assert ask(first) == "The key is under the mat."
        pipe = block(settings)
        with ThreadPoolExecutor(1) as pool:
            stuck = pool.submit(ask, first, adapters="endless")
            second = wait_for_ready(2)
            assert isinstance(stuck.exception(timeout=60), httpx.TransportError)
        wait_gone(first.pid)
        assert second.pid != first.pid
        assert psutil.pid_exists(second.pid)
        assert ask(second) == "The key is under the mat."
    finally:
        supervisor.stop()
    reasons = [text for state, text in seen if state == "restarting"]
    assert len(reasons) == 1
    assert reasons[0].startswith("nothing has moved for ")
