from pathlib import Path

import numpy as np
import pytest

from pipeline.answerability import calibration
from pipeline.answerability.calibration import ASSUMED, fit_logistic, load_calibration, refresh_calibration
from pipeline.answerability.judging import answerability_judge
from pipeline.index import open_index
from pipeline.index.passages import Passage
from pipeline.settings import Settings
from tests.pipeline.answerability.conftest import NOTES, Vault


def declined(vault: Vault, question: str) -> bool:
    with open_index(vault.settings) as index:
        passages = index.search(question, visibility="public").passages
    return answerability_judge(vault.settings)(question, passages).declined


def test_it_is_learnt_once_and_again_when_the_notes_changed(vault: Vault) -> None:
    assert load_calibration(vault.settings) is None
    assert refresh_calibration(vault.settings)
    known = load_calibration(vault.settings)
    assert known is not None
    assert known.public.models["keyword"] != ASSUMED["keyword"]
    assert known.everything == known.public
    assert not refresh_calibration(vault.settings)
    vault.write({"new.md": "# Bicycle\n\nThe bicycle has a new chain and two new tyres."})
    assert refresh_calibration(vault.settings)


def test_private_notes_leave_no_trace_in_what_is_learnt_for_visitors(vault: Vault) -> None:
    refresh_calibration(vault.settings)
    before = load_calibration(vault.settings)
    secrets = {
        f"secret{n}.md": f"---\nprivate: true\n---\nThe oven and the shrine number {n} are secret." for n in range(5)
    }
    vault.write(secrets)
    assert refresh_calibration(vault.settings)
    after = load_calibration(vault.settings)
    assert before is not None
    assert after is not None
    assert after.public == before.public
    assert after.everything != before.everything


@pytest.mark.parametrize("learnt", [False, True])
def test_what_is_in_the_notes_is_answered_and_what_is_not_is_declined(vault: Vault, learnt: bool) -> None:
    if learnt:
        refresh_calibration(vault.settings)
    assert not declined(vault, "How hot should the oven be for the crust?")
    assert not declined(vault, "What is the home server named?")
    assert not declined(vault, "Which shell expands abbreviations?")
    assert declined(vault, "What is the capital of Peru?")
    assert declined(vault, "Which passport office renews my documents?")
    assert declined(vault, "Who designed the home page of Kyoto's airline?")


def test_a_limit_set_by_hand_wins(vault: Vault) -> None:
    refresh_calibration(vault.settings)
    with open_index(vault.settings) as index:
        found = index.search("What is the home server named?").passages
        far = index.search("Where does the mouse live in winter?").passages
    assert answerability_judge(vault.declining_below(1.0))("What is the home server named?", found).declined
    assert not answerability_judge(vault.declining_below(0.0))("Where does the mouse live in winter?", far).declined


def test_without_an_index_what_holds_in_general_decides(tmp_path: Path) -> None:
    judge = answerability_judge(Settings(root=tmp_path))
    with_text = Passage(
        id="a", document="a.md", title="Ports", url="", heading="", text="The gateway listens on port 8765.", score=1,
        visibility="public",
    )  # fmt: skip
    assert judge("Which port does the gateway listen on?", []).declined
    assert judge("Who painted the Mona Lisa?", [with_text]).declined
    assert not judge("Which port does the gateway listen on?", [with_text]).declined


def test_what_another_version_learnt_is_not_used(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    refresh_calibration(vault.settings)
    monkeypatch.setattr(calibration, "VERSION", calibration.VERSION + 1)
    assert load_calibration(vault.settings) is None
    assert refresh_calibration(vault.settings)


def test_a_damaged_file_is_learnt_anew(vault: Vault) -> None:
    calibration.calibration_path(vault.settings).write_text('{"version": 1, "pub', encoding="utf-8")
    assert load_calibration(vault.settings) is None
    assert refresh_calibration(vault.settings)
    assert load_calibration(vault.settings) is not None


def test_a_single_note_keeps_what_is_assumed(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    for name in NOTES:
        if name != "tart.md":
            (tmp_path / "notes" / name).unlink()
    vault.write({})
    refresh_calibration(vault.settings)
    known = load_calibration(vault.settings)
    assert known is not None
    assert known.public.models == ASSUMED


def test_the_regression_finds_the_weights_that_made_the_labels() -> None:
    rng = np.random.default_rng(1)
    rows = np.column_stack([rng.normal(size=(4000, 2)), np.ones(4000)])
    made = np.array([2.0, -1.0, 0.5])
    labels = (rng.random(4000) < 1 / (1 + np.exp(-rows @ made))).astype(float)
    found = fit_logistic(rows, labels, np.zeros(3), np.full(3, 1e-6))
    assert found == pytest.approx(made, abs=0.2)
    held = fit_logistic(rows, labels, np.zeros(3), np.full(3, 1e9))
    assert held == pytest.approx(np.zeros(3), abs=1e-3)
