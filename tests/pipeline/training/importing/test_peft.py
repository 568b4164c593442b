import json
import math

import mlx.core as mx
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from pipeline.adapters import adapters
from pipeline.errors import ModelError
from pipeline.training.exporting.peft import write_peft
from pipeline.training.exporting.source import find_source
from pipeline.training.importing.run import import_adapter
from tests.pipeline.training.exporting.models import engine_logits
from tests.pipeline.training.exporting.test_peft import peft_logits

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


@pytest.fixture
def peft(home, adapter, tmp_path):
    """One of the tiny adapters as PEFT writes it: its folder, by name."""

    def write(name, **changes):
        adapter(name)
        folder = tmp_path / f"peft-{name}"
        folder.mkdir()
        write_peft(find_source(home, name), folder)
        set_config(folder, **changes)
        return folder

    return write


def set_config(folder, **changes):
    config = json.loads((folder / CONFIG).read_text("utf-8"))
    (folder / CONFIG).write_text(json.dumps(config | changes), "utf-8")


@pytest.mark.parametrize("name", ["narrow", "wide", "words", "stretched"])
def test_an_exported_adapter_comes_back_as_it_was(home, peft, name):
    folder = peft(name)
    taken = import_adapter(home, folder, "mine", "private")
    assert (taken.name, taken.visibility, taken.base) == ("mine", "private", home.models.chat)
    before, after = engine_logits(find_source(home, name)), engine_logits(find_source(home, "mine"))
    assert np.abs(before - after).max() < 1e-4
    # What mlx-lm itself loads is the same.
    from mlx_lm.tuner.utils import load_adapters
    from mlx_lm.utils import load_model

    from tests.pipeline.training.exporting.models import IDS

    source = find_source(home, "mine")
    model = load_adapters(load_model(source.base)[0], str(taken.folder))
    model.eval()
    assert np.abs(np.array(model(IDS)[0]) - after).max() < 1e-4


def test_each_layer_may_have_its_own_rank_and_alpha(home, peft):
    folder = peft("wide", alpha_pattern={"q_proj": 4, r"layers\.1\.mlp\.down_proj": 48})
    arrays = load_file(folder / WEIGHTS)
    for name, array in arrays.items():
        if ".o_proj.lora_A" in name:
            arrays[name] = array[:3].copy()
        if ".o_proj.lora_B" in name:
            arrays[name] = array[:, :3].copy()
    save_file(arrays, folder / WEIGHTS)
    set_config(folder, rank_pattern={"o_proj": 3})
    import_adapter(home, folder, "mine", "private")
    # peft_logits knows one scale: each layer's own goes into its B, as PEFT would multiply it.
    for name, array in arrays.items():
        if name.endswith("lora_B.weight"):
            alpha = 4 if ".q_proj." in name else 48 if "layers.1.mlp.down_proj" in name else 32
            arrays[name] = array * (alpha / array.shape[1]) / 4
    save_file(arrays, folder / WEIGHTS)
    source = find_source(home, "mine")
    assert np.abs(engine_logits(source) - peft_logits(source.base, folder)).max() < 1e-3


def test_rslora_divides_by_the_roots_of_the_ranks(home, peft):
    folder = peft("wide", use_rslora=True)
    import_adapter(home, folder, "mine", "private")
    config = json.loads((home.state / "adapters" / "mine" / CONFIG).read_text("utf-8"))
    assert config["lora_parameters"]["scale"] == pytest.approx(32 / math.sqrt(8))
    assert config["lora_parameters"]["keys"] == [
        "mlp.down_proj",
        "mlp.up_proj",
        "self_attn.o_proj",
        "self_attn.q_proj",
        "self_attn.v_proj",
    ]


def test_names_with_the_adapters_own_name_and_without_weight_are_read(home, peft):
    folder = peft("narrow")
    arrays = {name.replace(".weight", ".default.weight"): array for name, array in load_file(folder / WEIGHTS).items()}
    save_file(arrays, folder / WEIGHTS)
    import_adapter(home, folder, "mine", "private")
    before, after = engine_logits(find_source(home, "narrow")), engine_logits(find_source(home, "mine"))
    assert np.array_equal(before, after)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"peft_type": "IA3"}, "peft_type is 'IA3'"),
        ({"bias": "all"}, "bias is 'all'"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save holds weights of the base"),
        ({"init_lora_weights": "pissa_niter_16"}, "began with pissa_niter_16, which changes the base"),
        ({"r": "many"}, "adapter_config.json lacks or garbles"),
    ],
)
def test_what_mlx_lm_can_not_express_is_refused_with_the_next_step(home, peft, changes, said):
    folder = peft("narrow", **changes)
    with pytest.raises(ModelError, match=said):
        import_adapter(home, folder, "mine", "private")
    assert [one.name for one in adapters(home)] == ["narrow"]


def test_an_adapter_of_another_base_is_refused(home, peft):
    folder = peft("narrow")
    arrays = load_file(folder / WEIGHTS)
    save_file({name.replace("layers.1.", "layers.7."): array for name, array in arrays.items()}, folder / WEIGHTS)
    with pytest.raises(ModelError, match=r"no layer model.layers.7.*set \[models\] chat to the base"):
        import_adapter(home, folder, "mine", "private")
    save_file(
        {name: np.pad(array, ((0, 0), (0, 8))) if ".lora_A" in name else array for name, array in arrays.items()},
        folder / WEIGHTS,
    )
    with pytest.raises(ModelError, match="do not fit a layer of"):
        import_adapter(home, folder, "mine", "private")
    assert [one.name for one in adapters(home)] == ["narrow"]


def test_an_embedding_without_its_output_layer_is_refused(home, peft):
    folder = peft("words")
    arrays = load_file(folder / WEIGHTS)
    save_file({name: array for name, array in arrays.items() if "lm_head" not in name}, folder / WEIGHTS)
    with pytest.raises(ModelError, match="changes the embedding but not the output layer"):
        import_adapter(home, folder, "mine", "private")


def test_broken_files_and_pickles_are_refused(home, peft, tmp_path):
    folder = peft("narrow")
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-10])
    with pytest.raises(ModelError, match="copy it again"):
        import_adapter(home, folder, "mine", "private")
    (folder / WEIGHTS).rename(folder / "adapter_model.bin")
    with pytest.raises(ModelError, match=r"a pickle, which may run code.*safe_serialization=True"):
        import_adapter(home, folder, "mine", "private")
    with pytest.raises(ModelError, match="holds no adapter"):
        import_adapter(home, tmp_path, "mine", "private")
    with pytest.raises(ModelError, match="is no folder"):
        import_adapter(home, tmp_path / "nowhere", "mine", "private")


def test_names_that_are_taken_or_no_names(home, peft):
    folder = peft("narrow")
    with pytest.raises(ModelError, match="already: choose another --name"):
        import_adapter(home, folder, "narrow", "private")
    with pytest.raises(ModelError, match="no name for an adapter"):
        import_adapter(home, folder, "base", "private")


def test_mlx_lms_own_adapters_new_and_old(home, adapter, tmp_path):
    folder = adapter("wide")
    import_adapter(home, folder, "copied", "public")
    old = tmp_path / "old"
    old.mkdir()
    mx.savez(str(old / "adapters.npz"), **mx.load(str(folder / "adapters.safetensors")))
    (old / CONFIG).write_bytes((folder / CONFIG).read_bytes())
    import_adapter(home, old, "old", "private")
    logits = [engine_logits(find_source(home, name)) for name in ("wide", "copied", "old")]
    assert np.array_equal(logits[0], logits[1])
    assert np.array_equal(logits[0], logits[2])
