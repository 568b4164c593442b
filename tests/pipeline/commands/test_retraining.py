import json
import subprocess
import sys

import psutil
from click.testing import CliRunner, Result

from pipeline.commands.main import main
from pipeline.jobs.retraining.job import read_job
from tests.pipeline.jobs.retraining.conftest import base, site, tracker  # noqa: F401


def sitetwin(site, *arguments: str, status: int = 0) -> Result:
    done = CliRunner().invoke(main, ["--config", str(site.file), *arguments])
    assert done.exit_code == status, done.output
    return done


def test_before_the_first_the_next_step_is_named(site):
    assert "`sitetwin retrain` starts one" in sitetwin(site, "retrain", "status", status=1).stderr
    assert "no retraining is under way" in sitetwin(site, "retrain", "cancel", status=1).stderr
    assert json.loads(sitetwin(site, "status", "--json").stdout)["retraining"] is None


def test_the_state_is_shown_wherever_one_looks(site, tracker):
    mine = tracker()
    mine.begin("training", "iterations", total=100, done=40)
    line = "retraining 1: step 2 of 3, training, 40 of 100 iterations"
    assert line in sitetwin(site, "retrain", "status").stdout
    assert line in sitetwin(site, "status").stdout
    assert json.loads(sitetwin(site, "retrain", "status", "--json").stdout)["done"] == 40
    second = sitetwin(site, "retrain", status=1).stderr
    assert line in second
    assert "one at a time" in second
    mine.end("failed", "no public documents")
    found = json.loads(CliRunner().invoke(main, ["--config", str(site.file), "doctor", "--json"]).stdout)["findings"]
    assert {"name": "retraining", "state": "note", "text": "no public documents", "mend": "sitetwin retrain"} in found


def test_waiting_ends_with_the_job(site, tracker):
    mine = tracker()
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    mine.job.pid, mine.job.process_started = process.pid, psutil.Process(process.pid).create_time()
    mine.begin("comparison", "answers", total=20)
    watching = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "--config", str(site.file), "retrain", "status", "--wait"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert read_job(site).state == "running"
    process.communicate(b"\n")
    told, _ = watching.communicate(timeout=60)
    assert "retraining 1: died; its process ended in the step comparison" in told
    assert watching.returncode == 0


def test_wrong_use_is_named(site):
    assert "did you mean 'batch_size'" in sitetwin(site, "retrain", "--set", "batchsize=1", status=1).stderr
    assert "write KEY=VALUE" in sitetwin(site, "retrain", "--set", "batch_size", status=1).stderr
    sitetwin(site, "retrain", "--preset", "better", status=2)
    assert "write the options of status after status" in sitetwin(site, "retrain", "--json", "status", status=2).stderr
    assert read_job(site) is None
