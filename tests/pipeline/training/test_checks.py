import json

import pytest

from pipeline.errors import SitetwinError
from pipeline.training.checks import check_memory, check_rows, check_visibility
from pipeline.training.config import configuration
from pipeline.training.data import TokenRow
from pipeline.training.memory import estimate, smaller

CONFIG = configuration("best", {"max_seq_length": 50})
LLAMA = {
    "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9,
    "num_key_value_heads": 3, "vocab_size": 49152, "torch_dtype": "float32",
}  # fmt: skip


def row(tokens: int = 40, start: int = 20) -> TokenRow:
    return TokenRow(list(range(tokens)), start)


@pytest.fixture
def model(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(LLAMA), encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(bytes(1_000_000))
    return tmp_path


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


def test_memory_grows_with_rank_batch_and_length_and_shrinks_with_checkpointing(model):
    config = configuration("best", {"grad_checkpoint": False})
    least = estimate(model, config, 100, 50)
    for other in ({"lora_parameters": {"rank": 64}}, {"batch_size": 8}):
        assert estimate(model, configuration("best", {"grad_checkpoint": False}, other), 100, 50) > least
    assert estimate(model, config, 200, 50) > least
    assert estimate(model, configuration("best"), 100, 50) < least


def test_a_model_of_another_kind_is_not_estimated(tmp_path):
    (tmp_path / "config.json").write_text('{"n_embd": 8}', encoding="utf-8")
    assert "is not known for this kind of model; 0.0 GB are free" in check_memory(tmp_path, [row()], CONFIG, 1)


def test_what_does_not_fit_comes_with_what_would(model):
    config = configuration("best", {"batch_size": 8, "grad_checkpoint": False})
    rows = [row(1500, 100)]
    enough = estimate(model, config, 1500, 1400)
    assert check_memory(model, rows, config, enough).startswith("about ")
    words, fitting = list(smaller(config))[1]
    assert words == "--set grad_checkpoint=true --set batch_size=1 --set grad_accumulation_steps=8"
    with pytest.raises(SitetwinError, match=f"this would fit: {words}$"):
        check_memory(model, rows, config, estimate(model, fitting, 1500, 1400))
    with pytest.raises(SitetwinError, match="take a smaller model"):
        check_memory(model, rows, config, 1000)
