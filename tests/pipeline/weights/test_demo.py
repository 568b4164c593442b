import json
import subprocess
import sys
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from pipeline.weights import demo

QUESTION = """
from pipeline.weights import blas, demo
blas.preload(1)
import mlx_lm
model, tokenizer = mlx_lm.load(str(demo.chat_model()))
prompt = tokenizer.apply_chat_template(
    [{"role": "user", "content": "What is the capital of France?"}], add_generation_prompt=True
)
print(mlx_lm.generate(model, tokenizer, prompt=prompt, max_tokens=20))
"""


def test_the_demo_model_answers() -> None:
    answer = subprocess.check_output([sys.executable, "-c", QUESTION], text=True)
    assert answer.strip() == "The capital of France is Paris."


def test_its_tokenizer_knows_the_marks_of_a_chat() -> None:
    folder = demo.chat_model()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    text = "<|im_start|>user\nIn 2024,  a café had 17 😀 …\tguests<|im_end|>\n"
    encoded = tokenizer.encode(text)
    assert tokenizer.decode(encoded.ids, skip_special_tokens=False) == text
    assert [token for token in encoded.tokens if token.startswith("<|")] == ["<|im_start|>", "<|im_end|>"]
    assert {"1", "7"} <= set(encoded.tokens)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert config["eos_token_id"] == tokenizer.token_to_id("<|im_end|>")
    assert config["tie_word_embeddings"] is True
    assert "You are a helpful AI assistant named SmolLM" in (folder / "tokenizer_config.json").read_text(
        encoding="utf-8"
    )


def test_weights_say_whether_they_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert demo.EMBEDDING.fetch() == demo.EMBEDDING.folder()
    assert demo.EMBEDDING.is_ready()
    monkeypatch.setenv("SITETWIN_CACHE", str(tmp_path))
    assert not demo.EMBEDDING.is_ready()
