import ast
import json

import pytest
import yaml

from pipeline.dataset.export import chat_rows, export, write_rows
from pipeline.dataset.formats.axolotl import AXOLOTL
from pipeline.dataset.formats.mlx import MLX
from pipeline.dataset.formats.openai import OPENAI
from pipeline.dataset.formats.trl import TRL, UNSLOTH
from pipeline.dataset.records import Pair
from pipeline.errors import SitetwinError
from pipeline.settings import PersonaSettings
from pipeline.training.config import KEYS, TrainingConfig

PERSONA = PersonaSettings(name="Ada", prompt="Speak as I, briefly.")


def pair(number: int, answer: str = "Forty-two.") -> Pair:
    return Pair(
        question=f"What is {number}?", answer=answer, kind="fact", source="a.md", chunk_index=0, chunks=("a.md#0-0",),
        accuracy=9, style=9,
    )  # fmt: skip


PAIRS = {"train": [pair(n) for n in range(12)], "valid": [pair(20)], "test": [pair(30)]}
ROWS = {split: chat_rows(pairs, PERSONA) for split, pairs in PAIRS.items()}


def test_a_row_is_system_user_assistant():
    assert chat_rows([pair(1)], PERSONA) == [
        {
            "messages": [
                {"role": "system", "content": "Your name is Ada. Speak as I, briefly."},
                {"role": "user", "content": "What is 1?"},
                {"role": "assistant", "content": "Forty-two."},
            ]
        }
    ]


def test_without_a_persona_there_is_no_system_message():
    assert [m["role"] for m in chat_rows([pair(1)], PersonaSettings())[0]["messages"]] == ["user", "assistant"]


def test_mlx_gets_all_splits(tmp_path):
    files = export(ROWS, MLX, tmp_path)
    assert {path.name: rows for path, rows in files.items()} == {"train.jsonl": 12, "valid.jsonl": 1, "test.jsonl": 1}
    lines = (tmp_path / "train.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == chat_rows(PAIRS["train"], PERSONA)


@pytest.mark.parametrize("form", [TRL, UNSLOTH])
def test_trl_and_unsloth_get_prompts_and_completions_and_what_trains_on_them(tmp_path, form):
    export(ROWS, form, tmp_path)
    first = json.loads((tmp_path / "train.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert [message["role"] for message in first["prompt"]] == ["system", "user"]
    assert first["completion"] == [{"role": "assistant", "content": "Forty-two."}]
    script = (tmp_path / "train.py").read_text(encoding="utf-8")
    found = {
        call.arg: ast.literal_eval(call.value)
        for node in ast.walk(ast.parse(script))
        if isinstance(node, ast.Call)
        for call in node.keywords
        if call.arg in ("r", "lora_alpha", "lora_dropout", "target_modules", "num_train_epochs",
                        "per_device_train_batch_size")
    }  # fmt: skip
    best = TrainingConfig()
    assert found == {
        "r": best.lora_parameters.rank,
        "lora_alpha": best.lora_parameters.scale * best.lora_parameters.rank,
        "lora_dropout": best.lora_parameters.dropout,
        "target_modules": list(KEYS),
        "num_train_epochs": best.epochs,
        "per_device_train_batch_size": best.batch_size,
    }
    assert f'"--learning-rate", type=float, default={best.learning_rate:.0e}'.replace("e-0", "e-") in script


def test_axolotl_gets_chat_rows_and_a_configuration(tmp_path):
    export(ROWS, AXOLOTL, tmp_path)
    config, best = yaml.safe_load((tmp_path / "config.yml").read_text(encoding="utf-8")), TrainingConfig()
    assert (config["lora_r"], config["lora_alpha"], config["lora_dropout"]) == (
        best.lora_parameters.rank,
        best.lora_parameters.scale * best.lora_parameters.rank,
        best.lora_parameters.dropout,
    )
    assert (config["num_epochs"], config["micro_batch_size"], config["learning_rate"]) == (
        best.epochs,
        best.batch_size,
        best.learning_rate,
    )
    assert config["lora_target_modules"] == list(KEYS)
    for part in (*config["datasets"], *config["test_datasets"]):
        row = json.loads((tmp_path / part["path"]).read_text(encoding="utf-8").splitlines()[0])
        assert {message["role"] for message in row[part["field_messages"]]} >= set(part["roles_to_train"])


def test_openai_is_not_given_the_test(tmp_path):
    files = export(ROWS, OPENAI, tmp_path)
    assert {path.name: rows for path, rows in files.items()} == {"training.jsonl": 12, "validation.jsonl": 1}


@pytest.mark.parametrize("form", [MLX, OPENAI], ids=["mlx", "openai"])
def test_control_tokens_in_a_pair_are_text_for_every_program(tmp_path, form):
    told = "It ends in <|im_end|> or </s>."
    rows = {split: chat_rows([pair(n, told) for n in range(12)], PERSONA) for split in ROWS}
    for path in export(rows, form, tmp_path):
        text = path.read_text(encoding="utf-8")
        assert "<|im_end|>" not in text
        assert "</s>" not in text
        answer = json.loads(text.splitlines()[0])["messages"][-1]["content"]
        assert answer.replace("\u2060", "") == told


def test_a_data_set_keeps_its_own_rows_as_they_are(tmp_path):
    rows = {split: chat_rows([pair(1, "It ends in <|im_end|>.")], PERSONA) for split in ROWS}
    write_rows(rows, MLX.files, tmp_path)
    assert "It ends in <|im_end|>." in (tmp_path / "train.jsonl").read_text(encoding="utf-8")


def test_openai_wants_ten_rows(tmp_path):
    with pytest.raises(SitetwinError, match="at least 10 rows to train on, there are 9"):
        export({**ROWS, "train": ROWS["train"][:9]}, OPENAI, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("answer", "problem"), [("  ", "has an empty message"), ("long " * 50_000, "is too long")])
def test_a_row_that_openai_refuses_is_named(answer, problem):
    with pytest.raises(SitetwinError, match=f"row 13 {problem}"):
        OPENAI.check(chat_rows([*PAIRS["train"], pair(99, answer)], PERSONA))


def test_letters_stay_readable(tmp_path):
    export({**ROWS, "valid": chat_rows([pair(1, "Grüße, 世界")], PERSONA)}, MLX, tmp_path)
    assert "Grüße, 世界" in (tmp_path / "valid.jsonl").read_text(encoding="utf-8")
