from pipeline.advice.facts import LastEvaluation, SystemFigures
from pipeline.advice.steps import next_steps


def steps(**systems: SystemFigures) -> list[str]:
    return next_steps(LastEvaluation(number=1, questions=40, systems=systems, gaps=[]))


def system(mode: str = "rag", **figures: float) -> SystemFigures:
    return SystemFigures(mode=mode, figures=figures)


def test_one_setting_is_never_to_be_raised_and_lowered() -> None:
    bold, shy = system(refusal_recall=0.3), system("hybrid", wrongly_refused=0.4)
    (said,) = steps(rag=bold, hybrid=shy)
    assert said.startswith("rag answers too much of what the notes do not say, and hybrid declines too much")
    assert "raise `" not in said
    assert "lower `" not in said
    # Nor for one system that does both.
    (said, _) = steps(rag=system(refusal_recall=0.3, wrongly_refused=0.4))
    assert "so leave it" in said


def test_what_calls_for_one_direction_gets_it() -> None:
    (said,) = steps(rag=system(refusal_recall=0.3), hybrid=system("hybrid", refusal_recall=0.1))
    assert said == "rag and hybrid answer what the notes do not say: raise `chat.decline_below`."
    (said,) = steps(hybrid=system("hybrid", wrongly_refused=0.4))
    assert said == "hybrid declines what the notes answer: lower `chat.decline_below`."
    # The setting does nothing for a model that reads no notes.
    assert steps(lora=system("lora", refusal_recall=0.0, wrongly_refused=0.9)) == []


def test_a_missed_fact_and_a_stale_one_get_what_mends_them() -> None:
    (quoting, _) = steps(rag=SystemFigures(ignored=3, cited=10, quotes=True))
    (writing, _) = steps(rag=SystemFigures(ignored=3, cited=10))
    assert "chat.quote_first = false" in quoting
    assert "chat.quote_first = true" in writing
    # Not both at once.
    both = steps(rag=SystemFigures(ignored=3, cited=10), quotes=SystemFigures(ignored=3, cited=10, quotes=True))
    assert "quote_first" not in " ".join(both)
    assert both[0].startswith("rag and quotes find the page and miss the fact")
    (stale,) = steps(lora=system("lora", staleness=0.2))
    assert "do not train them in" in stale


def test_where_nothing_stands_out_only_the_missing_adapter_is_named() -> None:
    assert steps(hybrid=system("hybrid", citation_hit=0.9)) == []
    (said,) = steps(rag=system(citation_hit=0.9))
    assert "sitetwin train" in said
