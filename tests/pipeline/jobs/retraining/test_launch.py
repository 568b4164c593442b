"""The job as a process of its own: it outlives its starter, is alone, is cancelled, dies and is gone on with."""

import json
import os
import signal
import subprocess
import sys

import psutil
import pytest

from pipeline.adapters import promoted
from pipeline.errors import ServiceError, SettingsError, SitetwinError
from pipeline.jobs.retraining.job import RetrainingRequest, log_file, read_job
from pipeline.jobs.retraining.launch import cancel, start
from pipeline.training import registry
from tests.pipeline.processes.owners import wait_gone
from tests.retraining_site import SMALL, until

LONGER = {**SMALL, "iters": 40, "steps_per_eval": 10, "save_every": 5}
STARTER = """
import json, sys, threading
from pathlib import Path
from pipeline.jobs.retraining.job import RetrainingRequest
from pipeline.jobs.retraining.launch import start
from pipeline.settings import load_settings

job, new = start(load_settings(Path(sys.argv[1])), RetrainingRequest(values=json.loads(sys.argv[2])))
print(json.dumps([job.number, job.pid, new]), flush=True)
threading.Event().wait()
"""


def has_checkpoint(site) -> bool:
    runs = registry.runs(site)
    return bool(runs) and runs[-1].iteration >= 10


def start_elsewhere(site, values) -> subprocess.Popen:
    command = [sys.executable, "-c", STARTER, str(site.file), json.dumps(values)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)


def kill_with_all_it_started(process: subprocess.Popen) -> None:
    """As a terminal that is closed or a client that tidies up would."""
    family = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGHUP)
    os.killpg(process.pid, signal.SIGKILL)
    for child in family:
        child.kill()
    process.stdout.close()
    process.wait()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_outlives_its_starter_and_is_alone(site):
    starters = [start_elsewhere(site, SMALL) for _ in range(2)]
    told = [json.loads(starter.stdout.readline()) for starter in starters]
    assert sorted(new for *_, new in told) == [False, True]
    assert told[0][:2] == told[1][:2]
    for starter in starters:
        kill_with_all_it_started(starter)
    job, new = start(site, RetrainingRequest(values=SMALL))
    assert not new
    assert (job.number, job.pid) == (1, told[0][1])
    job = until(site, lambda job: job.state != "running")
    assert (job.state, job.outcome, job.run) == ("done", "promoted", "best-1"), job.summary
    assert promoted(site).name == "best-1"
    wait_gone(job.pid)
    assert "data set 1 written" in log_file(site).read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_cancelled_and_gone_on_with(site):
    job, new = start(site, RetrainingRequest(values=LONGER))
    assert new
    until(site, lambda job: has_checkpoint(site))
    psutil.Process(job.pid).kill()
    wait_gone(job.pid)
    died = read_job(site)
    assert died.state == "died"
    assert "`sitetwin retrain` goes on from there" in died.summary
    assert registry.find(site, "best-1").state == "killed"

    second, new = start(site, RetrainingRequest(values=LONGER))
    assert (new, second.number) == (True, 2)
    until(site, lambda job: job.step == "training" and job.unit == "iterations")
    assert cancel(site).state == "running"
    cancelled = until(site, lambda job: job.state != "running")
    assert cancelled.state == "cancelled", cancelled.summary
    assert cancelled.resumed
    assert cancelled.done > LONGER["save_every"]  # the checkpoint of iteration 10 may not have been written any more
    assert promoted(site) is None
    assert registry.find(site, "best-1").state == "stopped"
    with pytest.raises(SitetwinError, match="no retraining is under way"):
        cancel(site)

    start(site, RetrainingRequest(values=LONGER))
    done = until(site, lambda job: job.state != "running")
    assert (done.state, done.resumed, done.outcome) == ("done", True, "promoted"), done.summary
    assert [run.name for run in registry.runs(site)] == ["best-1"]


def test_what_can_not_start_says_why(site):
    with pytest.raises(SettingsError, match="did you mean 'batch_size'"):
        start(site, RetrainingRequest(values={"batchsize": 1}))
    with pytest.raises(SitetwinError, match="a full fine-tune is no adapter"):
        start(site, RetrainingRequest(values={"fine_tune_type": "full"}))
    assert read_job(site) is None
    with pytest.raises(SitetwinError, match="no retraining is under way"):
        cancel(site)
    # Another program broke the settings since they were read.
    site.file.write_text("[models\n", encoding="utf-8")
    with pytest.raises(ServiceError, match=r"did not start: .*not valid TOML"):
        start(site, RetrainingRequest())
    assert read_job(site).state == "failed"
