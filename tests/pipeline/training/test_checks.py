from dataclasses import replace

import psutil
import pytest
from mlx.utils import tree_flatten
from mlx_lm.utils import load_model

from pipeline.errors import ModelError, SitetwinError
from pipeline.training.checks import check_base, check_rows, check_visibility, fit_memory
from pipeline.training.config import configuration
from pipeline.training.cpu import fit
from pipeline.training.data import TokenRow
from pipeline.training.memory import FLOAT, HELD, estimate, free_memory, peak, shape_of, smaller
from pipeline.training.setup import add_adapter
from pipeline.weights import blas

CONFIG = configuration("best", {"max_seq_length": 50})


def row(tokens: int = 40, start: int = 20) -> TokenRow:
    return TokenRow(list(range(tokens)), start)


def test_a_good_data_set_gives_no_warning():
    assert check_rows([row()] * 100, [row()] * 5, CONFIG) == []


def test_few_rows_and_no_validation_say_what_to_expect():
    few, none = check_rows([row()] * 99, [], CONFIG)
    assert "only 99 rows: expect the tone at best" in few
    assert "the last weights are kept" in none


def test_fewer_rows_than_a_batch_are_refused():
    with pytest.raises(SitetwinError, match=r"1 rows do not fill a batch of 2: --set batch_size=1"):
        check_rows([row()], [row()], CONFIG)
    with pytest.raises(SitetwinError, match="build a data set with pairs"):
        check_rows([], [row()], CONFIG)


def test_long_rows_are_counted():
    (warning,) = check_rows([row()] * 99 + [row(60)], [row()], CONFIG)
    assert "1 of 100 training rows are longer than 50 tokens" in warning
    assert "--set max_seq_length=60 keeps all" in warning


@pytest.mark.parametrize("prompt", [50, 55])
def test_a_prompt_that_fills_the_window_is_refused(prompt):
    with pytest.raises(SitetwinError, match=rf"validation row 2 has {prompt} tokens before its answer.*=70"):
        check_rows([row()] * 100, [row(), row(70, prompt)], CONFIG)


def test_one_token_of_an_answer_is_enough():
    assert len(check_rows([row()] * 100, [row(70, 49)], CONFIG)) == 1


def test_an_empty_row_is_refused():
    with pytest.raises(SitetwinError, match="nothing is left to learn"):
        check_rows([row(1, 0)] * 100, [], CONFIG)


def test_a_public_adapter_never_sees_private_notes():
    with pytest.raises(SitetwinError, match="data set 3 is made of private notes"):
        check_visibility("public", "private", 3)
    check_visibility("private", "private", 3)
    check_visibility("private", "public", 3)


ROW = 300, 100
"""Tokens of a row, and how many of them are learnt."""


def test_memory_grows_with_rank_batch_and_length_and_shrinks_with_fewer_parts(base):
    shape = replace(shape_of(base), is_known=False)  # by MLX's graph on every machine
    off = {"grad_checkpoint": False}
    least = estimate(shape, configuration("best", off), *ROW)
    for more in ({"lora_parameters": {"rank": 64}}, {"batch_size": 8}, {"fine_tune_type": "dora"}):
        assert estimate(shape, configuration("best", off, more), *ROW) > least
    assert estimate(shape, configuration("best", off), 400, 100) > least
    for less in (
        {"num_layers": 1},
        {"lora_parameters": {"dropout": 0}},
        {"lora_parameters": {"keys": ["mlp.up_proj"]}},
    ):
        assert estimate(shape, configuration("best", off, less), *ROW) < least


@pytest.mark.parametrize("is_checkpointed", [True, False])
def test_gradients_that_are_written_out_keep_less_of_a_token(base, monkeypatch, is_checkpointed):
    shape, config = shape_of(base), configuration("best", {"grad_checkpoint": is_checkpointed})
    more = []
    for is_here in (True, False):
        monkeypatch.setattr(fit, "is_here", lambda is_here=is_here: is_here)
        more.append(estimate(shape, config, 600, 100) - estimate(shape, config, 300, 100))
    assert 0 < more[0] < more[1]


def test_checkpointing_saves_the_more_the_more_layers_there_are(base):
    shape = shape_of(base)
    deep = replace(shape, is_known=False, layers=shape.layers * 12, layer_weights=shape.layer_weights * 12)
    on, off = (configuration("best", {"grad_checkpoint": value}) for value in (True, False))
    assert estimate(deep, on, *ROW) < 0.5 * estimate(deep, off, *ROW)


