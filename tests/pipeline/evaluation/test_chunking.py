import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.commands.main import main

BREAD = "Rye bread needs a starter. The starter is fed with flour and water every day. The loaf bakes for an hour."
BOAT = "The boat is moored in Falmouth. Its mast was replaced in 2019. The hull is painted blue every spring."
QUESTIONS = [
    ("What is the starter fed with?", "bread", "The starter is fed with flour and water every day."),
    ("When was the mast replaced?", "boat", "Its mast was replaced in 2019."),
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two texts of three topics each, so long that each is several chunks."""
    texts = {"bread": f"# Kitchen\n\n{BREAD}\n\n## Soup\n\n" + "Soup is hot and salty. " * 20, "boat": BOAT}
    with (tmp_path / "questions.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["question", "references", "corpus_id"])
        for question, corpus, answer in QUESTIONS:
            start = texts[corpus].index(answer)
            found = [{"content": answer, "start_index": start, "end_index": start + len(answer)}]
            table.writerow([question, json.dumps(found), corpus])
    for name, text in texts.items():
        (tmp_path / f"{name}.md").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.slow
def test_each_chunker_is_measured_through_the_real_index(data: Path):
    (data / "sitetwin.toml").write_text("[index]\nchunk_chars = 200\nchunk_overlap = 0\n", encoding="utf-8")
    arguments = ["--config", str(data / "sitetwin.toml"), "bench", "chunking", str(data), "-k", "2", "--json"]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert (report["questions"], report["passages"], report["retrieval"]) == (2, 2, "hybrid")
    assert list(report["chunkers"]) == ["structure", "fixed", "semantic"]
    for measured in report["chunkers"].values():
        assert measured["chunks"] >= 4
        assert measured["mean_chars"] <= 200
        assert measured["chunks_per_second"] > 0
        assert measured["recall"] == 1.0  # both answers are in their text's best two chunks
        assert 0 < measured["precision"] <= measured["iou"] + 1e-4 < measured["precision_omega"] <= 1
    assert not (data / ".sitetwin").exists()
