import pytest

from pipeline.advice.changes import Changes
from pipeline.advice.recommending import advise
from pipeline.advice.rules import questions_of
from pipeline.advice.wishes import Wishes
from tests.pipeline.advice.known import evaluation, facts, gap, search

STABLE = Changes(basis="git", days=2, notes=2, months=12)
VOICE = Wishes(voice=True, sources=False, format=False, regulated=False, wait=True)


@pytest.mark.parametrize(
    ("found", "wishes", "option", "because"),
    [
        (facts(evaluation=None), Wishes(), "rag", "looked up better than learnt"),
        (facts(evaluation=None), VOICE, "both", "enough pairs to learn the voice"),
        (facts(evaluation=None, changes=STABLE), VOICE, "lora", "the notes are stable"),
        (facts(evaluation=None, changes=STABLE), VOICE.model_copy(update={"sources": True}), "both", "looked up"),
        (facts(evaluation=None, pairs=120), VOICE, "rag", "only 120 pairs survived the filter, fewer than 500"),
        (facts(evaluation=None, pairs=None), VOICE, "rag", "there is no data set yet"),
        (facts(evaluation=None, can_train=""), VOICE, "rag", "no model of the table can be trained in 12 GB"),
        (facts(words=40), VOICE, "neither yet", "40 words"),
    ],
)
def test_the_rules(found, wishes, option, because) -> None:
    advice = advise(found, wishes)
    assert (advice.recommendation, because in advice.reason) == (option, True), advice.reason


@pytest.mark.parametrize(
    ("measured", "option", "because"),
    [
        (evaluation(), "rag", "no difference shown between rag and hybrid or lora on 60 questions"),
        (evaluation(gap("voice", 0.2)), "both", "hybrid is better than rag in voice and worse in nothing"),
        (evaluation(gap("voice", 0.2), gap("accuracy", -0.2)), "rag", "hybrid is worse than rag in accuracy"),
        (evaluation(gap("voice", 0.2, p=0.3)), "rag", "no difference shown"),
        (evaluation(gap("wrongly_refused", -0.2)), "both", "better than rag in wrongly_refused"),
        (evaluation(gap("total_ms", -900)), "rag", "no difference shown"),
        (evaluation(gap("accuracy", -0.1), gap("accuracy", 0.2, b="lora")), "lora", "lora is better than rag"),
    ],
)
def test_a_measurement_outweighs_the_rules(measured, option, because) -> None:
    advice = advise(facts(evaluation=measured, changes=STABLE), VOICE)
    assert (advice.recommendation, because in advice.reason) == (option, True), advice.reason
    assert advice.factors[-1].name == "last evaluation"


def test_each_factor_has_evidence_and_a_way() -> None:
    ways = {factor.name: factor.points for factor in advise(facts(evaluation=None), Wishes()).factors}
    assert ways == {
        "freshness": "rag", "kind of knowledge": "rag", "volume": "both", "latency": "rag", "infrastructure": "both",
        "audit": "open",
    }  # fmt: skip
    slow = facts(evaluation=None, changes=STABLE, search=search(p95_ms=900), pairs=None, has_gpu=False)
    found = {factor.name: factor for factor in advise(slow, Wishes(sources=True, voice=True)).factors}
    assert [found[name].points for name in ("freshness", "latency", "infrastructure", "audit")] == [
        "lora",
        "lora",
        "rag",
        "rag",
    ]
    assert found["volume"].evidence == "80 notes, 30000 words; no data set yet"


def test_the_nine_questions_are_answered_by_data_or_left_open() -> None:
    answers = [question.answer for question in questions_of(facts(), Wishes())]
    assert answers == [True, None, None, False, False, False, None, None, None]
    slow = facts(search=search(p95_ms=900), pairs=20, has_gpu=False, changes=None)
    answers = [
        question.answer for question in questions_of(slow, Wishes(sources=True, voice=True, wait=False, format=False))
    ]
    assert answers == [None, True, True, True, True, True, False, None, None]


def test_what_only_the_owner_knows_is_open_until_it_is_said() -> None:
    assert len(advise(facts(), Wishes()).open) == 4
    assert advise(facts(), VOICE).open == []
    waits = advise(facts(search=search(p95_ms=900)), Wishes()).open
    assert "Is half a second more before the first word acceptable?" in waits


def test_the_next_steps_name_what_is_missing() -> None:
    steps = " ".join(advise(facts(golden={}, persona_chars=0, trained=None, evaluation=None), VOICE).next)
    for command in ("golden draft", "persona draft --write", "sitetwin train", "sitetwin eval"):
        assert command in steps
    assert "train" not in " ".join(advise(facts(), VOICE).next)
    plain = Wishes(sources=True, voice=False, format=False, regulated=False)
    assert "persona draft" not in " ".join(advise(facts(persona_chars=0), plain).next)
