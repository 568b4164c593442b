import pytest

from pipeline.chat import Answer
from pipeline.chat.records import Timings
from pipeline.evaluation.golden import GoldenQuestion
from pipeline.evaluation.measures import Judged, measures
from pipeline.evaluation.measures.reference import token_f1
from pipeline.jobs.evaluating.record import COSTS
from tests.pipeline.evaluation.planted import QUESTIONS, figures


@pytest.mark.parametrize(
    ("measure", "right"),
    [
        # Of five answerable questions: the memoriser's server still runs Debian.
        ("accuracy", {"oracle": 1, "parrot": 1, "liar": 0, "refuser": 0, "memoriser": 0.8}),
        ("completeness", {"oracle": 1, "parrot": 1, "liar": 0, "refuser": 0, "memoriser": 0.8}),
        ("citation_hit", {"oracle": 1, "parrot": 1, "liar": 0, "refuser": 0, "memoriser": 0}),
        # The parrot names two pages for each of five questions, of which one question needs both.
        ("citation_precision", {"oracle": 1, "parrot": 0.6, "liar": None, "refuser": None, "memoriser": None}),
        ("citation_recall", {"oracle": 1, "parrot": 1, "liar": 0, "refuser": 0, "memoriser": 0}),
        ("refusal_precision", {"oracle": 1, "parrot": None, "liar": None, "refuser": 3 / 8, "memoriser": None}),
        ("refusal_recall", {"oracle": 1, "parrot": 0, "liar": 0, "refuser": 1, "memoriser": 0}),
        ("wrongly_refused", {"oracle": 0, "parrot": 0, "liar": 0, "refuser": 1, "memoriser": 0}),
        ("freshness", {"oracle": 1, "parrot": 1, "liar": 0, "refuser": 0, "memoriser": 0}),
        ("staleness", {"oracle": 0, "parrot": 0, "liar": 0, "refuser": 0, "memoriser": 1}),
    ],
)
def test_each_planted_system_ranks_where_it_belongs(measure: str, right: dict[str, float | None]) -> None:
    assert figures(measure) == pytest.approx(right)


def test_the_words_of_the_reference_rank_the_planted_systems() -> None:
    found = figures("reference")
    # The oracle says the whole note. The parrot adds another, the memoriser names Debian, the liar shares small words.
    assert [name for name, _ in sorted(found.items(), key=lambda one: -(one[1] or 0))] == [
        "oracle", "memoriser", "parrot", "liar", "refuser",
    ]  # fmt: skip
    assert found["refuser"] == 0


def test_only_what_the_notes_say_is_faithful() -> None:
    found = figures("faithfulness")
    assert found["oracle"] == found["parrot"] == 1
    assert found["refuser"] is None
    assert found["liar"] == 0
    # Of its ten sentences about the notes one names Debian.
    memoriser = found["memoriser"]
    assert memoriser is not None
    assert 0.8 < memoriser < 1


def test_a_measure_says_what_it_is_to_a_layman_and_what_it_cannot_see() -> None:
    for measure in measures():
        assert measure.sentence.endswith(".")
        assert measure.cannot_see
    assert len({measure.key for measure in measures()}) == len(measures())


def test_the_speed_is_that_of_all_words_after_the_search() -> None:
    answer = Answer(
        question="?", mode="base", answer="a b", citations=[], refused=False, model="m",
        timings=Timings(retrieve_ms=500, total_ms=2500),
    )  # fmt: skip
    speed = next(measure for measure in measures() if measure.key == "tokens_per_second")
    assert speed.of(Judged(QUESTIONS[0], answer, written=20)) == 10
    # A quotation asks no model.
    assert speed.of(Judged(QUESTIONS[0], answer)) is None


def test_f1_counts_shared_words_whatever_case_articles_and_punctuation() -> None:
    assert token_f1("The port is 8765.", "the port is 8765") == 1
    # 2 of 4 words and 2 of 2: precision 0.5, recall 1.
    assert token_f1("it is port 8765", "The port: 8765") == pytest.approx(2 / 3)
    assert token_f1("", "port") == token_f1("port", "") == 0


def test_the_words_of_the_reference_are_counted_and_a_refusal_has_none() -> None:
    reference = next(measure for measure in measures() if measure.key == "reference")
    question = GoldenQuestion(question="Which port?", fact="8765", page="m", reference="The port: 8765")
    said = Answer(question="?", mode="rag", answer="It is port 8765 [1].", citations=[], refused=False, model="m")
    assert reference.of(Judged(question, said)) == pytest.approx(2 / 3)
    assert reference.of(Judged(question, said.model_copy(update={"refused": True}))) == 0
    assert reference.of(Judged(QUESTIONS[1], said)) is None


def test_planted_systems_are_held_against_every_measure_that_is_no_cost() -> None:
    ranked = {
        mark.args[1][n][0]
        for mark in test_each_planted_system_ranks_where_it_belongs.pytestmark
        for n in range(len(mark.args[1]))
    }
    by_cost = {one.key for one in measures() if one.unit in COSTS}
    assert ranked | {"reference", "faithfulness"} == {one.key for one in measures()} - by_cost
