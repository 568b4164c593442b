import numpy as np
import pytest

from pipeline.training.cpu import projections
from tests.pipeline.training.cpu.models import make_model


def test_a_dropped_input_is_dropped_as_often_as_asked():
    part = projections.Projections({"q": make_model(dropout=0.05).layers[0].self_attn.q_proj}, is_packed=False)
    x = np.ones((200, 576), np.float32)
    left, dropped = part._dropped(x, seed=3)
    assert np.array_equal(np.flatnonzero(left == 0), dropped)
    assert len(np.unique(dropped)) == len(dropped)
    assert 0 <= dropped.min() < dropped.max() < 200 * 576
    assert len(dropped) / (200 * 576) == pytest.approx(0.05, abs=0.003)
    halves = np.histogram(dropped, 2, (0, 200 * 576))[0]
    assert halves[0] == pytest.approx(halves[1], rel=0.1)
