"""Sorts passages again, whoever found them, by how well each answers the question."""

from collections.abc import Callable, Iterable, Sequence

from pipeline.index.passages import Passage

Scores = Callable[[str, Sequence[str]], Iterable[float]]
"""A question and texts to a score for each text. Higher is better."""


def rerank(question: str, passages: Sequence[Passage], scores: Scores, most: int = 0) -> list[Passage]:
    """The passages with the scores of `scores`, best first. A text that was found twice stays once.

    Args:
        question: as it stands alone.
        passages: of one retriever or of several, whose own scores can't be compared.
        scores: a reranker, or the cosine with the question.
        most: how many to keep; 0: all.
    """
    once: dict[str, Passage] = {}
    for passage in passages:
        once.setdefault(passage.text, passage)
    if not once:
        return []
    found = scores(question, [passage.whole_text for passage in once.values()])
    scored = [
        passage.model_copy(update={"score": float(score)}) for passage, score in zip(once.values(), found, strict=True)
    ]
    return sorted(scored, key=lambda passage: -passage.score)[: most or None]
