import json
import os
import signal
import subprocess
import sys
import threading

import pytest
from openai import OpenAI

from pipeline.adapters import answering_adapter, find_adapter, promoted
from pipeline.dataset.versions import read_card, version_folder
from pipeline.engine.promoting import promote
from pipeline.errors import ModelError, SitetwinError
from pipeline.processes import engine
from pipeline.settings import Settings, load_settings
from pipeline.training import managed, registry
from tests.openai_server import BASE, KEY, OpenAIState, openai_server


@pytest.fixture
def service():
    with openai_server() as found:
        yield found


@pytest.fixture
def site(tmp_path, base, service) -> Settings:
    from tests.pipeline.training.conftest import make_site

    settings = make_site(tmp_path, base)
    with settings.file.open("a", encoding="utf-8") as file:
        file.write(f'[openai]\nurl = "{service[0]}"\napi_key = "{KEY}"\nmodel = "{BASE}"\nprice = 5\n[site]\nname = "Ada\'s notes"\n')  # fmt: skip
    return load_settings(settings.file)


def yes(cost: str) -> bool:
    return True


def start(site, **how):
    said: list[str] = []
    run = managed.start(site, said.append, how.pop("confirm", yes), wait=lambda seconds: None, **how)
    return run, said


def test_a_job_is_followed_and_its_model_answers(site, service):
    state: OpenAIState = service[1]
    run, said = start(site, values={"epochs": 2})
    assert (run.name, run.state, run.rows, run.config.epochs) == ("openai-1", "done", {"train": 15, "valid": 5}, 2)
    assert run.remote.fine_tuned_model == "ft:gpt-4.1-mini-2025-04-14:org:Adasnotes:ftjob-1"
    assert (run.remote.status, run.remote.trained_tokens) == ("succeeded", 3000)
    assert registry.find(site, "openai-1") == run
    job = state.jobs["ftjob-1"]
    assert job["method"] == {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}}
    uploaded = [json.loads(line) for line in state.contents[job["training_file"]].splitlines()]
    assert uploaded == [
        json.loads(line) for line in (version_folder(site) / "train.jsonl").read_text("utf-8").splitlines()
    ]
    assert state.files[job["validation_file"]]["purpose"] == "fine-tune"
    assert [text for text in said if text.startswith("The job is")] == [
        "The job is queued", "The job is running", "The job is succeeded"
    ]  # fmt: skip

    assert promote(site, "openai-1").remote.model == run.remote.fine_tuned_model
    assert promoted(site) == answering_adapter(site, None, "public") == find_adapter(site, "openai-1")
    client = engine.connect(site, "openai-1")
    assert "".join(client.generate([{"role": "user", "content": "Who?"}], max_tokens=9)) == f"I am {client.model}."
    assert state.chats[0]["model"] == run.remote.fine_tuned_model


def test_the_official_client_reads_the_test_server(site, service):
    """So this server speaks the API that the service documents."""
    run, _ = start(site)
    client = OpenAI(base_url=service[0], api_key=KEY)
    job = client.fine_tuning.jobs.retrieve(run.remote.job)
    assert (job.status, job.fine_tuned_model) == ("succeeded", run.remote.fine_tuned_model)
    assert job.method.supervised.hyperparameters.n_epochs == 3
    assert client.fine_tuning.jobs.list_events(run.remote.job).data[0].id == run.remote.last_event
    assert client.files.list(purpose="fine-tune").data[-1].id == run.remote.training_file


