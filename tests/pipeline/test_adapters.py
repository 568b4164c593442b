import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from pipeline.adapters import (
    AdapterCard,
    adapters,
    answering_adapter,
    base_hash,
    find_adapter,
    promoted,
    promotions,
    rollback,
    write_card,
)
from pipeline.engine.promoting import promote
from pipeline.errors import ModelError
from pipeline.settings import ModelSettings, Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(root=tmp_path, models=ModelSettings(chat=str(model(tmp_path / "model"))))


WIDTH, INNER, WORDS = 16, 32, 64
QUERY = "model.layers.0.self_attn.q_proj"


def model(folder: Path, first: float = 0.5) -> Path:
    """A Llama of one layer."""
    folder.mkdir(exist_ok=True)
    config = {
        "model_type": "llama", "hidden_size": WIDTH, "num_hidden_layers": 1, "intermediate_size": INNER,
        "num_attention_heads": 2, "rms_norm_eps": 1e-5, "vocab_size": WORDS, "tie_word_embeddings": True,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    shapes = {
        "model.embed_tokens": (WORDS, WIDTH), "model.norm": (WIDTH,),
        "model.layers.0.input_layernorm": (WIDTH,), "model.layers.0.post_attention_layernorm": (WIDTH,),
        **{f"model.layers.0.self_attn.{key}_proj": (WIDTH, WIDTH) for key in "qkvo"},
        "model.layers.0.mlp.gate_proj": (INNER, WIDTH), "model.layers.0.mlp.up_proj": (INNER, WIDTH),
        "model.layers.0.mlp.down_proj": (WIDTH, INNER),
    }  # fmt: skip
    arrays = {f"{name}.weight": np.full(shape, 0.5, np.float32) for name, shape in shapes.items()}
    arrays[f"{QUERY}.weight"][0, 0] = first
    save_file(arrays, folder / "model.safetensors")
    return folder


def adapter(settings: Settings, name: str, **card: object) -> Path:
    folder = settings.state / "adapters" / name
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text(json.dumps({"model": "mine", "lora_parameters": {"scale": 2.0}}))
    pair = {f"{QUERY}.lora_a": np.ones((WIDTH, 2), np.float32), f"{QUERY}.lora_b": np.ones((2, WIDTH), np.float32)}
    save_file(pair, folder / "adapters.safetensors")
    values: dict[str, object] = {
        "base": settings.models.chat,
        "base_hash": base_hash(Path(settings.models.chat)),
        "visibility": "public",
    }
    write_card(folder, AdapterCard.model_validate(values | card))
    return folder


def test_nothing_yet(settings: Settings) -> None:
    assert adapters(settings) == []
    assert promoted(settings) is None
    with pytest.raises(ModelError, match="sitetwin train"):
        find_adapter(settings, "first")
    with pytest.raises(ModelError, match="nothing to roll back"):
        rollback(settings)


def test_an_adapter_is_what_its_card_says(settings: Settings) -> None:
    folder = adapter(settings, "first", visibility="private", dataset=3, run="r1")
    found = find_adapter(settings, "first")
    assert found == adapters(settings)[0]
    assert (found.name, found.folder, found.base, found.visibility) == (
        "first",
        folder,
        settings.models.chat,
        "private",
    )


def test_one_of_mlx_lms_own_is_private_and_for_any_base(settings: Settings) -> None:
    (adapter(settings, "theirs") / "sitetwin.json").unlink()
    found = find_adapter(settings, "theirs")
    assert (found.base, found.base_hash, found.visibility) == ("mine", "", "private")


@pytest.mark.parametrize("name", ["../model", "/etc", "", ".", "..", ".hidden", "a/b", "base", "promoted", "a" * 65])
def test_a_name_is_no_path(settings: Settings, name: str) -> None:
    adapter(settings, "first")
    with pytest.raises(ModelError, match="name one of first"):
        find_adapter(settings, name)


def test_a_broken_one_is_not_listed_and_says_why_when_named(settings: Settings) -> None:
    (adapter(settings, "empty") / "adapters.safetensors").unlink()
    (adapter(settings, "garbled") / "sitetwin.json").write_text('{"base":')
    adapter(settings, "whole")
    assert [found.name for found in adapters(settings)] == ["whole"]
    with pytest.raises(ModelError, match=r"has no adapters\.safetensors"):
        find_adapter(settings, "empty")
    with pytest.raises(ModelError, match="can't be read"):
        promote(settings, "garbled")


def test_promote_and_roll_back(settings: Settings) -> None:
    adapter(settings, "first")
    adapter(settings, "second")
    promote(settings, "first")
    promote(settings, "second")
    promote(settings, "second")
    assert [one.name for one in promotions(settings)] == ["first", "second"]
    back = rollback(settings)
    assert back is not None
    assert back == promoted(settings)
    assert back.name == "first"
    assert rollback(settings) is None
    assert promoted(settings) is None


def test_a_promoted_one_that_vanished_is_named_and_rolled_back_over(settings: Settings) -> None:
    for name in ("first", "second", "third"):
        adapter(settings, name)
        promote(settings, name)
    for name in ("second", "third"):
        folder = settings.state / "adapters" / name
        folder.rename(settings.root / name)
    with pytest.raises(ModelError, match="'third' is gone: run `sitetwin rollback`"):
        promoted(settings)
    back = rollback(settings)
    assert back is not None
    assert back.name == "first"


def test_one_for_another_base_is_not_promoted(settings: Settings) -> None:
    adapter(settings, "first")
    adapter(settings, "other", base="elsewhere", base_hash="0" * 64)
    promote(settings, "first")
    with pytest.raises(ModelError, match="'other' was trained on 'elsewhere'"):
        promote(settings, "other")
    kept = promoted(settings)
    assert kept is not None
    assert kept.name == "first"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"config": {"fine_tune_type": "full"}}, r"a model of its own.*--to fused"),
        ({"config": {"lora_parameters": {"alpha": 32}}}, "lacks or garbles 'scale'"),
        ({"weights": {f"{QUERY}.lora_a": (WIDTH - 1, 2), f"{QUERY}.lora_b": (2, WIDTH)}}, "do not fit a layer of 16"),
        ({"weights": {"model.layers.7.mlp.up_proj.lora_a": (WIDTH, 2)}}, "the base has no such layer"),
        ({"weights": {}}, "is empty"),
        ({"bytes": b"\x00" * 20}, r"adapters\.safetensors: "),
    ],
    ids=["full", "scale", "shape", "layer", "empty", "truncated"],
)
def test_what_the_engine_would_refuse_is_not_promoted(settings: Settings, changed: dict, reason: str) -> None:  # type: ignore[type-arg]
    adapter(settings, "first")
    promote(settings, "first")
    folder = adapter(settings, "second")
    if "config" in changed:
        (folder / "adapter_config.json").write_text(json.dumps(changed["config"]))
    if "weights" in changed:
        arrays = {name: np.ones(shape, np.float32) for name, shape in changed["weights"].items()}
        save_file(arrays, folder / "adapters.safetensors")
    if "bytes" in changed:
        (folder / "adapters.safetensors").write_bytes(changed["bytes"])
    with pytest.raises(ModelError, match=reason):
        promote(settings, "second")
    assert [one.name for one in promotions(settings)] == ["first"]


