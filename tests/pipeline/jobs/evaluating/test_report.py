import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.chat import Answer, Citation
from pipeline.evaluation.doubt import Estimate
from pipeline.evaluation.figures import Compared, Figure
from pipeline.evaluation.golden import GoldenQuestion
from pipeline.evaluation.systems import System
from pipeline.jobs.evaluating.record import Evaluation, FoundPassage, Reply, SystemResult, Trained
from pipeline.jobs.evaluating.report.markdown import markdown
from pipeline.jobs.evaluating.report.page import bars, coded, page
from pipeline.jobs.evaluating.report.table import by_kind, seen_and_unseen
from pipeline.jobs.evaluating.report.terminal import lines
from pipeline.jobs.evaluating.report.wording import described, doubts, failures, next_steps, number, said, with_doubt
from pipeline.settings import Settings
from pipeline.training.curves import Forgetting

QUESTION = GoldenQuestion(question="What is <b>it</b>?", fact=("14",), page=("p",))
OTHER = GoldenQuestion(question="Who won?", answerable=False, why="outside")


def estimated(value: float, low: float, high: float) -> Figure:
    return Figure(all=Estimate(value=value, low=low, high=high, count=2))


def result(name: str, text: str, accuracy: float, voice: float) -> SystemResult:
    cited = [Citation(n=1, document="p.md", title="P", url="", heading="", quote="It is 14.")]
    answer = Answer(question="?", mode="rag", answer=text, citations=cited, refused=False, model="m")
    return SystemResult(
        system=System(name=name), model="m", adapter="", memory_mb=512.0,
        replies=[Reply(question=one.question, answer=answer) for one in (QUESTION, OTHER)],
        figures={
            "accuracy": estimated(accuracy, 0.1, 0.9),
            "first_token_ms": estimated(900, 800, 1200),
            "voice": estimated(voice, -0.2, 0.4),
            "voice_words": Figure(all=Estimate(value=0.7, low=0.6, high=0.8, count=2), floor=0.9, ceiling=0.5),
        },
        values={"accuracy": {QUESTION.question: accuracy}, "refusal_recall": {OTHER.question: 1.0}},
    )  # fmt: skip


@pytest.fixture
def evaluation() -> Evaluation:
    gap = Compared(
        a="base", b="rag", measure="accuracy", difference=1, low=0.4, high=1, p=0.01, raw_p=0.01, questions=40
    )
    return Evaluation(
        number=3, made_at=datetime.now(UTC), seconds=90, visibility="public", file="golden.jsonl",
        questions=[QUESTION, OTHER], known={}, data_set=None, kept=1, parallel=4, comparisons=[gap],
        systems={"base": result("base", "It is <script>15</script>.", 0, -0.1), "rag": result("rag", "It is 14.", 1, 0.3)},
    )  # fmt: skip


def test_the_page_needs_no_network_and_shows_text_as_text(tmp_path: Path, evaluation: Evaluation) -> None:
    html = page(Settings(root=tmp_path), evaluation)
    assert not re.search(r"(?:src|href|url\()=?[\"']?https?:", html)
    assert "<script" not in html
    assert "It is &lt;script&gt;15&lt;/script&gt;." in html
    assert "rag is better than base, accuracy: +100 points" in html
    assert "the fact is missing" in html
    assert "others 0.90, the author 0.50" in html


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(
    tmp_path: Path, evaluation: Evaluation, open_page: Callable[..., Any], scheme: str
) -> None:
    file = tmp_path / "eval.html"
    file.write_text(page(Settings(root=tmp_path), evaluation), encoding="utf-8")
    with open_page(390, 800, color_scheme=scheme) as opened:
        opened.goto(file.as_uri())
        assert opened.evaluate("document.documentElement.scrollWidth") <= 390
        assert opened.locator("svg circle").count() == 2
        whisker = opened.locator(".track b").first.bounding_box()
        track = opened.locator(".track").first.bounding_box()
        # From 10 % to 90 %.
        assert whisker["width"] == pytest.approx(0.8 * track["width"], abs=2)


def test_bars_fill_the_width_at_a_whole_or_at_the_largest_bound(evaluation: Evaluation) -> None:
    assert [bar[1:4] for bar in bars(evaluation, described("accuracy"))] == [(0, 10, 90), (100, 10, 90)]
    (first, _) = bars(evaluation, described("first_token_ms"))
    assert (first.width, first.high) == (75, 100)
    assert first.text == "900 ms (800 ms to 1.2 s)"


def test_figures_are_said_in_their_unit() -> None:
    assert number(0.634, "share") == "63%"
    assert number(1500, "ms") == "1.5 s"
    assert number(0.734, "distance") == "0.73"
    assert with_doubt(None, "share") == "–"


