"""Golden questions that are asked at each evaluation decide which weights are best, and when a run ends."""

import mlx.core as mx
import pytest

from pipeline.adapters import find_adapter
from pipeline.errors import SettingsError
from pipeline.training.loop import TrainingStoppedError
from pipeline.training.registry import run_folder
from pipeline.training.run import resume, start
from tests.pipeline.training.test_run import Listener

ASKED = [{"role": "user", "content": "What is 7?"}]


class Exam:
    """Gives marks in turn, and hears what the model answers each time."""

    def __init__(self, *marks):
        self.marks = list(marks)
        self.answers = []

    def __call__(self, model, stop):
        if stop():
            raise TrainingStoppedError
        self.answers.append("".join(model.generate(ASKED, max_tokens=8, temperature=0.0)))
        return self.marks.pop(0)


def test_the_checkpoint_that_answers_most_is_kept(site, small):
    screen = Listener()
    exam = Exam(0.0, 0.75, 0.5)
    run = start(site, screen, values={**small, "golden_questions": 4}, exam=exam)
    assert [point.answered for point in run.curves.valid] == [0.0, 0.75, 0.5]
    assert run.curves.valid[2].loss < run.curves.valid[1].loss
    assert run.curves.best.iteration == 6
    assert len(set(exam.answers)) > 1, "the model that answers is the one that is trained"
    half = start(site, Listener(), values={**small, "iters": 6})
    ours, theirs = (mx.load(str(find_adapter(site, one.name).content)) for one in (run, half))
    assert all(mx.array_equal(ours[name], theirs[name]) for name in ours)
    report = (run_folder(site, run.name) / "report.html").read_text(encoding="utf-8")
    assert "golden questions right" in report
    assert "75 %" in report


def test_equal_answers_leave_the_loss_to_decide(site, small):
    run = start(site, Listener(), values={**small, "golden_questions": 4}, exam=Exam(0.5, 0.5, 0.5))
    assert run.curves.best.iteration == 12


def test_a_run_ends_when_its_answers_get_no_better(site, small):
    values = {**small, "golden_questions": 4, "patience": 1}
    run = start(site, Listener(), values={**values, "iters": 60}, exam=Exam(0.0, 0.75, 0.5, 0.0, 0.0))
    assert run.iteration == 12


@pytest.mark.parametrize("stops", [3, 6, 9])
def test_it_goes_on_where_it_was_stopped(site, small, stops):
    values = {**small, "golden_questions": 4}
    whole = start(site, Listener(), values=values, exam=Exam(0.0, 0.75, 0.5))
    screen, exam = Listener(), Exam(0.0, 0.75, 0.5)
    cut = start(site, screen, values=values, exam=exam, stop=lambda: len(screen.losses) >= stops)
    assert cut.state == "stopped"
    run = resume(site, Listener(), exam=exam)
    assert [point.answered for point in run.curves.valid] == [0.0, 0.75, 0.5]
    ours, theirs = (mx.load(str(find_adapter(site, one.name).content)) for one in (run, whole))
    assert all(mx.array_equal(ours[name], theirs[name]) for name in ours)


def test_nobody_to_ask_is_an_error(site, small):
    with pytest.raises(SettingsError, match="golden_questions are asked in a single run"):
        start(site, Listener(), values={**small, "golden_questions": 4})