def test_for_a_server_elsewhere_the_files_alone_are_checked(settings: Settings) -> None:
    adapter(settings, "first", base="gemma3:12b", base_hash="0" * 64)
    (adapter(settings, "whole") / "adapter_config.json").write_text('{"fine_tune_type": "full"}')
    settings.engine.url, settings.models.chat = "http://127.0.0.1:9/v1", "gemma3:12b"
    assert promote(settings, "first").name == "first"
    with pytest.raises(ModelError, match="a model of its own"):
        promote(settings, "whole")


def test_a_base_that_mlx_lm_does_not_know_is_named(settings: Settings) -> None:
    adapter(settings, "first")
    (Path(settings.models.chat) / "config.json").write_text('{"model_type": "unheard-of"}')
    with pytest.raises(ModelError, match="can't load the model"):
        promote(settings, "first")


def test_who_answers_is_named_or_promoted(settings: Settings) -> None:
    with pytest.raises(ModelError, match=r"run `sitetwin train`, then `sitetwin promote RUN`"):
        answering_adapter(settings, None, None)
    adapter(settings, "first")
    adapter(settings, "second", visibility="private")
    promote(settings, "first")
    assert answering_adapter(settings, None, None).name == "first"
    assert answering_adapter(settings, None, "public").name == "first"
    assert answering_adapter(settings, "second", None).name == "second"


def test_no_private_adapter_answers_a_visitor_or_is_named_to_one(settings: Settings) -> None:
    adapter(settings, "diary", visibility="private")
    promote(settings, "diary")
    with pytest.raises(ModelError, match="train one on public notes") as promoted_one:
        answering_adapter(settings, None, "public")
    adapter(settings, "open")
    with pytest.raises(ModelError, match="name one of open") as unknown:
        answering_adapter(settings, "other", "public")
    assert "diary" not in f"{promoted_one.value} {unknown.value}"
    with pytest.raises(ModelError) as named:
        answering_adapter(settings, "diary", "public")
    assert str(named.value) == str(unknown.value).replace("other", "diary")


def test_a_broken_state_names_the_way_out(settings: Settings) -> None:
    adapter(settings, "first")
    promote(settings, "first")
    (settings.state / "adapters" / "promoted.json").write_text("{")
    with pytest.raises(ModelError, match="remove it"):
        promoted(settings)


def test_the_hash_tells_weights_apart(tmp_path: Path) -> None:
    one = base_hash(model(tmp_path / "one"))
    assert base_hash(model(tmp_path / "copy")) == one
    assert base_hash(model(tmp_path / "tuned", first=0.6)) != one
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"no model\*\.safetensors"):
        base_hash(tmp_path / "empty")
    (tmp_path / "one" / "model.safetensors").write_bytes(b"\x00" * 20)
    with pytest.raises(ModelError, match="can't be read"):
        base_hash(tmp_path / "one")
