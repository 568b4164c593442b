import asyncio
import json

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from pipeline.commands.main import main
from pipeline.dataset.build import build
from pipeline.dataset.decisions import (
    Choice,
    Decision,
    choices_file,
    decisions_file,
    read_choices,
    record_choices,
    record_decisions,
)
from pipeline.dataset.export import preference_rows
from pipeline.dataset.records import Pair, Preference
from pipeline.dataset.versions import read_card, read_preferences, read_rows, version_folder
from pipeline.settings import PersonaSettings
from tests.pipeline.dataset.notes import cut, document, embed, site

DOCUMENTS = [document(number) for number in range(10)]


class TwoAnswers:
    """Asks the same question of a chunk twice; the second answer is graded so low that the filter refuses it."""

    name = "two-answers"

    def __init__(self, second="Something about {title}."):
        self._second = second

    async def write(self, task):
        source = task.sources[0]
        return [
            Pair(
                question=f"What does {source.title} say in {source.heading}?", answer=answer, kind=task.kind,
                source=source.document, chunk_index=source.index, chunks=(source.chunk,), accuracy=grade, style=9,
            )
            for answer, grade in ((source.text.split(". ")[0], 9), (self._second.format(title=source.title), 3))
        ]  # fmt: skip


def run(settings, documents=DOCUMENTS, teacher=None):
    teacher = teacher or TwoAnswers()
    return asyncio.run(build(settings, documents, teacher=teacher, judge=None, cut=cut, embed=embed))


def found(settings):
    return read_preferences(version_folder(settings))


@pytest.fixture
def settings(tmp_path):
    return site(tmp_path, kinds=["fact"], pairs_per_chunk=2)


def test_the_filters_choice_between_two_answers_to_one_question(settings):
    run(settings)
    rows = {row.original: row for row in read_rows(version_folder(settings))}
    preferred = found(settings)
    assert len(preferred) == len(rows) == 20
    for one in preferred:
        row = rows[one.pairs[0]]
        assert (one.why, one.split) == ("filter", row.split)
        assert (one.question, one.chosen) == (row.pair.question, row.pair.answer)
        assert one.rejected.startswith("Something about")


def test_an_edit_is_better_than_its_draft(settings):
    run(settings)
    draft = read_rows(version_folder(settings))[0]
    record_decisions(
        decisions_file(settings),
        [Decision(pair=draft.original, action="edit", question="In short?", answer="I measured it, and it was fine.")],
    )
    run(settings)
    [one] = [one for one in found(settings) if one.why == "edit"]
    assert (one.question, one.chosen, one.rejected) == (
        "In short?",
        "I measured it, and it was fine.",
        draft.pair.answer,
    )
    assert (one.split, one.pairs) == (draft.split, (draft.original,))


def test_an_edit_of_the_question_alone_prefers_nothing(settings):
    run(settings)
    draft = read_rows(version_folder(settings))[0]
    edit = Decision(pair=draft.original, action="edit", question="In short?", answer=f"{draft.pair.answer} ")
    record_decisions(decisions_file(settings), [edit])
    run(settings)
    assert not [one for one in found(settings) if one.why == "edit"]


def test_the_owners_choice_overrules_the_filters(settings):
    run(settings)
    kept = found(settings)[0]
    record_choices(choices_file(settings), [Choice(better=kept.pairs[1], worse=kept.pairs[0])])
    run(settings)
    [one] = [one for one in found(settings) if one.why == "choice"]
    assert (one.chosen, one.rejected) == (kept.rejected, kept.chosen)


def test_a_choice_taken_back_is_none(settings):
    file = choices_file(settings)
    record_choices(file, [Choice(better="a", worse="b"), Choice(better="c", worse="d")])
    record_choices(file, [Choice(better="b", worse="a", action="undo")])
    assert [(choice.better, choice.worse) for choice in read_choices(file)] == [("c", "d")]


def test_a_choice_is_between_two():
    with pytest.raises(ValidationError, match="between two pairs"):
        Choice(better="a", worse="a")


def test_answers_of_a_training_and_a_test_document_are_not_compared(settings):
    run(settings)
    rows = read_rows(version_folder(settings))
    train, test = (next(row.original for row in rows if row.split == split) for split in ("train", "test"))
    record_choices(choices_file(settings), [Choice(better=train, worse=test)])
    run(settings)
    assert not [one for one in found(settings) if one.why == "choice"]


def test_a_choice_about_a_private_pair_does_not_reach_a_public_data_set(tmp_path):
    private = site(tmp_path, kinds=["fact"], pairs_per_chunk=2, visibility="private")
    hidden = document(10, "diary", visibility="private")
    run(private, [*DOCUMENTS, hidden])
    rows = read_rows(version_folder(private))
    secret = next(row for row in rows if row.pair.source == hidden.id)
    shown = next(row for row in rows if row.split == secret.split and row.pair.source != hidden.id)
    record_choices(choices_file(private), [Choice(better=shown.original, worse=secret.original)])
    run(private, [*DOCUMENTS, hidden])
    assert [one.rejected for one in found(private) if one.why == "choice"] == [secret.pair.answer]
    public = site(tmp_path, kinds=["fact"], pairs_per_chunk=2)
    run(public)
    assert read_card(version_folder(public)).visibility == "public"
    assert "diary" not in "".join(one.model_dump_json() for one in found(public))


@pytest.mark.parametrize(("stages", "number"), [(["score", "privacy"], 0), (["score"], 20)])
def test_no_secret_is_an_answer_that_loses(tmp_path, stages, number):
    settings = site(tmp_path, kinds=["fact"], pairs_per_chunk=2, stages=stages)
    run(settings, teacher=TwoAnswers("Write to jane.doe@mailbox.org about {title}."))
    assert len(found(settings)) == number


def test_a_row_is_trls_preference_with_an_explicit_prompt():
    one = Preference(question="Why?", chosen="So.", rejected="No.", why="edit", split="train", pairs=("a",))
    rows = preference_rows([one], PersonaSettings(name="Ada"))
    assert rows == {
        "train": [
            {
                "prompt": [
                    {"role": "system", "content": "Your name is Ada."},
                    {"role": "user", "content": "Why?"},
                ],
                "chosen": [{"role": "assistant", "content": "So."}],
                "rejected": [{"role": "assistant", "content": "No."}],
            }
        ],
        "valid": [],
        "test": [],
    }


def test_the_command_writes_them_and_wants_one_form(settings, monkeypatch):
    run(settings)
    (settings.root / "sitetwin.toml").write_text("", encoding="utf-8")
    monkeypatch.chdir(settings.root)
    result = CliRunner().invoke(main, ["dataset", "export", "--preferences", "--to", "out", "--json"])
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["files"]
    assert sum(rows.values()) == 20
    line = (settings.root / "out" / "train.jsonl").read_text(encoding="utf-8").splitlines()[0]
    assert set(json.loads(line)) == {"prompt", "chosen", "rejected"}
    both = CliRunner().invoke(main, ["dataset", "export", "--preferences", "--format", "trl"])
    assert (both.exit_code, "name either --format" in both.output) == (2, True)
