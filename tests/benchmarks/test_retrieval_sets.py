from pathlib import Path

from benchmarks import retrieval_sets
from pipeline.evaluation.beir import read_beir, write_beir

SOURCE = '''"""About the module, which is no function."""


class Lathe:
    """Turns wood to a round shape."""

    def stop(self):
        """Ends the turning as soon as it can."""
        self.turning = False


def oil(part):
    """Same words at two of the places."""
    return part


def grease(part):
    """Same words at two of the places."""
    return part + 1
'''


def test_code_is_asked_with_what_was_taken_out_of_it(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "shop.py").write_text(SOURCE, "utf-8")
    monkeypatch.setattr(retrieval_sets, "MODULES", ["shop"])
    monkeypatch.setattr(retrieval_sets, "PIECE_CHARS", 40)
    corpus, queries, judged = retrieval_sets.code(tmp_path)
    assert queries == {"0": "Turns wood to a round shape."}
    (place,) = judged["0"]
    assert "class Lathe" in corpus[place][1]
    assert not any('"""' in text for _, text in corpus.values())
    lines = [line for _, text in corpus.values() for line in text.splitlines() if line.strip()]
    assert lines == [line for line in SOURCE.splitlines() if line.strip() and '"""' not in line]


def test_every_question_of_the_guides_has_a_section_with_its_fact() -> None:
    corpus, queries, judged = retrieval_sets.guides()
    assert len(queries) > 40
    assert queries.keys() == judged.keys()
    assert all(ids <= corpus.keys() and ids for ids in judged.values())


def test_what_is_written_is_read(tmp_path: Path) -> None:
    corpus = {"a#1": ("Lathe", "Oil it.\nOften."), "b": ("", "Ärger")}
    write_beir(tmp_path, corpus, {"q": "Why?"}, {"q": {"b", "a#1"}})
    data = read_beir(tmp_path)
    assert {each.id: (each.title, each.text) for each in data.documents} == corpus
    assert (data.queries, data.judgements) == ({"q": "Why?"}, {"q": {"a#1": 1, "b": 1}})
