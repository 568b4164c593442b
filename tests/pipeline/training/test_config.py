import pytest
from mlx_lm.lora import CONFIG_DEFAULTS

from pipeline.errors import SettingsError
from pipeline.training.config import configuration, parse_assignments, read_file, translate

OLD = """
model: mlx-community/gemma-3-12b-it-4bit
lora_layers: 16
layer_keys: [q_proj, v_proj, down_proj]
rank: 16
alpha: 32
dropout: 0.05
epochs: 3
learning_rate: 1e-5
adapter_file: adapters.npz
"""


def test_best_is_the_first_projects_configuration():
    config = configuration("best").for_rows(701)
    lora = config.lora_parameters
    assert (config.batch_size, config.iters, config.learning_rate) == (2, 1050, 1e-5)
    assert (config.steps_per_eval, config.save_every, config.grad_checkpoint) == (100, 100, True)
    assert (lora.rank, lora.scale * lora.rank, lora.dropout) == (16, 32, 0.05)
    assert sorted(key.split(".")[1] for key in lora.keys or []) == [
        "down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"
    ]  # fmt: skip


def test_underfit_reads_less_than_one_epoch_and_overfit_has_rank_64():
    assert configuration("underfit").for_rows(701).iters < 350
    assert configuration("overfit").lora_parameters.rank == 64
    assert configuration("overfit").lora_parameters.keys == configuration("best").lora_parameters.keys


def test_iterations_that_are_set_win_over_epochs():
    assert configuration("best", {"iters": 40}).for_rows(701).iters == 40


def test_a_short_run_is_evaluated_ten_times():
    assert configuration("best").for_rows(40).steps_per_eval == 6


def test_the_demo_model_has_a_learning_rate_of_its_own():
    assert configuration("best", is_demo=True).learning_rate > 1e-5
    assert configuration("best", {"learning_rate": 1e-6}, is_demo=True).learning_rate == 1e-6


def test_an_old_file_is_translated_with_messages(tmp_path):
    file = tmp_path / "lora.yaml"
    file.write_text(OLD, encoding="utf-8")
    values, messages = read_file(file)
    config = configuration("best", values)
    assert config.num_layers == 16
    assert config.lora_parameters.keys == ["self_attn.q_proj", "self_attn.v_proj", "mlp.down_proj"]
    assert config.lora_parameters.scale == 2
    assert config.learning_rate == 1e-5
    text = "\n".join(messages)
    assert "alpha: now lora_parameters.scale, alpha / rank = 2" in text
    assert "lora_layers: now num_layers" in text
    assert "adapter_file: left out, adapters are in .sitetwin/adapters, as adapters.safetensors" in text
    assert "model: left out, the model is [models] chat" in text


def test_alpha_within_lora_parameters_is_divided_by_the_rank_there():
    values, _ = translate({"lora_parameters": {"rank": 8, "alpha": 32}})
    assert values == {"lora_parameters": {"rank": 8, "scale": 4}}


def test_alpha_beside_a_scale_multiplies_it():
    values, (message,) = translate({"lora_parameters": {"rank": 8, "alpha": 16, "scale": 10}})
    assert values == {"lora_parameters": {"rank": 8, "scale": 20}}
    assert message == "alpha: now lora_parameters.scale, scale × alpha / rank = 20"


@pytest.mark.parametrize(("value", "kind"), [(True, "dora"), (False, "lora")])
def test_use_dora_is_a_kind_of_fine_tune(value, kind):
    values, messages = translate({"use_dora": value})
    assert configuration("best", values).fine_tune_type == kind
    assert messages == [f"use_dora: now fine_tune_type {kind}"]


def test_every_key_that_mlx_lm_has_is_known():
    values, _ = translate(CONFIG_DEFAULTS)
    assert configuration("best", values).optimizer_config.keys() == CONFIG_DEFAULTS["optimizer_config"].keys()


def test_an_optimisers_numbers_are_numbers_where_yaml_reads_words():
    values = {"adamw": {"weight_decay": "1e-2", "betas": [0.9, 0.98]}, "muon": {"ns_steps": 5}}
    config = configuration("best", {"optimizer_config": values}).optimizer_config
    assert config == {"adamw": {"weight_decay": 0.01, "betas": [0.9, 0.98]}, "muon": {"ns_steps": 5}}
    assert isinstance(config["muon"]["ns_steps"], int)


def test_a_file_of_today_is_left_as_it_is():
    values = {"batch_size": 4, "lora_parameters": {"rank": 8, "keys": ["self_attn.q_proj"]}}
    assert translate(values) == (values, [])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"batchsize": 1}, "unknown key batchsize: did you mean 'batch_size'"),
        ({"lora_parameters": {"ranks": 1}}, "unknown key lora_parameters.ranks: did you mean 'rank'"),
        ({"xyzzy": 1}, "unknown key xyzzy: known there: fine_tune_type, "),
        ({"batch_size": 0}, "batch_size: Input should be greater than or equal to 1"),
    ],
)
def test_a_wrong_key_or_value_is_named(values, message):
    with pytest.raises(SettingsError, match=message.replace(".", r"\.")):
        configuration("best", values)


@pytest.mark.parametrize(("text", "message"), [("a: [", "is not valid YAML"), ("- 1", "holds no keys")])
def test_a_file_that_is_none_says_so(tmp_path, text, message):
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=message):
        read_file(tmp_path / "a.yaml")
    with pytest.raises(SettingsError, match="does not exist"):
        read_file(tmp_path / "b.yaml")


def test_values_of_the_command_line():
    values = parse_assignments(["batch_size=1", "lora_parameters.rank=8", "lora_parameters.scale=4"])
    assert values == {"batch_size": 1, "lora_parameters": {"rank": 8, "scale": 4}}
    with pytest.raises(SettingsError, match="write KEY=VALUE"):
        parse_assignments(["batch_size"])


def test_how_weights_are_held_makes_no_other_adapter():
    decided = configuration("best", {"pack_weights": True}).for_rows(20)
    assert decided.learns_like(configuration("best").for_rows(20))
    assert not decided.learns_like(configuration("best").for_rows(22))
