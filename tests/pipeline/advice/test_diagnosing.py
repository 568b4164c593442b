import pytest

from pipeline.advice.diagnosing import diagnose
from tests.pipeline.advice.known import evaluation, facts, gap, search, trained


def state(found) -> dict[str, str]:
    return {failure.name: failure.state for failure in diagnose(found)}


def test_nothing_is_wrong_with_a_site_that_does_well() -> None:
    assert set(state(facts()).values()) == {"clear"}
    assert len(state(facts())) == 7
    assert all(failure.mend == "" and failure.sign for failure in diagnose(facts()))


@pytest.mark.parametrize(
    ("name", "ill", "sign", "mend"),
    [
        ("retrieval", facts(search=search(recall=0.5)), "50% of 40 golden questions", "models.reranker"),
        (
            "retrieval",
            facts(search=search(recall=0.5), chunk_chars=4000),
            "50%",
            "index.chunk_chars = 900 instead of 4000",
        ),
        (
            "context ignored",
            facts(evaluation=evaluation(rag={"ignored": 8})),
            "8 of 20 answers of rag",
            "quote_first = true",
        ),
        (
            "context ignored",
            facts(evaluation=evaluation(rag={"ignored": 8}), quotes=True),
            "8 of 20",
            "models.chat that writes",
        ),
        (
            "context ignored",
            facts(evaluation=evaluation(rag={"ignored": 8}), persona_chars=900),
            "8 of 20",
            "(900 characters)",
        ),
        ("slow", facts(search=search(p95_ms=2500), rerank=True), "2500 ms", "retrieval.rerank = false"),
        (
            "slow",
            facts(evaluation=evaluation(rag={"figures": {"first_token_ms": 4000}})),
            "4000 ms",
            "smaller models.chat",
        ),
        ("stale weights", facts(trained=trained(changed=["a.md", "b.md"])), "2 of the 70 notes", "sitetwin retrain"),
        (
            "stale weights",
            facts(evaluation=evaluation(lora={"figures": {"staleness": 0.5}})),
            "lora says the old fact in 50%",
            "hybrid_chat",
        ),
        ("forgetting", facts(trained=trained(rise=0.4)), "from 2.900 to 3.300 (+0.400)", "learning_rate=1e-5"),
        ("brittle", facts(trained=trained(seen=0.8)), "score 0.80, others 0.18", "epochs=1"),
        (
            "brittle",
            facts(trained=trained(verdict="overfit", rows=200)),
            "200 rows, verdict overfit",
            "pairs_per_chunk",
        ),
        (
            "brittle",
            facts(evaluation=evaluation(lora={"kinds": {"accuracy": {"fact": 0.6, "paraphrase": 0.2}}})),
            "facts 60% right, paraphrases 20%",
            "epochs=1",
        ),
        (
            "adapter against passages",
            facts(evaluation=evaluation(gap("accuracy", -0.3)), with_passages=0),
            "hybrid is worse than rag in accuracy",
            "dataset.with_passages = 0.25",
        ),
    ],
)
def test_each_failure_is_found_by_its_sign_and_alone(name, ill, sign, mend) -> None:
    found = [failure for failure in diagnose(ill) if failure.state == "found"]
    assert [failure.name for failure in found] == [name]
    assert sign in found[0].sign
    assert mend in found[0].mend


def test_what_was_not_measured_is_unknown_and_says_how_to_measure_it() -> None:
    bare = facts(search=None, evaluation=None, trained=trained(rise=None, before=None, seen=None, unseen=None))
    said = {failure.name: failure for failure in diagnose(bare)}
    unknown = ["retrieval", "context ignored", "slow", "forgetting", "brittle", "adapter against passages"]
    assert [name for name, failure in said.items() if failure.state == "unknown"] == unknown
    assert all("`sitetwin " in said[name].sign for name in unknown)
