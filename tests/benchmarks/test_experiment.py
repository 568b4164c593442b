from pathlib import Path

import click
import pytest

from benchmarks.experiment import CONTENT, dataset_variable, prepare, settings_file
from pipeline.settings import FILE_NAME, load_settings


@pytest.mark.parametrize("notes", sorted(CONTENT))
def test_the_site_of_the_experiment_is_public_and_asks_its_own_questions(tmp_path: Path, notes: str) -> None:
    (tmp_path / FILE_NAME).write_text(settings_file(notes, "demo", 80), encoding="utf-8")
    settings = load_settings(tmp_path / FILE_NAME)
    assert settings.content[0].visibility == "public"
    assert settings.evaluation.questions is not None
    assert settings.evaluation.questions.is_file()
    assert (settings.chat.max_tokens, settings.models.chat) == (80, "demo")


def test_a_site_that_is_there_is_not_begun_again(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("mine", encoding="utf-8")
    prepare(tmp_path, "docs", "demo", 80)
    assert (tmp_path / FILE_NAME).read_text(encoding="utf-8") == "mine"


def test_a_key_of_the_data_set_is_set_for_the_other_adapter_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / FILE_NAME).write_text(settings_file("docs", "demo", 80), encoding="utf-8")
    for name, value in dataset_variable("paraphrases=0.5").items():
        monkeypatch.setenv(name, value)
    assert load_settings(tmp_path / FILE_NAME).dataset.paraphrases == 0.5


@pytest.mark.parametrize("assignment", ["paraphrase=0.5", "paraphrases", ""])
def test_an_unknown_key_of_the_data_set_is_refused(assignment: str) -> None:
    with pytest.raises(click.UsageError, match="--against takes a key"):
        dataset_variable(assignment)
