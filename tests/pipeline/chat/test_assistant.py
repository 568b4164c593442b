from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.chat.assistant import REWRITING_TOKENS, Assistant
from pipeline.chat.records import Turn
from pipeline.settings import ChatSettings, Settings

BEFORE = [Turn(role="user", content="How old is the boiler?"), Turn(role="assistant", content="It is from 2019.")]


class Model:
    """Says one thing, and keeps what it was asked with."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, float]] = []

    def generate(self, messages: list[dict[str, str]], *, max_tokens: int, temperature: float) -> Iterator[str]:
        self.asked.append((max_tokens, temperature))
        yield "Who put in the boiler?"


def test_a_turn_is_rewritten_by_the_base_in_one_short_call(tmp_path: Path) -> None:
    model, voices = Model(), []

    def connect(voice: str | None) -> Model:
        voices.append(voice)
        return model

    settings = Settings(root=tmp_path, chat=ChatSettings(rewrite="model"))
    assistant = Assistant(
        settings,
        open_index=lambda: pytest.fail("no passages are needed"),
        connect=connect,
        judge=lambda question, passages: pytest.fail("nothing is judged"),
        similarity=lambda question, texts: [],
    )
    assert assistant.rewritten("Who put it in?", BEFORE).question == "Who put in the boiler?"
    assert (voices, model.asked) == ([None], [(REWRITING_TOKENS, 0.0)])
