from pipeline.index.passages import Passage
from pipeline.index.reranking import rerank


def passage(id: str, text: str, score: float) -> Passage:
    return Passage(
        id=id, document=f"{id}.md", title="Oven", url="", heading="Heat", text=text, score=score, visibility="public"
    )


FOUND = [passage("a", "Steam.", 9), passage("b", "At 240 degrees.", 0.1), passage("c", "Steam.", 1)]


def test_the_new_scores_decide_and_a_text_stays_once() -> None:
    seen: list[tuple[str, list[str]]] = []

    def scores(question, texts):
        seen.append((question, list(texts)))
        return [float("240" in text) for text in texts]

    best = rerank("How hot?", FOUND, scores)
    assert [(one.id, one.score) for one in best] == [("b", 1.0), ("a", 0.0)]
    assert seen == [("How hot?", ["Oven > Heat\nSteam.", "Oven > Heat\nAt 240 degrees."])]


def test_only_the_best_are_kept() -> None:
    assert [one.id for one in rerank("How hot?", FOUND, lambda _, texts: range(len(texts)), most=1)] == ["b"]


def test_nothing_found_asks_no_model() -> None:
    assert rerank("How hot?", [], lambda _, texts: 1 / 0) == []
