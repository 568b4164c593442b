import json
from pathlib import Path

from benchmarks.index import copy_corpus, indexed_texts
from benchmarks.matmul import compare
from benchmarks.report import machine, render
from pipeline.settings import ContentSource, Settings

FIGURES = {"ratio": 12.345678, "tokens_per_second": 12345.6, "blas": "OpenBLAS", "peer_per_second": None}


def test_json_is_one_document_with_the_figures() -> None:
    assert json.loads(render("Title", FIGURES, as_json=True)) == {"machine": machine(), **FIGURES}


def test_the_table_names_machine_and_what_was_not_measured() -> None:
    lines = render("Title", FIGURES, as_json=False).splitlines()
    assert lines[:2] == ["Title", f"  on {machine()}"]
    assert [line.split() for line in lines[2:]] == [
        ["ratio", "12.35"],
        ["tokens", "per", "second", "12,346"],
        ["blas", "OpenBLAS"],
        ["peer", "per", "second", "not", "measured"],
    ]


def test_ratios_are_preload_over_reference() -> None:
    fast = {"gflops": 300.0, "prefill_tokens_per_second": 200.0, "decode_tokens_per_second": 20.0, "blas": "OpenBLAS"}
    slow = {"gflops": 3.0, "prefill_tokens_per_second": 10.0, "decode_tokens_per_second": 8.0, "blas": "reference"}
    figures = compare({"preload": fast, "reference": slow})
    assert (figures["ratio"], figures["prefill_ratio"], figures["decode_ratio"]) == (100, 20, 2.5)
    assert compare({"preload": fast})["ratio"] is None


def test_a_corpus_is_cut_to_size_and_its_texts_are_the_indexs(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    copy_corpus(notes, 20_000)
    assert 5_000 < sum(file.stat().st_size for file in notes.iterdir()) < 25_000
    texts = indexed_texts(Settings(root=tmp_path, content=[ContentSource(path=Path("notes"))]))
    assert len(texts) > 5
    assert len(set(texts)) == len(texts)
