from pathlib import Path

import pytest

from pipeline.errors import SitetwinError
from pipeline.evaluation.labels import Label, Labels
from pipeline.settings import Settings


def test_the_last_label_of_an_answer_counts_and_can_be_taken_back(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path)
    labels = Labels(settings)
    assert labels.of("When?", "In 2013.") is None
    labels.keep(Label(question="When?", answer="In 2013.", right=True))
    labels.keep(Label(question="When?", answer="Last year.", right=True))
    labels.keep(Label(question="When?", answer="Last year.", right=False))
    for there in (labels, Labels(settings)):
        assert (there.of("When?", "In 2013."), there.of("When?", "Last year.")) == (True, False)
        assert there.of("Who?", "In 2013.") is None
    labels.keep(Label(question="When?", answer="In 2013.", right=None))
    assert Labels(settings).of("When?", "In 2013.") is None


def test_a_line_that_is_no_label_is_named(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path)
    file = Labels(settings).file
    file.parent.mkdir(parents=True)
    file.write_text('{"question": "When?", "answer": "Then."}\n', encoding="utf-8")
    with pytest.raises(SitetwinError, match=r"labels\.jsonl:1: .*remove that line"):
        Labels(settings)
