from pathlib import Path

from pipeline.answerability.background import BackgroundCalibration
from pipeline.answerability.calibration import load_calibration
from pipeline.site import Site
from tests.pipeline.answerability.conftest import Vault


def test_it_learns_in_the_background_and_says_so_once(vault: Vault) -> None:
    said: list[str] = []
    learn = BackgroundCalibration(Site(vault.settings).calibrate, said.append)
    for _ in range(2):
        learn()
        learn.join()
    assert said == ["learnt from the notes when to decline a question"]
    assert load_calibration(vault.settings) is not None


def test_a_failure_is_said_and_the_next_sync_tries_again(vault: Vault) -> None:
    said: list[str] = []
    learn = BackgroundCalibration(Site(vault.settings).calibrate, said.append)
    index = Path(vault.settings.state / "index.db")
    good = index.read_bytes()
    index.write_bytes(b"no database" * 1000)
    learn()
    learn.join()
    assert "sitetwin index --rebuild" in said[0]
    index.write_bytes(good)
    learn()
    learn.join()
    assert load_calibration(vault.settings) is not None