def test_a_correction_is_told_where_something_was_compared(evaluation: Evaluation) -> None:
    assert "corrected for all 1 comparisons" in doubts(evaluation)[-1]
    assert not any("corrected" in told for told in doubts(evaluation.model_copy(update={"comparisons": []})))


def test_no_difference_is_said_in_one_sentence_and_of_one_system_nothing_is_compared(evaluation: Evaluation) -> None:
    evaluation.comparisons = []
    assert "\n- No difference between any two systems was shown.\n" in markdown(evaluation)
    del evaluation.systems["base"]
    assert "\n- One system was asked, so there is nothing to compare it with.\n" in markdown(evaluation)


def test_lower_may_be_better(evaluation: Evaluation) -> None:
    gap = evaluation.comparisons[0].model_copy(update={"measure": "wrongly_refused", "p": 0.0001})
    assert said(gap) == "rag is worse than base, wrongly refused: +100 points (+40 to +100), p < .001"


def test_failures_stand_side_by_side_in_markdown_too(evaluation: Evaluation) -> None:
    assert failures(evaluation) == [(0, {"base": "the fact is missing", "rag": ""})]
    text = markdown(evaluation)
    assert "- base (the fact is missing): It is <script>15</script>." in text
    assert "| Accuracy | 0% (10 to 90) | 100% (10 to 90) |" in text


def test_a_failure_says_whether_its_page_was_found(tmp_path: Path, evaluation: Evaluation) -> None:
    reply = evaluation.systems["base"].replies[0]
    reply.passages = [FoundPassage(document="q.md", heading="Prices > Now"), FoundPassage(document="r.md", heading="")]
    assert failures(evaluation)[0][1]["base"] == "the fact is missing; its page was not found"
    assert "Found: q.md › Prices &gt; Now; r.md" in page(Settings(root=tmp_path), evaluation)
    reply.passages.append(FoundPassage(document="p.md", heading=""))
    assert failures(evaluation)[0][1]["base"] == "the fact is missing"


def test_every_figure_is_told_apart_by_pages_that_were_trained_on(tmp_path: Path, evaluation: Evaluation) -> None:
    assert not seen_and_unseen(evaluation)
    for key in ("accuracy", "first_token_ms"):
        figure = evaluation.systems["rag"].figures[key]
        figure.seen, figure.unseen = figure.all, Estimate(value=0.5, low=0.4, high=0.6, count=1)
    assert seen_and_unseen(evaluation) == [["Accuracy", "rag", "100% (10 to 90)", "50% (40 to 60)"]]
    assert "| Accuracy | rag | 100% (10 to 90) | 50% (40 to 60) |" in markdown(evaluation)
    assert "<td>50% (40 to 60)</td>" in page(Settings(root=tmp_path), evaluation)


def test_kinds_of_questions_have_intervals_and_stand_in_both_reports(tmp_path: Path, evaluation: Evaluation) -> None:
    evaluation.systems["rag"].figures["accuracy"].kinds = {"fact": Estimate(value=0.5, low=0.1, high=0.9, count=2)}
    assert by_kind(evaluation) == [("Accuracy", [["fact", "–", "50% (10 to 90) of 2"]])]
    assert "| fact | – | 50% (10 to 90) of 2 |" in markdown(evaluation)
    assert "<td>50% (10 to 90) of 2</td>" in page(Settings(root=tmp_path), evaluation)


def test_an_adapter_s_training_and_forgetting_are_part_of_its_cost(tmp_path: Path, evaluation: Evaluation) -> None:
    evaluation.systems["rag"].trained = Trained(
        run="best", seconds=600, megabytes=19.53, data_set=1, forgetting=Forgetting(before=3.0, after=3.2)
    )
    for text in (markdown(evaluation), page(Settings(root=tmp_path), evaluation)):
        assert "10 minutes, 19.5 MB" in text
        assert str(evaluation.systems["rag"].trained.forgetting) in text
    cost = evaluation.as_json()["cost"]
    assert cost["base"] == {"memory_mb": 512.0, "trained": None}
    assert (cost["rag"]["trained"]["seconds"], cost["rag"]["trained"]["forgetting"]["before"]) == (600, 3.0)


def test_what_is_wrong_gets_the_setting_that_mends_it(evaluation: Evaluation) -> None:
    evaluation.systems["rag"].figures["wrongly_refused"] = estimated(0.5, 0, 1)
    assert any("lower `chat.decline_below`" in step for step in next_steps(evaluation))
    assert coded("set `a<b` now") == "set <code>a&lt;b</code> now"


def test_figures_that_are_no_shares_have_their_unit_in_the_table(evaluation: Evaluation) -> None:
    for result in evaluation.systems.values():
        result.figures["tokens_per_second"] = estimated(3.1, 2.9, 3.4)
        result.figures["tokens_read"] = estimated(58, 56, 60)
    table = "\n".join(lines(evaluation))
    assert "Speed (tokens/s)" in table
    assert "Read (tokens)" in table
