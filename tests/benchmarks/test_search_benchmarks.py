import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import comparing_words, freshness, retrieval, search_scale, vault
from benchmarks.synthetic import notes, sentences
from pipeline.content import read_sources
from pipeline.content.chunking import chunk_document
from pipeline.errors import SitetwinError
from pipeline.evaluation.beir import write_beir
from pipeline.evaluation.retrieval import ModeReport, RetrievalReport
from pipeline.settings import FILE_NAME, Settings, load_settings


def test_prose_is_whole_sentences_without_code_lists_and_tables(tmp_path: Path) -> None:
    text = "---\ntitle: A\n---\n\n# Heading here it is.\n\nOne sentence\nstands here. Two.\n\n- An item of a list.\n"
    (tmp_path / "a.md").write_text(
        f"{text}\n```sh\necho this is no prose.\n\nThis neither, it is code.\n```\n", "utf-8"
    )
    assert sentences(tmp_path) == ["One sentence stands here."]


def test_notes_are_the_same_each_time_and_differ_among_each_other() -> None:
    prose = sentences()
    assert len(prose) > 100
    made = list(notes(50, prose))
    assert made == list(notes(50, prose))
    assert len({title for title, _ in made}) == 50
    assert len({text for _, text in made}) > 45


def test_every_note_of_the_vault_is_read_and_is_one_chunk(tmp_path: Path) -> None:
    files = freshness.write_vault(tmp_path, 45)
    settings = load_settings(tmp_path / FILE_NAME)
    documents = [report.document for report in read_sources(settings)]
    assert {document.path for document in documents if document} == set(files)
    assert {len(chunk_document(document, settings.index.chunk_chars)) for document in documents if document} == {1}


def test_what_is_never_found_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freshness, "LONGEST_SECONDS", 0.0)
    with pytest.raises(SitetwinError, match="fewer --notes"):
        freshness.wait_until(lambda: False, since=0.0)


def test_freshness_is_one_second_over_the_95th_percentile() -> None:
    figures = freshness.summary({"hybrid": [0.1] * 22, "chat": [0.5] * 19 + [2.0] * 2 + [4.0]})
    assert figures["chat_longest_seconds"] == 4.0
    assert (figures["hybrid_p50_seconds"], figures["chat_p50_seconds"]) == (0.1, 0.5)
    assert (figures["chat_p95_seconds"], figures["ratio"]) == (2.0, 0.5)


def test_a_fact_is_asked_by_its_thing_and_known_by_its_colour() -> None:
    fact = freshness.Fact("quokka", "zorble")
    assert ("quokka" in fact.question, "zorble" in fact.question) == (True, False)
    assert "zorble" in fact.sentence


def test_random_vectors_depend_on_the_text_alone() -> None:
    first, second = search_scale.RandomVectors(), search_scale.RandomVectors(["a heron"])
    vectors = first.embed(["a heron", "an ibis"])
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert abs(vectors[0] @ vectors[1]) < 0.3
    assert (second.embed(["a heron", "an ibis"]) == vectors).all()
    assert first.embed([]).shape == (0, 384)


def test_a_fifth_of_the_chunks_is_private() -> None:
    documents = [report.document for report in search_scale.reports(20) if report.document]
    assert [document.visibility for document in documents].count("private") == 4
    assert len({chunk.id for document in documents for chunk in search_scale.whole(document)}) == 20


def test_sizes_count_what_sqlite_keeps_beside_its_file(tmp_path: Path) -> None:
    for name in ("index.db", "index.db-wal", "other"):
        (tmp_path / name).write_bytes(bytes(500_000))
    assert search_scale.megabytes(tmp_path / "index.db") == 1.0
    assert search_scale.megabytes(tmp_path) == 1.5


def test_growth_compares_the_two_largest_sizes() -> None:
    figures = search_scale.summary({n: {"hybrid_p50_ms": ms} for n, ms in ((100, 30.0), (10, 6.0), (1, 4.0))})
    assert figures["ratio"] == 5
    assert list(figures)[1:] == ["1_chunks_hybrid_p50_ms", "10_chunks_hybrid_p50_ms", "100_chunks_hybrid_p50_ms"]


def test_hybrid_is_compared_with_the_better_list() -> None:
    modes = {
        mode: ModeReport(measures={"ndcg@10": ndcg, "recall@10": 0.5, "mrr@3": 0.4}, query_ms={"p50": 8.0, "p95": 9.0})
        for mode, ndcg in (("hybrid", 0.6), ("dense", 0.5), ("keyword", 0.4))
    }
    figures = retrieval.summary(RetrievalReport.model_validate({"chunks": 7, "chunks_per_second": 2.0, "modes": modes}))
    assert figures["ratio"] == pytest.approx(1.2)
    assert (figures["keyword_ndcg@10"], figures["hybrid_p95_ms"], figures["chunks"]) == (0.4, 9.0, 7)


def test_a_missing_data_set_is_named_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / FILE_NAME).write_text("", "utf-8")
    options = [str(tmp_path / "nowhere"), "--config", str(tmp_path / FILE_NAME)]
    monkeypatch.setattr(sys, "argv", ["retrieval", *options])
    with pytest.raises(SystemExit, match="can't be read"):
        retrieval.main()


def test_a_vault_is_written_and_compared_with_a_tenth(tmp_path):
    vault.write_vault(tmp_path, 120)
    assert len(list((tmp_path / "notes").rglob("*.md"))) == 120
    assert (tmp_path / "notes/1/119.md").is_file()
    figures = vault.summary(120, {"first_megabytes": 400.0}, {"first_megabytes": 100.0})
    assert figures == {"ratio": 4.0, "notes": 120, "first_megabytes": 400.0, "tenth_first_megabytes": 100.0}


@pytest.mark.slow
def test_the_comparison_of_words_is_measured_beside_the_former(tmp_path: Path) -> None:
    corpus = {"a": ("Gate", "It is made of oak."), "b": ("Boat", "It is made of pine, and leaks.")}
    write_beir(tmp_path, corpus, {"q": "Which wood is the gate made of?"}, {"q": {"a"}})
    figures = comparing_words.measure(tmp_path, Settings(root=tmp_path), None)
    assert (figures["questions"], figures["today_mrr@3"], figures["same_first"]) == (1, 1.0, 1.0)
    assert isinstance(figures["ratio"], float)
    assert figures["ratio"] > 0
