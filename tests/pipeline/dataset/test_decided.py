import asyncio
import json

import pytest
from click.testing import CliRunner

from pipeline.commands.main import main
from pipeline.dataset.build import build
from pipeline.dataset.decisions import (
    Choice,
    Decision,
    choices_file,
    decisions_file,
    record_choices,
    record_decisions,
)
from pipeline.dataset.versions import read_rows, version_folder
from tests.pipeline.dataset.notes import FirstSentences, cut, document, embed, site


@pytest.fixture
def settings(tmp_path, monkeypatch):
    made = site(tmp_path)
    documents = [document(number) for number in range(5)]
    asyncio.run(build(made, documents, teacher=FirstSentences(), judge=None, cut=cut, embed=embed))
    (tmp_path / "sitetwin.toml").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return made


def export(*more):
    return CliRunner().invoke(main, ["dataset", "export", "--decisions", "--to", "out", *more])


def lines(settings, name):
    text = (settings.root / "out" / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_decisions_and_choices_are_written_with_their_pairs(settings):
    first, second, third = (row.pair for row in read_rows(version_folder(settings))[:3])
    edit = Decision(pair=first.id, action="edit", question="Why?", answer="So it is.")
    said = [edit, Decision(pair=second.id, action="reject"), Decision(pair=third.id, action="accept")]
    record_decisions(decisions_file(settings), [*said, Decision(pair=third.id, action="undo")])
    choice = Choice(better=third.id, worse=second.id)
    record_choices(choices_file(settings), [choice, Choice(better=first.id, worse=second.id, action="neither")])
    result = export("--json")
    assert result.exit_code == 0, result.output
    assert list(json.loads(result.stdout)["files"].values()) == [2, 1]
    assert lines(settings, "decisions.jsonl") == [
        {
            "pair": first.model_dump(mode="json"), "id": first.id, "decision": "edit",
            "edit": {"question": "Why?", "answer": "So it is."}, "when": edit.model_dump(mode="json")["at"],
        },
        {
            "pair": second.model_dump(mode="json"), "id": second.id, "decision": "reject",
            "edit": None, "when": said[1].model_dump(mode="json")["at"],
        },
    ]  # fmt: skip
    [line] = lines(settings, "choices.jsonl")
    assert (line["better"]["answer"], line["worse"]["answer"]) == (third.answer, second.answer)


def test_what_was_decided_about_a_pair_that_is_gone_is_left_out(settings):
    edit = Decision(pair="0123456789abcdef", action="edit", question="Whose diary?", answer="Mine.")
    record_decisions(decisions_file(settings), [edit])
    result = export()
    assert result.exit_code == 0, result.output
    assert "left out: 1 about pairs that data set 1 has not" in result.stderr
    assert lines(settings, "decisions.jsonl") == []


def test_one_thing_is_exported_at_a_time(settings):
    result = export("--preferences")
    assert result.exit_code == 2
    assert "or --preferences, or --decisions" in result.output
