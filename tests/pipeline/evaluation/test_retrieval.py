import json

import pytest

from pipeline.evaluation.retrieval import bench_retrieval, variants
from pipeline.settings import RetrievalSettings, Settings

CORPUS = {
    "tart": ("Nectarine tart", "Bake the crust at 425 degrees until it is golden."),
    "server": ("Home server", "The ZFS pool lives on a machine called Kanade."),
    "deck": ("Handheld", "The Steam Deck runs games on the train."),
    "empty": ("", ""),
}
QUERIES = {"q1": ("What is the ZFS machine called?", "server"), "q2": ("How hot is the oven for a tart?", "tart")}
MEASURES = {"recall@3", "recall@5", "recall@10", "recall@20", "mrr@3", "mrr@10", "ndcg@10", "query_ms"}


@pytest.fixture
def data_set(tmp_path):
    folder = tmp_path / "data set"
    (folder / "qrels").mkdir(parents=True)
    corpus = [{"_id": id, "title": title, "text": text} for id, (title, text) in CORPUS.items()]
    queries = [{"_id": id, "text": text} for id, (text, _) in QUERIES.items()]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)), "utf-8")
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)), "utf-8")
    judgements = [f"{id}\t{document}\t1" for id, (_, document) in QUERIES.items()]
    (folder / "qrels" / "test.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *judgements]), "utf-8")
    return folder


def test_every_mode_and_the_other_fusion_are_measured(data_set, tmp_path):
    seen = []
    report = bench_retrieval(data_set, Settings(root=tmp_path), lambda done, total, unit: seen.append(unit)).as_json()
    assert report["chunks"] == 3
    assert list(report["modes"]) == ["hybrid", "dense", "keyword", "hybrid align=false", "hybrid fusion=ranks"]
    for measured in report["modes"].values():
        assert measured.keys() == MEASURES
        assert measured["mrr@3"] == measured["ndcg@10"] == measured["recall@3"] == 1
        assert 0 < measured["query_ms"]["p50"] <= measured["query_ms"]["p95"]
    assert "queries (hybrid fusion=ranks)" in seen
    assert not (tmp_path / ".sitetwin").exists()


def test_variants_are_what_is_not_in_force():
    assert [name for name, _ in variants(RetrievalSettings(), has_reranker=False)] == ["align=false", "fusion=ranks"]
    found = dict(variants(RetrievalSettings(fusion="ranks", rerank=True), has_reranker=True))
    assert {name: (each.fusion, each.rerank) for name, each in found.items()} == {
        "fusion=scores": ("scores", True),
        "rerank=false": ("ranks", False),
    }
