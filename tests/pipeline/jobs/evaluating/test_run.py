import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock

from pipeline.errors import SitetwinError
from pipeline.evaluation.golden import GoldenQuestion
from pipeline.evaluation.labels import Label, Labels
from pipeline.evaluation.systems import find_system
from pipeline.jobs.evaluating import record
from pipeline.jobs.evaluating.asking import CancelledError
from pipeline.jobs.evaluating.judging import judge
from pipeline.jobs.evaluating.record import Evaluation
from pipeline.jobs.evaluating.report.wording import wrong
from pipeline.jobs.evaluating.report.writing import write_report
from pipeline.jobs.evaluating.run import cancel, evaluate, sample
from pipeline.processes import engine
from pipeline.settings import ContentSource, EngineSettings, RetrievalSettings, Settings
from tests.pipeline.evaluation.planted import NOTES, QUESTIONS


class Model:
    """Answers from a table, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def generate(self, messages: list[dict[str, str]], **_: object) -> Iterator[str]:
        question = messages[-1]["content"]
        self.asked.append(question)
        yield "In 2013 I moved to Utah." if "move" in question else "I don't know."


@pytest.fixture
def notes(tmp_path: Path) -> Settings:
    (tmp_path / "notes").mkdir()
    for name, text in NOTES.items():
        (tmp_path / "notes" / name).write_text(f"# {name[:-3]}\n\n{text}\n", encoding="utf-8")
    return Settings(
        root=tmp_path,
        content=[ContentSource(path=Path("notes"), visibility="public")],
        retrieval=RetrievalSettings(mode="keyword"),
        # A server's weights need not lie here to be named in a hash.
        engine=EngineSettings(url="http://127.0.0.1:1/v1"),
        chat={"quote_first": True},
    )


def run(settings: Settings, model: Model, *names: str, **more: object) -> Evaluation:
    systems = [find_system(settings, name) for name in names or ("base", "rag")]
    return evaluate(settings, systems, QUESTIONS, file="golden.jsonl", connect=lambda adapter: model, **more)


def test_quotations_beat_a_model_that_knows_nothing_and_the_record_says_so(notes: Settings) -> None:
    made = run(notes, Model())
    base, rag = made.systems["base"].figures, made.systems["rag"].figures
    assert (base["accuracy"].all.value, base["refusal_recall"].all.value) == (0.2, 1)
    assert rag["accuracy"].all.value >= 0.8
    assert rag["citation_hit"].all.value >= 0.8
    assert base["accuracy"].kinds["fact"].count == 3
    assert made.as_json()["systems"]["base"]["accuracy"]["value"] == 0.2
    assert not made.systems["base"].replies[0].passages
    assert made.systems["rag"].replies[0].passages[0].document == "notes/moved.md"
    assert {(one.a, one.b) for one in made.comparisons} == {("base", "rag")}
    assert record.read(notes, 1) == made
    written = write_report(notes, made).with_suffix(".md").read_text(encoding="utf-8")
    assert "8 questions of `golden.jsonl`, 5 of them answerable, asked of base, rag" in written
    assert "What runs on the home server?" in written


def test_only_what_changed_is_asked_again(notes: Settings) -> None:
    model = Model()
    assert run(notes, model, "base").kept == 0
    assert len(model.asked) == 8
    again = run(notes, model, "base")
    assert (again.number, again.kept, len(model.asked)) == (2, 8, 8)
    notes.chat.max_tokens = 10
    assert run(notes, model, "base").kept == 0
    assert len(model.asked) == 16


def test_a_changed_note_has_the_systems_that_read_it_asked_again(notes: Settings) -> None:
    run(notes, Model())
    with (notes.root / "notes" / "bread.md").open("a", encoding="utf-8") as file:
        file.write("\nIt is dark.\n")
    # What the base says does not depend on the notes.
    assert run(notes, Model()).kept == 8


def test_after_a_cancel_it_goes_on_where_it_stopped(notes: Settings) -> None:
    stop, model, done = threading.Event(), Model(), []

    def progress(count: int, total: int, unit: str) -> None:
        done.append((count, total, unit))
        if count == 3:
            stop.set()

    with pytest.raises(CancelledError, match="`sitetwin eval` goes on"):
        run(notes, model, "base", progress=progress, cancelled=stop.is_set)
    assert done[2] == (3, 8, "answers")
    kept = len(list((notes.state / "evaluation" / "answers").iterdir()))
    assert 3 <= kept < 8
    assert not record.numbers(notes)
    assert run(notes, Model(), "base").kept == kept


def test_another_process_can_call_it_off_and_the_next_one_is_not_called_off(notes: Settings) -> None:
    def progress(count: int, total: int, unit: str) -> None:
        if count == 2:
            assert cancel(notes)

    with pytest.raises(CancelledError):
        run(notes, Model(), "base", progress=progress)
    assert not cancel(notes)
    assert len(run(notes, Model(), "base").systems["base"].replies) == 8


def test_one_at_a_time(notes: Settings) -> None:
    (notes.state / "evaluation").mkdir(parents=True)
    with (
        FileLock(notes.state / "evaluation" / "eval.lock"),
        pytest.raises(SitetwinError, match="another evaluation is under way"),
    ):
        run(notes, Model())


def test_one_that_waits_begins_after_the_other_and_can_be_cancelled_before(notes: Settings) -> None:
    (notes.state / "evaluation").mkdir(parents=True)
    model, looked = Model(), threading.Event()

    def cancelled() -> bool:
        looked.set()
        return False

    with ThreadPoolExecutor() as pool:
        with FileLock(notes.state / "evaluation" / "eval.lock"):
            with pytest.raises(CancelledError, match="before it began"):
                run(notes, model, waits=True, cancelled=lambda: True)
            waiting = pool.submit(run, notes, model, "base", waits=True, cancelled=cancelled)
            assert looked.wait(20)
            assert not model.asked
        assert len(waiting.result(20).systems["base"].replies) == 8


def test_nothing_to_ask_and_an_unknown_number_are_said(notes: Settings) -> None:
    with pytest.raises(SitetwinError, match="nothing is asked"):
        evaluate(notes, [], QUESTIONS, file="golden.jsonl")
    with pytest.raises(SitetwinError, match=r"no evaluation 7 \(there are: none\)"):
        record.read(notes, 7)


def test_an_adapter_that_is_not_there_ends_it_before_anything_is_asked(notes: Settings) -> None:
    model = Model()
    with pytest.raises(SitetwinError, match="no adapter"):
        run(notes, model, "base", "lora:gone")
    assert not model.asked


def test_a_limit_takes_the_same_questions_each_time() -> None:
    first = sample(QUESTIONS, 4)
    assert first == sample(QUESTIONS, 4)
    assert [QUESTIONS.index(one) for one in first] == sorted(QUESTIONS.index(one) for one in first)
    assert sample(QUESTIONS, None) == QUESTIONS
    assert len(sample(QUESTIONS, 100)) == 8
    assert sample(QUESTIONS, 0) == []


def test_the_record_is_json_without_a_key(notes: Settings) -> None:
    system = find_system(notes, "base").model_copy(update={"api_key": "secret-key"})
    question = GoldenQuestion(question="Who?", answerable=False)
    made = evaluate(notes, [system], [question], file="golden.jsonl", connect=lambda adapter: Model())
    text = record.report_file(notes, made.number, ".json").read_text(encoding="utf-8")
    assert "secret-key" not in text
    assert json.loads(text)["systems"]["base"]["adapter"] == ""
    assert engine.service(notes).find() is None


class YesSayer:
    """A judge that finds every answer right, and counts how often it is asked."""

    def __init__(self, name: str = "yes") -> None:
        self.name = name
        self.asked = 0

    async def reply(self, messages: list[dict[str, str]], schema: dict[str, object], **_: object) -> str:
        self.asked += 1
        return '{"right": true}'


def test_a_judge_model_stands_beside_the_facts_and_overrules_none(notes: Settings) -> None:
    made = run(notes, Model(), "base", "rag", judge_model=YesSayer())
    base = made.systems["base"].figures
    # What the base refused was not judged: it is not right.
    assert (base["accuracy"].all.value, base["judged"].all.value) == (0.2, 0.2)
    (agreement,) = made.agreements
    assert agreement.answers == len(made.systems["base"].judged) + len(made.systems["rag"].judged)
    assert any("agrees with the hand-written facts" in note for note in made.notes)
    assert "Accuracy by a model" in write_report(notes, made).read_text(encoding="utf-8")


def test_a_label_by_hand_stands_before_facts_and_judge_and_both_are_held_against_it(notes: Settings) -> None:
    made = run(notes, Model(), "base", "rag", judge_model=YesSayer())
    labels, facts = Labels(notes), made.systems["rag"].values["accuracy"] | {}
    # A person finds one answer wrong that has its fact, and of the others what the facts say too.
    told = {}
    for _, question, answer in made.judgeable():
        said = facts.get(question.question) == 1 and "move" not in question.question
        told[question.question, answer.answer] = said
        labels.keep(Label(question=question.question, answer=answer.answer, right=said))
    judge(notes, made)
    base, rag = made.systems["base"], made.systems["rag"]
    assert base.figures["accuracy"].all.value == 0  # its one right answer is the one about the move
    assert rag.labelled == {question: said for (question, answer), said in told.items() if question in rag.labelled}
    assert rag.values["accuracy"] == {question: float(rag.labelled.get(question, False)) for question in facts}
    # The judge calls everything right, and the label decides.
    assert base.figures["judged"].all.value == 0
    assert rag.figures["judged"].all.value == rag.figures["accuracy"].all.value
    by_facts, by_judge = made.agreements
    assert (by_facts.judge, by_judge.judge) == ("The check of the hand-written facts", "The judge yes")
    assert by_facts.beside == by_judge.beside == "the labels by hand"
    count = len(base.labelled) + len(rag.labelled)
    assert by_facts.answers == by_judge.answers == count
    assert by_judge.share == pytest.approx(sum(rag.labelled.values()) / count)
    assert made.as_json()["labelled"] == count
    assert wrong(made, "base", "When did I move to Utah?") == "wrong, as a person said"
    # A label that is taken back leaves the facts to decide.
    for question, answer in told:
        labels.keep(Label(question=question, answer=answer, right=None))
    judge(notes, made)
    assert rag.values["accuracy"] == facts
    assert not base.labelled


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "私はユタに引っ越しました。家は町から遠くありません。",
            "The voice was not measured: most notes are in Japanese, whose function words are not known or stand in one",
        ),
        (
            "Ich bin nach Utah gezogen, und das Haus ist nicht weit von der Stadt.",
            "No other authors in German are known here, so 0% of the voice is the base model's own prose.",
        ),
    ],
)
def test_a_report_says_why_notes_in_another_language_have_no_voice(notes: Settings, text: str, why: str) -> None:
    for file in (notes.root / "notes").iterdir():
        file.write_text(f"# {file.stem}\n\n{text}\n", "utf-8")
    made = run(notes, Model(), "base")
    assert any(note.startswith(why) for note in made.notes)
    assert not any(key.startswith("voice") for key in made.systems["base"].figures)


def test_a_report_names_a_judge_without_its_folder(notes: Settings) -> None:
    made = run(notes, Model(), "rag", judge_model=YesSayer("engine:/home/me/models/Qwen"))
    assert made.judge == "engine:Qwen"
    assert "/home/me" not in write_report(notes, made).with_suffix(".md").read_text(encoding="utf-8")


def test_a_verdict_is_kept_until_answer_facts_or_judge_change(notes: Settings) -> None:
    judge = YesSayer()
    first = run(notes, Model(), "base", "rag", judge_model=judge)
    count = judge.asked
    assert count == sum(len(one.judged) for one in first.systems.values())
    again = run(notes, Model(), "base", "rag", judge_model=judge)
    assert judge.asked == count
    assert again.systems["rag"].judged == first.systems["rag"].judged
    judge.name = "another"
    run(notes, Model(), "base", "rag", judge_model=judge)
    assert judge.asked == 2 * count
