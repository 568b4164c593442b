import math
import os
import subprocess
import sys

import psutil
import pytest

from pipeline.errors import SitetwinError
from pipeline.evaluation.comparing import Comparison
from pipeline.jobs.retraining.job import job_file, lock_file, read_job


def test_it_is_read_as_it_was_written(site, tracker):
    assert read_job(site) is None
    mine = tracker(preset="overfit")
    mine.begin("training", "iterations", total=100, done=40)
    mine.job.run = "overfit-1"
    mine.advance(50, loss=2.5)
    mine.write()
    job = read_job(site)
    assert job == mine.job
    assert (job.state, job.is_alive(lock_file(site))) == ("running", True)
    assert job.summary.startswith(
        "retraining 1: step 2 of 3, training of overfit-1, 50 of 100 iterations, loss 2.500, about"
    )
    assert [file.name for file in site.state.iterdir()] == ["retrain.json"]


def test_time_left_is_told_by_this_process_pace(tracker):
    mine = tracker()
    mine.begin("training", "iterations", total=100, done=90)
    assert mine.job.seconds_left is None
    mine.advance(95)
    after_five = mine.job.seconds_left
    assert 0 < after_five < 1
    mine.advance(100)
    assert mine.job.seconds_left == 0


def test_the_file_is_not_written_at_each_step(site, tracker):
    mine = tracker()
    mine.begin("training", "iterations", total=1000)
    for done in range(100):
        mine.advance(done)
    assert read_job(site).done < 99
    mine.end("done", "it is over", "kept")
    job = read_job(site)
    assert (job.done, job.state, job.outcome, job.summary) == (99, "done", "kept", "retraining 1: done; it is over")
    assert job.ended_at is not None


def test_a_job_whose_process_is_gone_has_died(site, tracker):
    mine = tracker()
    mine.begin("training")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    mine.job.pid, mine.job.process_started = ended.pid, psutil.Process(ended.pid).create_time()
    ended.wait()
    mine.write()
    job = read_job(site)
    assert job.state == "died"
    assert "`sitetwin retrain` goes on" in job.summary
    # The same number, another process.
    mine.job.pid, mine.job.process_started = os.getpid(), 12345.0
    mine.write()
    assert read_job(site).state == "died"


def test_a_broken_record_is_named(site):
    site.state.mkdir()
    job_file(site).write_text("{", encoding="utf-8")
    with pytest.raises(SitetwinError, match=r"retrain\.json can't be read"):
        read_job(site)
    job_file(site).unlink()


def test_figures_that_are_no_numbers_are_read_as_they_were_written(site, tracker):
    mine = tracker()
    mine.begin("training", "iterations", total=100)
    mine.job.loss, mine.job.seconds_left = math.nan, math.inf
    figures = dict.fromkeys(("new_mean", "old_mean", "difference", "low", "high"), -math.inf)
    mine.job.comparisons = [
        Comparison(
            new="a", old=None, mode="lora", questions=0, is_not_worse=False, text="", **{**figures, "low": math.nan}
        )
    ]
    mine.write()
    read = read_job(site)
    assert (repr(read.loss), read.seconds_left) == ("nan", math.inf)
    assert repr(read.comparisons) == repr(mine.job.comparisons)
