"""What a search says of its own stages, and the reranker among them."""

from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.index.explaining import table

LAMP = "The lamp of the hall is lit at dusk by the warden, who has the only key to its glass. " * 2


class LongestFirst:
    """A reranker that prefers long texts, and keeps what it was given."""

    name = "longest-first"

    def __init__(self) -> None:
        self.texts: list[str] = []

    def scores(self, query: str, texts: Sequence[str]) -> np.ndarray:
        self.texts = list(texts)
        return np.array([len(text) for text in texts], np.float32)


@pytest.fixture
def hall(site):
    site.write("lamp.md", f"# Lamp\n\n## Hall\n\n{LAMP}\n\n## Again\n\n{LAMP}\n\n## Oil\n\nThe E1101 lamp takes oil.\n")
    for number in range(6):
        site.write(
            f"room/{number}.md", f"---\ntags: [room]\n---\nLamp {number} of the room. {'It is dim. ' * number}\n"
        )
    site.write("secret.md", "---\nprivate: true\n---\n# Safe\n\nThe lamp E1101 hides the safe.\n")
    site.index.sync()
    return site


def explained(site, query="the lamp E1101", **options):
    result = site.index.search(query, explain=True, **options)
    return result, {
        passage.id.rsplit("#")[0].removeprefix("notes/"): passage for passage in result.explanation.passages
    }


def test_nothing_is_explained_unasked(hall):
    assert hall.index.search("lamp").explanation is None


@pytest.mark.parametrize("retrieval", ["hybrid", "dense", "keyword"])
def test_each_stage_gives_rank_and_score(hall, retrieval):
    result, _ = explained(hall, k=3, retrieval=retrieval)
    passages = result.explanation.passages
    assert [passage.id for passage in passages if passage.rank] == [passage.id for passage in result.passages]
    assert [passage.rank for passage in passages][:3] == [1, 2, 3]
    for shown, passage in zip(passages, result.passages, strict=False):
        assert shown.fused.score == passage.score
        assert (shown.dense is None) == (retrieval == "keyword")
        assert (shown.keyword is None) == (retrieval == "dense")
        if shown.dense:
            assert shown.dense.score == passage.similarity
    for stage in ("dense", "keyword", "fused"):
        places = sorted((p.rank, -p.score) for passage in passages if (p := getattr(passage, stage)))
        assert [rank for rank, _ in places] == list(range(1, len(places) + 1))
        assert [score for _, score in places] == sorted(score for _, score in places)
    assert {passage.cut for passage in passages if not passage.rank} >= {"below the first 3"}


def test_words_and_settings_are_named(hall):
    result, passages = explained(hall)
    explanation = result.explanation
    assert explanation.tokens[:2] == ["lamp", "e1101"]
    assert (explanation.embedder, explanation.fusion, explanation.candidates) == ("hashed-words", "scores", 50)
    assert "e1101" in passages["secret.md"].matched
    assert passages["room/0.md"].matched == ["lamp"]


def test_what_says_the_same_twice_is_named_with_the_better_one(hall):
    result, _ = explained(hall, "who lights the lamp of the hall at dusk", k=10)
    merged = [passage for passage in result.explanation.passages if passage.cut.startswith("merged with")]
    (twin,) = merged
    assert (twin.document, twin.rank) == ("notes/lamp.md", None)
    assert result.passages[0].id in twin.cut
    assert twin.id not in {passage.id for passage in result.passages}


def test_what_filters_left_out_is_named_and_nothing_private_to_the_public(hall):
    from pipeline.index.filters import Filters

    result, passages = explained(hall, filters=Filters(tags=("room",)), visibility="public")
    assert passages["lamp.md"].cut == "filtered out"
    # a public search may be a visitor's: it tells of nothing private, not even that it is there
    assert "secret.md" not in passages
    assert "safe" not in str(result.model_dump()).lower()
    assert result.explanation.filters == "tag room"


def test_chunks_that_are_not_embedded_yet_are_counted(hall):
    hall.write("new.md", "A new lamp.\n")
    with hall.open(mode="keyword") as index:
        index.sync()
    result, passages = explained(hall, "new lamp")
    assert result.explanation.pending_chunks == 1
    assert (passages["new.md"].dense, passages["new.md"].keyword.rank) == (None, 1)


def test_a_reranker_reads_the_best_and_orders_them_anew(hall):
    judge = LongestFirst()
    hall.settings.retrieval.rerank_candidates = 4
    with hall.open(reranker=lambda: judge) as index:
        plain = hall.index.search("the lamp E1101", 4).passages
        result = index.search("the lamp E1101", 2, explain=True)
        assert len(judge.texts) == 4
        assert any(text.startswith("Lamp > Oil\nThe E1101") for text in judge.texts)
        assert [passage.score for passage in result.passages] == sorted(map(len, judge.texts), reverse=True)[:2]
        assert {passage.id for passage in result.passages} <= {passage.id for passage in plain}
        shown = result.explanation.passages
        assert result.explanation.reranker == "longest-first"
        assert shown[0].reranked.rank == 1
        assert sum(passage.reranked is not None for passage in shown) == 4
        assert "not among the first 4, which the reranker reads" in {passage.cut for passage in shown}
        assert index.search("lamp", 6).passages
        assert len(judge.texts) == 6
        judge.texts = []
        assert index.search("zzz", retrieval="keyword").passages == []


def test_fusion_by_ranks_is_a_setting(hall):
    hall.settings.retrieval.fusion = "ranks"
    with hall.open() as index:
        result = index.search("the lamp E1101", 1, explain=True)
    best = result.explanation.passages[0]
    assert result.passages[0].score == pytest.approx(1 / (60 + best.dense.rank) + 1 / (60 + best.keyword.rank))


def test_people_read_a_table(hall):
    result, _ = explained(hall, k=2, visibility="public")
    lines = list(table(result.explanation))
    assert lines[0] == "words:    lamp e1101 1101"
    rows = lines[next(n for n, line in enumerate(lines) if line.startswith("  #")) :]
    assert rows[0].split() == ["#", "dense", "keyword", "fused", "passage"]
    assert rows[1].split()[0] == "1"
    assert any("below the first 2" in row for row in rows)
