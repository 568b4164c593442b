import json
from pathlib import Path

import pytest

from pipeline.weights import blas

blas.preload(1)

from pipeline.advice.memory import BITS, SIZES, need, own_need, shape_from, table  # noqa: E402
from pipeline.machine import Machine  # noqa: E402
from pipeline.training.memory import shape_of  # noqa: E402
from tests.tiny_llama import make_bases  # noqa: E402

MAC = Machine("darwin", "arm64", "15.0", 16 * 2**30)


def test_a_configuration_gives_the_shape_that_the_weights_have(tmp_path: Path) -> None:
    make_bases(tmp_path)
    config = json.loads((tmp_path / "base" / "config.json").read_text())
    real, reckoned = shape_of(tmp_path / "base"), shape_from(config, 16)
    assert (reckoned.words, reckoned.width, reckoned.heads) == (real.words, real.width, real.heads)
    assert [set(layer.items()) for layer in reckoned.layers] == [set(layer.items()) for layer in real.layers]


@pytest.mark.parametrize(
    ("size", "bits", "answer", "train"),
    # Figures that others report for a Mac: a 7B answers in 6 to 8 GB and trains in about 8, a 32B answers in 20 to 22.
    [("7B", 4, (5.5, 8), (7.5, 10)), ("14B", 4, (10, 13), (12, 17)), ("32B", 4, (19, 24), (23, 30))],
)
def test_needs_are_near_what_is_reported(size, bits, answer, train) -> None:
    found = need(size, SIZES[size], bits, MAC)
    assert answer[0] <= found.answer <= answer[1]
    assert train[0] <= found.train <= train[1]
    assert found.rag == pytest.approx(found.answer + 0.5, abs=0.11)


def test_the_table_has_every_size_at_every_bits_and_says_what_fits() -> None:
    found = table(MAC)
    assert [(one.size, one.bits) for one in found] == [
        (size, bits) for size in ("1B", "3B", "7B", "14B", "32B") for bits in BITS
    ]
    fits = {(one.size, one.bits): (one.fits_answer, one.fits_train) for one in found}
    assert fits["7B", 4] == (True, True)
    assert fits["14B", 4][1] is False
    assert fits["32B", 4] == (False, False)
    for one in (one for one in found if one.bits == 16):
        four = next(other for other in found if (other.size, other.bits) == (one.size, 4))
        assert four.answer < one.answer
        assert four.train < one.train


def test_the_owners_model_is_reckoned_as_its_weights_are(tmp_path: Path) -> None:
    make_bases(tmp_path)
    whole, quantised = own_need(tmp_path / "base", MAC), own_need(tmp_path / "quantised", MAC)
    assert whole.bits == 32
    assert quantised.bits < 16
    # The engine itself takes 1.5 GB beside a model of a few kilobytes.
    assert whole.answer == 1.5
