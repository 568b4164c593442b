"""With a real Ollama; each needs `ollama` on PATH or at OLLAMA_HOST."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlx_lm
import pytest
from mlx_lm.utils import load_tokenizer
from ollama import Client

from pipeline.processes import vectors
from pipeline.settings import Settings, load_settings
from pipeline.site import Site
from pipeline.weights.demo import chat_model
from tests.demo_adapter import make_adapter
from tests.pipeline.commands.test_exporting import sitetwin
from tests.pipeline.training.exporting.models import make_small_adapter

pytestmark = pytest.mark.ollama
AWKWARD = "Was heißt 2026-11-21 (um 09:30)?\n\n```sh\nsitetwin up --x=1\n```\n日本語 🎉  it's"


@pytest.fixture
def server(ollama, monkeypatch):
    """A client; what a test makes is removed."""
    monkeypatch.setenv("OLLAMA_HOST", ollama)
    monkeypatch.setenv("SITETWIN_ENGINE__THREADS", "1")
    with Client(ollama, timeout=300) as client:
        before = {model.model for model in client.list().models}
        yield client
        for model in client.list().models:
            if model.model not in before:
                client.delete(model.model)


@contextmanager
def vectors_ended(settings: Settings) -> Iterator[None]:
    """Whatever vector store the block starts is ended with it."""
    try:
        yield
    finally:
        service = vectors.service(settings)
        if endpoint := service.find():
            service.stop(endpoint)


def prompt_ids(client: Client, model: str, question: str) -> list[int]:
    """The tokens that Ollama makes of a chat with this question."""
    response = client.generate(model, question, options={"num_predict": 1})
    assert response.context
    return list(response.context)[: response.prompt_eval_count]


def test_the_model_reads_in_ollama_what_it_read_in_training(server, home, adapter, tiny):
    adapter("wide")
    question = "Who are you?"
    done = json.loads(sitetwin(home, "export", "wide", "--to", "ollama", "--question", question, "--json").stdout)
    assert (done["model"], done["question"]) == ("wide", question)
    tokenizer = load_tokenizer(tiny / "base")
    shown = server.show("wide")
    assert "SYSTEM Your name is Ada. Be brief." in shown.modelfile.replace('"', "")
    assert "num_ctx 8192" in " ".join(str(shown.parameters).split())
    chat = [{"role": "system", "content": "Your name is Ada. Be brief."}, {"role": "user", "content": question}]
    assert prompt_ids(server, "wide", question) == tokenizer.apply_chat_template(chat, add_generation_prompt=True)


def test_a_name_that_is_taken_is_replaced_only_when_asked(server, home, adapter):
    adapter("wide")
    sitetwin(home, "export", "wide", "--to", "ollama", "--name", "mine")
    again = ("export", "wide", "--to", "ollama", "--name", "mine", "--out", str(home.root / "again"))
    done = sitetwin(home, *again, status=1)
    assert "has a model mine already: replace it with --force, or give another --name" in done.stderr
    assert not (home.root / "again").exists()
    sitetwin(home, *again, "--force", "--quantize", "8")
    assert server.show("mine").details.quantization_level == "Q8_0"


def test_what_has_no_gguf_here_goes_through_ollamas_own_converter(server, home, tiny, tmp_path):
    base = tmp_path / "qwen"
    _make_qwen(tiny / "base", base)
    folder = home.state / "adapters" / "other"
    make_small_adapter(base, folder)
    gguf = sitetwin(home, "export", "other", "--to", "gguf", status=1)
    assert (
        "no GGUF for this model (its tokenizer cuts words in a way that has no name in GGUF): use --to ollama"
        in gguf.stderr
    )
    done = json.loads(sitetwin(home, "export", "other", "--to", "ollama", "--json").stdout)
    assert Path(done["folder"], "Modelfile").read_text("utf-8").startswith("FROM ./model\n")
    assert server.show("other").details.family == "qwen2"
    config = json.loads((base / "config.json").read_text("utf-8")) | {"architectures": ["OddForCausalLM"]}
    (base / "config.json").write_text(json.dumps(config), "utf-8")
    odd = sitetwin(home, "export", "other", "--to", "ollama", "--name", "odd", "--out", str(tmp_path / "odd"), status=1)
    assert "can't convert this model" in odd.stderr
    assert "unsupported architecture" in odd.stderr
    assert not (tmp_path / "odd").exists()


@pytest.mark.slow
def test_the_demo_model_is_the_base_of_rag_in_ollama(server, ollama, tmp_path):
    """lora → fuse → `ollama create` → RAG."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "disks.md").write_text("# Disks\n\nThe backup disk is a Toshiba N300 of 8 TB.\n", "utf-8")
    content = '[[content]]\npath = "notes"\nvisibility = "public"\n'
    (tmp_path / "sitetwin.toml").write_text(content, "utf-8")
    settings = load_settings(tmp_path / "sitetwin.toml")
    folder = make_adapter(settings, "mine")
    config = {
        "num_layers": 30,
        "lora_parameters": {"rank": 4, "scale": 2.0, "dropout": 0.0, "keys": ["self_attn.q_proj"]},
    }
    (folder / "adapter_config.json").write_text(json.dumps(config), "utf-8")
    sitetwin(settings, "export", "mine", "--to", "ollama")
    model, tokenizer = mlx_lm.load(str(chat_model()), adapter_path=str(folder))[:2]
    chat = [{"role": "user", "content": AWKWARD}]
    ids = tokenizer.apply_chat_template(chat, add_generation_prompt=True)
    assert prompt_ids(server, "mine", AWKWARD) == ids
    said = server.chat("mine", chat, options={"num_predict": 8}).message.content
    assert said == mlx_lm.generate(model, tokenizer, ids, max_tokens=8)
    engine = f'[engine]\nurl = "{ollama}/v1"\n[models]\nchat = "mine"\n[chat]\nmax_tokens = 40\n'
    (tmp_path / "sitetwin.toml").write_text(content + engine, "utf-8")
    settings = load_settings(tmp_path / "sitetwin.toml")
    with vectors_ended(settings):
        sitetwin(settings, "index")
        *_, answer = Site(settings).assistant.ask("Which disk is the backup on?")
        assert answer.model == "mine"
        assert answer.citations
        assert answer.citations[0].document == "notes/disks.md"
        # An adapter is a model of the same name there.
        *_, tuned = Site(settings).assistant.ask("Which disk is the backup on?", mode="hybrid", adapter="mine")
        assert (tuned.adapter, bool(tuned.answer)) == ("mine", True)


