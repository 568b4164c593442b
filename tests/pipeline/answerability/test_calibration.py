from pathlib import Path

import numpy as np
import pytest

from pipeline.answerability import calibration
from pipeline.answerability.calibration import ASSUMED, fit_logistic, load_calibration
from pipeline.index.passages import Passage
from pipeline.settings import Settings
from pipeline.site import Site
from tests.pipeline.answerability.conftest import NOTES, Vault


def declined(vault: Vault, question: str) -> bool:
    with Site(vault.settings).index() as index:
        passages = index.search(question, visibility="public").passages
    return Site(vault.settings).assistant.judge(question, passages).declined


def test_it_is_learnt_once_and_again_when_the_notes_changed(vault: Vault) -> None:
    assert load_calibration(vault.settings) is None
    assert Site(vault.settings).calibrate()
    known = load_calibration(vault.settings)
    assert known is not None
    assert known.public.models["keyword"] != ASSUMED["keyword"]
    assert known.everything == known.public
    assert not Site(vault.settings).calibrate()
    vault.write({"new.md": "# Bicycle\n\nThe bicycle has a new chain and two new tyres."})
    assert Site(vault.settings).calibrate()


def test_the_same_notes_teach_the_same_after_updates_as_in_a_fresh_index(tmp_path: Path) -> None:
    fresh, updated = (tmp_path / name for name in ("fresh", "updated"))
    learnt = []
    for root in (fresh, updated):
        root.mkdir()
        vault = Vault(root)
        if root is updated:
            for first in ("advice.md", "kyoto.md"):  # they come back behind the others
                (root / "notes" / first).unlink()
            vault.write({})
            vault.write(NOTES)
        Site(vault.settings).calibrate()
        learnt.append(load_calibration(vault.settings))
    assert learnt[0] is not None
    assert learnt[0] == learnt[1]


def test_private_notes_leave_no_trace_in_what_is_learnt_for_visitors(vault: Vault) -> None:
    Site(vault.settings).calibrate()
    before = load_calibration(vault.settings)
    secrets = {
        f"secret{n}.md": f"---\nprivate: true\n---\nThe oven and the shrine number {n} are secret." for n in range(5)
    }
    vault.write(secrets)
    assert Site(vault.settings).calibrate()
    after = load_calibration(vault.settings)
    assert before is not None
    assert after is not None
    assert after.public == before.public
    assert after.everything != before.everything


@pytest.mark.parametrize("learnt", [False, True])
def test_what_is_in_the_notes_is_answered_and_what_is_not_is_declined(vault: Vault, learnt: bool) -> None:
    if learnt:
        Site(vault.settings).calibrate()
    assert not declined(vault, "How hot should the oven be for the crust?")
    assert not declined(vault, "What is the home server named?")
    assert not declined(vault, "Which shell expands abbreviations?")
    assert declined(vault, "What is the capital of Peru?")
    assert declined(vault, "Which passport office renews my documents?")
    assert declined(vault, "Who designed the home page of Kyoto's airline?")


def test_a_limit_set_by_hand_wins(vault: Vault) -> None:
    Site(vault.settings).calibrate()
    with Site(vault.settings).index() as index:
        found = index.search("What is the home server named?").passages
        far = index.search("Where does the mouse live in winter?").passages
    assert Site(vault.declining_below(1.0)).assistant.judge("What is the home server named?", found).declined
    assert not Site(vault.declining_below(0.0)).assistant.judge("Where does the mouse live in winter?", far).declined


def test_without_an_index_what_holds_in_general_decides(tmp_path: Path) -> None:
    judge = Site(Settings(root=tmp_path)).assistant.judge
    with_text = Passage(
        id="a", document="a.md", title="Ports", url="", heading="", text="The gateway listens on port 8765.", score=1,
        visibility="public",
    )  # fmt: skip
    assert judge("Which port does the gateway listen on?", []).declined
    assert judge("Who painted the Mona Lisa?", [with_text]).declined
    assert not judge("Which port does the gateway listen on?", [with_text]).declined


def test_what_another_version_learnt_is_not_used(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    Site(vault.settings).calibrate()
    monkeypatch.setattr(calibration, "VERSION", calibration.VERSION + 1)
    assert load_calibration(vault.settings) is None
    assert Site(vault.settings).calibrate()


def test_a_damaged_file_is_learnt_anew(vault: Vault) -> None:
    calibration.calibration_path(vault.settings).write_text('{"version": 1, "pub', encoding="utf-8")
    assert load_calibration(vault.settings) is None
    assert Site(vault.settings).calibrate()
    assert load_calibration(vault.settings) is not None


def test_a_single_note_keeps_what_is_assumed(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    for name in NOTES:
        if name != "tart.md":
            (tmp_path / "notes" / name).unlink()
    vault.write({})
    Site(vault.settings).calibrate()
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
