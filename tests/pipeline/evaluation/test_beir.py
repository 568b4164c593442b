import json
from pathlib import Path

import pytest

from pipeline.errors import SitetwinError
from pipeline.evaluation.beir import read_beir

DATA = Path(__file__).parents[3] / ".." / "shared" / "data" / "retrieval-dev"


def lay_out(folder, corpus, queries, judgements):
    (folder / "qrels").mkdir()
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)), encoding="utf-8")
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)), encoding="utf-8")
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "\n".join(judgements), encoding="utf-8")


def test_a_data_set_is_read(tmp_path):
    corpus = [{"_id": "d1", "title": "One", "text": "First."}, {"_id": "d2", "text": "Second."}]
    lay_out(tmp_path, corpus, [{"_id": "q1", "text": "Which?"}, {"_id": "unjudged", "text": "?"}], ["q1\td2\t1"])
    data = read_beir(tmp_path)
    assert [(document.id, document.title, document.text) for document in data.documents] == [
        ("d1", "One", "First."),
        ("d2", "", "Second."),
    ]
    assert (data.queries, data.judgements) == ({"q1": "Which?"}, {"q1": {"d2": 1}})


def test_a_query_without_words_is_not_asked(tmp_path):
    lay_out(
        tmp_path,
        [{"_id": "d1", "text": "First."}],
        [{"_id": "q1", "text": "?"}, {"_id": "q2", "text": " "}],
        ["q1\td1\t1", "q2\td1\t1"],
    )
    data = read_beir(tmp_path)
    assert data.queries == {"q1": "?"}
    assert data.judgements == {"q1": {"d1": 1}, "q2": {"d1": 1}}


def test_judgements_of_other_queries_are_refused(tmp_path):
    lay_out(tmp_path, [{"_id": "d1", "text": "First."}], [{"_id": "q1", "text": "Which?"}], ["1\td1\t1"])
    with pytest.raises(SitetwinError, match="no query with a judgement"):
        read_beir(tmp_path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SitetwinError, match=r"test\.tsv"):
        read_beir(tmp_path)


def test_another_layout_is_refused(tmp_path):
    lay_out(tmp_path, [{"id": "d1", "text": "First."}], [], ["q1\td2\t1"])
    with pytest.raises(SitetwinError, match="BEIR"):
        read_beir(tmp_path)


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/retrieval-dev is not there")
def test_the_shared_data_set():
    data = read_beir(DATA)
    assert (len(data.documents), len(data.queries)) == (1680, 472)
    assert sum(map(len, data.judgements.values())) == 575
