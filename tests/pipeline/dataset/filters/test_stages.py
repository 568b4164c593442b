from pipeline.dataset.filters import Check, judged
from pipeline.dataset.records import Judgement
from pipeline.parts import FILTER_STAGES
from pipeline.settings import DatasetSettings
from tests.pipeline.dataset.filters.pairs import SETTINGS, candidate

WRONG = candidate("How long is the greenhouse?", "It is 14 metres long.")


def test_the_first_stage_that_refuses_is_named() -> None:
    refused = Check(SETTINGS)(WRONG)
    assert refused is not None
    assert refused.stage == "grounding"
    assert Check(SETTINGS)(candidate("Greenhouse", "It is 14 metres long.")).stage == "length"  # type: ignore[union-attr]


def test_a_stage_can_be_switched_off() -> None:
    others = [stage for stage in SETTINGS.stages if stage != "grounding"]
    assert Check(DatasetSettings(stages=others))(WRONG) is None


def test_every_stage_is_a_setting_and_every_setting_a_stage() -> None:
    assert {*FILTER_STAGES.kinds(), "relevance", "duplicates", "judge"} == set(SETTINGS.stages)


def test_low_grades_are_refused() -> None:
    pair = WRONG.pair.model_copy(update={"accuracy": 5, "style": 4})
    low = type(WRONG)(pair, WRONG.sources)
    refused = Check(SETTINGS)(low)
    assert refused is not None
    assert refused.reason == "the teacher gave its accuracy 5 of 10; the teacher gave its style 4 of 10"
    assert Check(DatasetSettings(stages=["score"], min_score=4))(low) is None


def test_a_judges_grades_and_words_are_the_reason() -> None:
    refused = judged(Judgement(faithful=3, relevant=9, reason="it says 12"), SETTINGS)
    assert refused is not None
    assert (refused.stage, refused.reason) == ("judge", "the judge finds it faithful to the text 3 of 10 (it says 12)")
    assert judged(Judgement(faithful=6, relevant=6), SETTINGS) is None


def test_a_pair_is_looked_at_once() -> None:
    check = Check(SETTINGS)
    assert check(WRONG) is check(WRONG)
    assert check(WRONG) is not None