@pytest.mark.parametrize("name", ["base", "quantised"])
def test_what_is_trained_is_counted_to_the_number(base, name):
    folder = base.with_name(name)
    shape = shape_of(folder)
    model, _ = load_model(folder)
    assert shape.weights == sum(array.nbytes for _, array in tree_flatten(model.parameters()))
    lora = {"keys": ["self_attn.q_proj", "mlp.down_proj", "model.embed_tokens"], "dropout": 0}
    less, more = (configuration("best", {"lora_parameters": {**lora, "rank": rank}}) for rank in (4, 5))
    add_adapter(model, more)
    per_rank = sum(array.size for _, array in tree_flatten(model.trainable_parameters())) // 5
    assert estimate(shape, more, *ROW) - estimate(shape, less, *ROW) == HELD * FLOAT * per_rank


def test_on_a_cpu_a_quantised_base_is_slow(base, monkeypatch):
    monkeypatch.setattr(blas, "is_needed", lambda: True)
    assert check_base(base, CONFIG) == []
    (warning,) = check_base(base.with_name("quantised"), CONFIG)
    assert "--dequantize --dtype float32" in warning
    monkeypatch.setattr(blas, "is_needed", lambda: False)
    assert check_base(base.with_name("quantised"), CONFIG) == []


@pytest.mark.parametrize("weights", [b"", b"\x02" + bytes(7) + b"{}"], ids=["broken", "empty"])
def test_a_model_that_mlx_lm_can_not_open_is_named(tmp_path, weights):
    (tmp_path / "config.json").write_text('{"model_type": "abacus"}', encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(weights)
    with pytest.raises(ModelError, match=r"mlx-lm can't open .* set \[models\] chat to another"):
        fit_memory(tmp_path, [row()], CONFIG, 1)


def test_what_does_not_fit_comes_with_what_would(base):
    config = configuration("best", {"batch_size": 8, "grad_checkpoint": False, "pack_weights": False})
    rows, shape = [row(1500, 100)], shape_of(base)
    enough = estimate(shape, config, 1500, 1400)
    assert fit_memory(base, rows, config, enough)[0].startswith("about ")
    words, fitting = list(smaller(config))[1]
    assert words == "--set grad_checkpoint=true --set batch_size=1 --set grad_accumulation_steps=8"
    with pytest.raises(SitetwinError, match=f"this would fit: {words}; or end `sitetwin up` .* with --force$"):
        fit_memory(base, rows, config, estimate(shape, fitting, 1500, 1400))
    with pytest.raises(SitetwinError, match="take a smaller model"):
        fit_memory(base, rows, config, 1000)


def test_weights_are_packed_where_there_is_room(base, monkeypatch):
    monkeypatch.setattr(fit, "is_here", lambda: True)
    shape, config = shape_of(base), configuration("best")
    packed, plain = (
        estimate(shape, config.model_copy(update={"pack_weights": value}), 40, 20) for value in (True, False)
    )
    assert packed - plain == pytest.approx(2 * shape.weights, rel=0.01)
    half, whole = (
        estimate(shape, config.model_copy(update={"pack_weights": True, "num_layers": layers}), 40, 20)
        - estimate(shape, config.model_copy(update={"pack_weights": False, "num_layers": layers}), 40, 20)
        for layers in (1, -1)
    )
    assert whole - half == shape.layer_weights[0]  # the way back does not come to the first of two layers
    for free, is_packed in ((2 * packed, True), (packed, False), (plain, False)):
        assert fit_memory(base, [row()], config, free)[1].pack_weights is is_packed
    with pytest.raises(SitetwinError, match="training needs about"):
        fit_memory(base, [row()], config.model_copy(update={"pack_weights": True}), packed - 1)
    assert (
        fit_memory(base, [row()], configuration("best", {"fine_tune_type": "dora"}), 2 * packed)[1].pack_weights is None
    )


def test_free_memory_is_asked_of_a_mac_itself():
    total = psutil.virtual_memory().total
    assert free_memory("darwin", lambda: "75\n") == total * 75 // 100
    assert 0 < free_memory("linux") < total


def test_the_peak_is_in_bytes_and_of_the_whole_process():
    now = psutil.Process().memory_info().rss
    assert 0.9 * now <= peak() < 50 * now