def test_the_cost_is_said_before_anything_is_sent(site, service):
    costs = []
    with pytest.raises(SitetwinError, match="nothing was sent"):
        start(site, confirm=costs.append)
    text = (version_folder(site) / "train.jsonl").read_text("utf-8")
    tokens = 3 * (sum(len(said["content"]) for line in text.splitlines() for said in json.loads(line)["messages"]) // 3)
    assert costs == [
        f"15 rows, 3 epochs, at most about {tokens:,} training tokens of {BASE} at {service[0]}: "
        f"at most about ${tokens * 5 / 1e6:.2f} at $5 a million"
    ]
    assert not service[1].asked
    assert registry.runs(site) == []


def test_private_rows_stay_here_unless_said(site, service):
    folder = version_folder(site)
    card = read_card(folder).model_copy(update={"visibility": "private"})
    (folder / "card.json").write_text(card.model_dump_json(), encoding="utf-8")
    with pytest.raises(SitetwinError, match="a public adapter may never see one"):
        start(site)
    with pytest.raises(SitetwinError, match=r"would leave this machine: .* --send-private"):
        start(site, visibility="private")
    assert not service[1].asked
    run, _ = start(site, visibility="private", may_send_private=True)
    assert find_adapter(site, run.name).visibility == "private"
    with pytest.raises(ModelError, match="visitors are answered by public ones alone"):
        answering_adapter(site, run.name, "public")


def test_what_the_service_would_refuse_is_not_sent(site, service):
    file = version_folder(site) / "train.jsonl"
    lines = file.read_text("utf-8").splitlines(keepends=True)
    file.write_text("".join(lines[:9]), "utf-8")
    with pytest.raises(SitetwinError, match="at least 10 rows to train on, there are 9"):
        start(site)
    with pytest.raises(SitetwinError, match="OpenAI decides learning_rate itself: --set takes epochs and seed"):
        start(site, values={"learning_rate": 1e-4})
    assert not service[1].asked


def test_a_refusal_can_be_mended_and_gone_on_with(site, service):
    site.openai.api_key = "wrong"
    with pytest.raises(
        SitetwinError, match=r"refuses the key .* set SITETWIN_OPENAI__API_KEY; `sitetwin train --resume"
    ):
        start(site)
    site.openai.api_key = KEY
    run = registry.resumable(site)
    assert run.state == "stopped"
    assert managed.resume(site, lambda text: None, run, wait=lambda seconds: None).state == "done"


def test_a_job_that_fails_says_why(site, service):
    service[1].fails = True
    with pytest.raises(SitetwinError, match=r"could not train it .The job failed to validate.: mend the rows"):
        start(site)
    assert registry.runs(site)[0].state == "failed"
    assert not (site.state / "adapters" / "openai-1").exists()


def test_it_is_left_followed_again_and_cancelled(site, service):
    run, _ = start(site, stop=lambda: True)
    assert (run.state, run.remote.status) == ("stopped", "validating_files")
    looks = iter([False, True])
    run = managed.resume(site, lambda text: None, registry.resumable(site), lambda: next(looks), lambda seconds: None)
    assert (run.state, run.remote.status) == ("stopped", "running")
    assert managed.cancel(site, "openai-1").state == "cancelled"
    assert service[1].jobs["ftjob-1"]["status"] == "cancelled"
    assert registry.find(site, "openai-1").state == "cancelled"
    with pytest.raises(SitetwinError, match="has no job under way"):
        managed.cancel(site, "openai-1")


def test_a_key_goes_to_no_other_server(site, service):
    run, _ = start(site)
    site.openai.url = "http://127.0.0.1:9/v1"
    with pytest.raises(ModelError, match=r"openai.url is http://127.0.0.1:9/v1: set it back"):
        engine.connect(site, run.name)
    with pytest.raises(SitetwinError, match=r"set openai.url back"):
        managed.resume(site, print, run)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/files"), ("POST", "/fine_tuning/jobs"), ("GET", "/fine_tuning/jobs/ftjob-1")],
    ids=["uploading", "creating", "following"],
)
def test_killed_and_taken_up_again(site, service, method, path):
    """The service has done what was asked, and the process dies before it hears so."""
    state: OpenAIState = service[1]
    has_come, goes_on = threading.Event(), threading.Event()

    def hold(asked: str, where: str) -> None:
        if (asked, where) == (method, path):
            has_come.set()
            goes_on.wait(60)

    state.before_answer = hold
    command = [sys.executable, "-m", "pipeline", "--config", str(site.file), "train", "--on", "openai", "--yes"]
    process = subprocess.Popen(command, env=os.environ, stderr=subprocess.PIPE, text=True)
    try:
        assert has_come.wait(60), process.communicate(timeout=5)[1]
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
    finally:
        process.kill()
        goes_on.set()
    state.before_answer = lambda method, path: None
    run = registry.resumable(site)
    assert run.state == "killed"
    run = managed.resume(site, lambda text: None, run, wait=lambda seconds: None)
    assert (run.state, len(state.jobs)) == ("done", 1)
    assert sorted(file["filename"].rpartition("-")[2] for file in state.files.values()) == [
        "training.jsonl", "validation.jsonl"
    ]  # fmt: skip
    assert find_adapter(site, run.name).remote.model == state.jobs["ftjob-1"]["fine_tuned_model"]
