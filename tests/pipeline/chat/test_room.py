from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from pipeline.chat.records import Turn
from pipeline.chat.room import RULES_TOKENS, fitted, is_small
from pipeline.errors import SitetwinError
from pipeline.index.passages import Passage


def passage(text: str) -> Passage:
    return Passage(id="a#1", document="a.md", title="A", url="", heading="", text=text, score=1, visibility="public")


TEXT = "A sentence of thirty letters.. " * 9 + "The end of it comes here now."  # 308 characters, 103 tokens
TURNS = [Turn(role="user", content="a" * 30), Turn(role="assistant", content="b" * 30)] * 2


def fit(room: int, passages: int = 2) -> tuple[list[Passage], list[Turn]]:
    return fitted("why", "", [passage(TEXT)] * passages, TURNS, RULES_TOKENS + 100 + 1 + room, 100)


def test_all_stays_where_there_is_room() -> None:
    assert fit(246) == ([passage(TEXT)] * 2, TURNS)


def test_the_oldest_turns_go_first_and_an_answer_goes_with_its_question() -> None:
    assert fit(245) == ([passage(TEXT)] * 2, TURNS[2:])


def test_then_the_last_passages_go_and_of_the_best_one_its_end() -> None:
    assert fit(120) == ([passage(TEXT)], [])
    (short,), _ = fit(60)
    assert TEXT.startswith(short.text)
    assert 100 < len(short.text) <= 180


def test_no_room_is_said() -> None:
    with pytest.raises(SitetwinError, match=r"lower chat\.max_tokens"):
        fit(3)


@pytest.mark.parametrize(
    ("model", "small"),
    [
        ("/models/7b/Qwen2.5-Coder-0.5B-Instruct-float32", True),
        ("HuggingFaceTB/SmolLM2-135M-Instruct", True),
        ("demo", True),
        ("qwen2.5-1.5b-instruct-q4_k_m.gguf", True),
        ("mlx-community/gemma-3-12b-it-4bit", False),
        ("ollama:gemma3:27b", False),
        ("gpt-4o-mini", False),
    ],
)
def test_a_small_model_is_known_by_its_name(model: str, small: bool) -> None:
    assert is_small(model) is small


def test_a_small_model_in_a_folder_is_known_by_its_weights(tmp_path: Path) -> None:
    folder = tmp_path / "my-voice"
    folder.mkdir()
    assert not is_small(str(folder))

    (other := tmp_path / "my-other-voice").mkdir()
    save_file({"weight": np.zeros((8, 4), np.float32)}, other / "model.safetensors")
    assert is_small(str(other))
