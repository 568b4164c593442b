import json
import resource
from contextlib import contextmanager

import pytest
from click.testing import CliRunner, Result

from pipeline.adapters import CARD
from pipeline.commands.main import main
from tests.distributions import install
from tests.pipeline.training.conftest import base, site  # noqa: F401
from tests.pipeline.training.exporting.conftest import adapter, home, tiny  # noqa: F401

MERGEKIT = """
from pipeline.training.exporting.export import Export

class Mergekit(Export):
    heeds = frozenset({"base_model"})

    def write(self, folder):
        (folder / "merge.yml").write_text(f"base_model: {self.wishes.base_model or self.source.base}", "utf-8")
        return ["only the first layer counts"]

    def next_step(self):
        return f"mergekit-yaml {self.wishes.folder / 'merge.yml'}"
"""


def sitetwin(home, *arguments: str, status: int = 0) -> Result:
    done = CliRunner().invoke(main, ["--config", str(home.file), *arguments])
    assert done.exit_code == status, done.output
    return done


def test_an_export_says_where_it_is_and_what_to_do_with_it(home, adapter):
    adapter("wide")
    folder = home.state / "exports" / "wide-fused"
    done = json.loads(sitetwin(home, "export", "wide", "--to", "fused", "--json").stdout)
    assert (done["folder"], done["visibility"], done["warnings"]) == (str(folder), "public", [])
    assert done["bytes"] == sum(file.stat().st_size for file in folder.iterdir())
    said = sitetwin(home, "export", "wide", "--to", "peft", "--out", str(home.root / "mine")).stdout
    assert sorted(file.name for file in (home.root / "mine").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    assert f"--max-lora-rank 8 --lora-modules wide={home.root / 'mine'}" in said


def test_nothing_is_written_over(home, adapter):
    adapter("wide")
    sitetwin(home, "export", "wide", "--to", "peft")
    again = sitetwin(home, "export", "wide", "--to", "peft", status=1)
    assert "wide-peft is there already: remove it, or name another folder with --out" in again.stderr


def test_a_private_adapter_is_exported_with_a_warning(home, adapter):
    adapter("wide", visibility="private")
    done = sitetwin(home, "export", "wide", "--to", "peft")
    assert (
        "wide was trained on private notes, and weights tell what they have read: keep this export to yourself"
        in done.stderr
    )
    (adapter("narrow") / CARD).unlink()
    done = sitetwin(home, "export", "narrow", "--to", "peft", "--json")
    assert json.loads(done.stdout)["visibility"] == "private"
    assert "narrow does not say what it was trained on" in json.loads(done.stdout)["warnings"][0]


def test_what_can_not_be_exported_is_named_and_leaves_nothing(home, adapter, tiny):
    folder = adapter("wide")
    assert (
        "there is no adapter 'nobody': name one of wide"
        in sitetwin(home, "export", "nobody", "--to", "gguf", status=1).stderr
    )
    card = json.loads((folder / CARD).read_text("utf-8"))
    (folder / CARD).write_text(json.dumps(card | {"base": str(tiny / "quantised")}), "utf-8")
    assert (
        "are not those that 'wide' was trained on" in sitetwin(home, "export", "wide", "--to", "gguf", status=1).stderr
    )
    (folder / CARD).write_text(json.dumps(card), "utf-8")
    (folder / "adapters.safetensors").write_bytes(b"broken")
    assert "the adapter 'wide' can't be used" in sitetwin(home, "export", "wide", "--to", "fused", status=1).stderr
    assert list((home.state / "exports").iterdir()) == []


def test_options_are_for_their_kind_alone(home, adapter):
    adapter("wide")
    done = sitetwin(home, "export", "wide", "--to", "gguf", "--quantize", "4", status=2)
    assert "--quantize is for --to fused and --to ollama, not for --to gguf" in done.stderr
    assert (
        "--name is for --to ollama" in sitetwin(home, "export", "wide", "--to", "peft", "--name", "x", status=2).stderr
    )


def test_another_distribution_adds_an_export(home, adapter, tmp_path, monkeypatch):
    install(
        tmp_path,
        monkeypatch,
        "exports_plugin",
        MERGEKIT,
        "[sitetwin.exports]\nmergekit = exports_plugin:Mergekit\n",
    )
    adapter("wide")
    done = sitetwin(home, "export", "wide", "--to", "mergekit", "--base-model", "org/base")
    file = home.state / "exports" / "wide-mergekit" / "merge.yml"
    assert file.read_text("utf-8") == "base_model: org/base"
    assert f"next: mergekit-yaml {file}" in done.stdout
    assert "only the first layer counts" in done.stderr
    done = sitetwin(home, "export", "wide", "--to", "mergekit", "--quantize", "4", status=2)
    assert "--quantize is for --to fused and --to ollama, not for --to mergekit" in done.stderr


def test_what_is_no_export_is_named_with_the_choices(home):
    done = sitetwin(home, "export", "wide", "--to", "onnx", status=2)
    assert "'--to': 'onnx' is no export: choose one of fused, gguf, ollama, peft" in done.stderr


def test_a_run_is_exported_once_it_is_done(site):
    sitetwin(site, "train", "--name", "mine", "--set", "iters=2", "--set", "val_batches=1")
    assert json.loads(sitetwin(site, "export", "mine", "--to", "peft", "--json").stdout)["run"] == "mine"
    record = site.state / "runs" / "mine" / "run.json"
    record.write_text(json.dumps(json.loads(record.read_text("utf-8")) | {"state": "stopped"}), "utf-8")
    done = sitetwin(site, "export", "mine", "--to", "fused", status=1)
    assert (
        "the run 'mine' is stopped and has made no adapter: `sitetwin train --resume --name mine` goes on"
        in done.stderr
    )


def test_a_killed_export_leaves_nothing_under_its_name_and_the_next_one_cleans_up(home, adapter):
    adapter("wide")
    exports = home.state / "exports"
    left = exports / ".wide-fused.draft"
    left.mkdir(parents=True)
    (left / "model.safetensors").write_bytes(b"half")
    sitetwin(home, "export", "wide", "--to", "fused")
    assert [entry.name for entry in exports.iterdir()] == ["wide-fused"]
    assert (exports / "wide-fused" / "model.safetensors").stat().st_size > 1000


@contextmanager
def full_disk():
    """No file may grow beyond 20 kB, which is to this process what a full disk is.

    It lasts no longer than the command: pytest's own report may be a file that is longer.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("to", ["fused", "gguf", "peft"])
def test_a_full_disk_leaves_nothing(home, adapter, to):
    adapter("wide")
    with full_disk():
        done = sitetwin(home, "export", "wide", "--to", to, status=1)
    assert f"wide-{to} can't be written" in done.stderr
    assert "name a folder on another disk with --out" in done.stderr
    assert list((home.state / "exports").iterdir()) == []


def test_no_ollama_is_named_before_anything_is_computed(home, adapter, monkeypatch):
    adapter("wide")
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:9")
    done = sitetwin(home, "export", "wide", "--to", "ollama", status=1)
    assert "no Ollama answers at http://127.0.0.1:9: run `ollama serve`, or set OLLAMA_HOST" in done.stderr
    assert not (home.state / "exports").exists()


def test_a_folder_for_an_ollama_elsewhere(home, adapter):
    adapter("wide")
    done = sitetwin(home, "export", "wide", "--to", "ollama", "--no-create")
    folder = home.state / "exports" / "wide-ollama"
    assert f"`ollama create wide -f {folder / 'Modelfile'}`" in done.stdout
    text = (folder / "Modelfile").read_text("utf-8")
    assert text.startswith('FROM ./model.gguf\nTEMPLATE """{{ if .System }}<|im_start|>system\n')
    assert 'SYSTEM """Your name is Ada. Be brief."""\n' in text
    assert 'PARAMETER stop "<|im_end|>"\n' in text
    assert "PARAMETER temperature 0\n" in text
    assert (folder / "model.gguf").stat().st_size > 100_000