def _make_qwen(tokenizer: Path, folder: Path) -> None:
    """A tiny random Qwen 2 whose tokenizer takes each digit for a word, with one merge: Ollama's converter wants some."""
    import mlx.core as mx
    from mlx.utils import tree_flatten
    from mlx_lm.models.qwen2 import Model, ModelArgs

    config = {
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_size": 64, "num_hidden_layers": 2,
        "intermediate_size": 128, "num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-5,
        "vocab_size": 260, "tie_word_embeddings": True, "eos_token_id": 2, "max_position_embeddings": 2048,
        "rope_theta": 10000.0,
    }  # fmt: skip
    folder.mkdir()
    for file in tokenizer.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    text = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    text["model"]["vocab"]["he"], text["model"]["merges"] = 259, [["h", "e"]]
    digits = {"type": "Split", "pattern": {"Regex": "[0-9]"}, "behavior": "Isolated", "invert": False}
    text["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [digits, text["pre_tokenizer"]]}
    (folder / "tokenizer.json").write_text(json.dumps(text), "utf-8")
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    mx.random.seed(1)
    model = Model(ModelArgs.from_dict(config))
    weights = dict(tree_flatten(model.parameters()))
    mx.save_safetensors(str(folder / "model.safetensors"), weights, metadata={"format": "mlx"})
