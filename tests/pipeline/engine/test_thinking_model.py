"""Whole thinking models in the engine, with the templates of Qwen 3 and of DeepSeek's R1, asked over HTTP."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import openai
import pytest

from pipeline.weights import blas

blas.preload(1)

from pipeline.errors import UnreadableError  # noqa: E402
from pipeline.servers.client import EngineClient  # noqa: E402
from tests.pipeline.engine.tiny_engines import TOKEN, loaded, serving  # noqa: E402
from tests.scripted_model import make_scripted_model  # noqa: E402

Serve = Callable[..., str]
ASKED: Any = [{"role": "user", "content": "Where is the key?"}]
THOUGHT = ("Hm, ", "passage [2] ", "is not in these notes. ")
ANSWER = ("The key ", "is under ", "the mat.")
OPENERS = {"qwen3": ("<think>",), "r1": ()}
"""R1's template opens the thought, so the model does not."""
pytestmark = [pytest.mark.timeout(120), pytest.mark.parametrize("family", OPENERS)]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Gives the address of an engine whose model says a script."""
    with ExitStack() as stack:

        def start(family: str, script: Sequence[str], again: str = "") -> str:
            make_scripted_model(tmp_path / "model", family, [*OPENERS[family], *script], again)
            return f"{stack.enter_context(serving(stack.enter_context(loaded(tmp_path / 'model'))))}/v1"

        yield start


def chunks(url: str, **how: Any) -> list[Any]:
    with openai.OpenAI(base_url=url, api_key=TOKEN, max_retries=0, timeout=60) as client:
        options: Any = {"stream": True, "stream_options": {"include_usage": True}, "reasoning_effort": "low", **how}
        return list(client.chat.completions.create(model="tiny", messages=ASKED, temperature=0, **options))


def heard(chunks: Sequence[Any], field: str) -> str:
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    return "".join(getattr(delta, field, None) or "" for delta in deltas)


def test_the_thought_is_streamed_apart_from_the_answer(serve: Serve, family: str) -> None:
    found = chunks(serve(family, [*THOUGHT, "</think>", *ANSWER]))
    assert heard(found, "content") == "".join(ANSWER)
    assert heard(found, "reasoning_content").strip() == "".join(THOUGHT).strip()
    assert found[-1].usage.completion_tokens_details.reasoning_tokens == len(OPENERS[family]) + len(THOUGHT) + 1


def test_the_thoughts_tokens_are_bounded_apart_from_the_answers(serve: Serve, family: str) -> None:
    url = serve(family, ["Hm, ", "</think>", *ANSWER], "Hm, ")
    found = chunks(url, max_tokens=2, extra_body={"max_thinking_tokens": 6})
    assert heard(found, "reasoning_content").split() == ["Hm,"] * (6 - len(OPENERS[family]))
    assert heard(found, "content") == "".join(ANSWER[:2])
    assert [chunk.choices[0].finish_reason for chunk in found if chunk.choices][-1] == "length"


def test_the_chats_client_hears_the_answer_alone(serve: Serve, family: str) -> None:
    url = serve(family, [*THOUGHT, "</think>", *ANSWER])
    pieces = list(EngineClient(url, "tiny", api_key=TOKEN, think=True, is_ours=True).generate(ASKED))
    assert "".join(pieces) == "".join(ANSWER)
    assert len(pieces) > 1


def test_a_thought_without_an_answer_is_said(serve: Serve, family: str) -> None:
    url = serve(family, [*THOUGHT, "</think>"])
    with pytest.raises(UnreadableError, match=r"used all its tokens to think and gave no answer: set models\.think"):
        list(EngineClient(url, "tiny", api_key=TOKEN, think=True, is_ours=True).generate(ASKED))
