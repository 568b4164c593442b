"""The job's work in this process, with real training and the real engine on a tiny Llama."""

import json
import shutil
import threading

import mlx.core as mx
import pytest

from pipeline.adapters import adapters_directory, promoted
from pipeline.chat import Answer
from pipeline.engine.promoting import promote
from pipeline.jobs.evaluating.record import read
from pipeline.jobs.retraining.job import read_job
from pipeline.jobs.retraining.steps import retrain
from pipeline.site import Site
from pipeline.training import registry
from tests.retraining_site import GUIDES, SMALL

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def never() -> bool:
    return False


def done(site, tracker, **request):
    mine = tracker(**request)
    retrain(site, mine, never)
    job = read_job(site)
    assert job.state == "done", job.summary
    return job


def golden(site, answers: dict[str, str]) -> None:
    lines = [json.dumps({"question": q, "fact": a, "page": "tea"}) for q, a in answers.items()]
    (site.root / "golden.jsonl").write_text("\n".join(lines), encoding="utf-8")


def as_the_base_says(site) -> dict[str, str]:
    """Questions with the start of the base's answer in mode lora: any adapter that says other things is worse."""
    questions = [f"What is {n}?" for n in range(60)]
    answers = {}
    for question in questions:
        *_, answer = Site(site).assistant.ask(question, mode="lora", adapter="base")
        assert isinstance(answer, Answer)
        answers[question] = answer.answer
    return {question: text for question, text in answers.items() if text and text.isprintable()}


def test_first_the_base_is_compared_then_nothing_has_changed_then_one_note_has(site, tracker):
    first = done(site, tracker)
    assert (first.outcome, first.run, first.data_set) == ("promoted", "best-1", 1)
    assert first.asked > len(GUIDES)
    expected = [(mode, measure) for mode in ("lora", "hybrid") for measure in site.retrain.not_worse]
    assert [(c.mode, c.measure) for c in first.comparisons] == expected
    assert {(c.new, c.old) for c in first.comparisons} == {("best-1", None)}
    assert all(c.questions >= 5 for c in first.comparisons if c.measure == "reference")
    assert promoted(site).name == "best-1"
    run = registry.find(site, "best-1")
    assert [(score.asked, score.mode) for score in run.scores] == [("golden", "lora"), ("golden", "hybrid")]
    made = read(site, first.evaluation)
    assert list(made.systems) == ["lora:base", "lora:best-1", "hybrid:base", "hybrid:best-1"]
    assert made.systems["hybrid:best-1"].figures["accuracy"].all.value == run.scores[1].mean

    second = done(site, tracker)
    assert (second.outcome, second.asked, second.run) == ("unchanged", 0, "best-1")
    assert "retrain --force" in second.summary
    assert len(registry.runs(site)) == 1

    note = site.root / "notes" / "mac.md"
    note.write_text(note.read_text(encoding="utf-8").replace("Mac", "Macintosh"), encoding="utf-8")
    third = done(site, tracker)
    assert 0 < third.asked < first.asked / 2
    assert (third.data_set, third.run) == (2, "best-2")
    assert third.comparisons[0].old == "best-1"
    assert third.outcome in ("promoted", "kept")

    forced = done(site, tracker, force=True)
    assert (forced.run, forced.data_set, forced.asked) == ("best-3", 2, 0)
    other = done(site, tracker, preset="underfit")
    assert other.run == "underfit-1"


def test_a_worse_one_is_kept_and_not_promoted(site, tracker):
    golden(site, as_the_base_says(site))
    ruined = {**SMALL, "learning_rate": 0.5, "iters": 12}
    job = done(site, tracker, values=ruined)
    assert job.outcome == "kept"
    assert not job.comparisons[0].is_not_worse
    assert "worse (-" in job.summary
    assert f"`sitetwin promote {job.run}` promotes it all the same" in job.summary
    assert promoted(site) is None
    # Neither is it trained and asked again: nothing is different.
    again = done(site, tracker, values=ruined)
    assert (again.outcome, again.run, again.comparisons) == ("unchanged", job.run, [])
    assert len(registry.runs(site)) == 1
    # Other questions are a new chance.
    (site.root / "golden.jsonl").unlink()
    third = done(site, tracker, values=ruined)
    assert third.run == job.run
    assert third.outcome in ("promoted", "kept")
    assert len(registry.runs(site)) == 1


def test_a_cancelled_training_is_gone_on_with(site, tracker):
    mine = tracker()
    retrain(site, mine, lambda: mine.job.done >= 5 and mine.job.step == "training")
    job = read_job(site)
    assert (job.state, job.run, job.outcome) == ("cancelled", "best-1", None)
    assert "`sitetwin retrain` goes on" in job.summary
    assert registry.find(site, "best-1").state == "stopped"
    assert promoted(site) is None
    job = done(site, tracker)
    assert (job.run, job.resumed, job.outcome) == ("best-1", True, "promoted")
    # The same as without the break.
    whole = done(site, tracker, force=True)
    assert not whole.resumed
    weights = [mx.load(str(adapters_directory(site) / name / "adapters.safetensors")) for name in ("best-1", whole.run)]
    assert all(mx.array_equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_cancelled_in_another_step(site, tracker):
    for step in ("data set", "comparison"):
        mine = tracker()
        retrain(site, mine, lambda mine=mine, step=step: mine.job.step == step)
        job = read_job(site)
        assert (job.state, job.step) == ("cancelled", step)
        assert promoted(site) is None
    assert done(site, tracker).outcome == "promoted"
    assert len(registry.runs(site)) == 1


def test_a_private_one_does_not_take_the_place_of_what_visitors_hear(site, tracker):
    assert done(site, tracker).outcome == "promoted"
    site.dataset.visibility = "private"
    job = done(site, tracker)
    assert (job.run, job.outcome) == ("best-2", "kept")
    assert registry.find(site, "best-2").visibility == "private"
    assert all(comparison.is_not_worse for comparison in job.comparisons)
    assert "visitors are answered by best-1" in job.summary
    assert promoted(site).name == "best-1"


def test_whoever_promotes_meanwhile_is_not_overruled(site, tracker):
    mine = tracker()
    alone = threading.Lock()

    def meanwhile() -> bool:
        """Asked by each of the threads that wait for an answer."""
        with alone:
            if mine.job.step == "comparison" and promoted(site) is None:
                shutil.copytree(adapters_directory(site) / "best-1", adapters_directory(site) / "mine")
                promote(site, "mine")
        return False

    retrain(site, mine, meanwhile)
    assert promoted(site).name == "mine"
    assert mine.job.outcome == "kept"
    assert "another adapter was promoted meanwhile" in mine.job.summary


def test_what_fails_says_why(site, tracker):
    for note in (site.root / "notes").iterdir():
        note.unlink()
    mine = tracker()
    retrain(site, mine, never)
    job = read_job(site)
    assert job.state == "failed"
    assert "no public documents" in job.summary
    site.engine.url = "http://127.0.0.1:11434/v1"
    mine = tracker()
    retrain(site, mine, never)
    assert "can't be trained here" in read_job(site).summary
