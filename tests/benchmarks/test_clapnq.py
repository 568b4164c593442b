import json
from pathlib import Path

from benchmarks.clapnq import write_notes


def test_passages_of_one_article_become_one_note(tmp_path: Path) -> None:
    def task(part: str, *texts: str) -> str:
        contexts = [{"document_id": f"{part}{place}", "text": text} for place, text in enumerate(texts)]
        return json.dumps({"Collection": part, "contexts": contexts})

    tasks = tmp_path / "tasks.jsonl"
    apart = "\nE. E. Cummings\nHe wrote `` Tulips '' , his first book .\n"
    tasks.write_text("\n".join([task("clapnq", apart, "E. E. Cummings\nBorn in 1894 ."), task("govt", "Roads\nLong.")]))
    write_notes(tasks, tmp_path / "notes")
    assert {file.name: file.read_text() for file in (tmp_path / "notes").iterdir()} == {
        "e-e-cummings.md": '# E. E. Cummings\n\nHe wrote "Tulips", his first book.\n\nBorn in 1894.\n'
    }
