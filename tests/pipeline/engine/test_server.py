"""mlx_lm.server's loop as the engine runs it, on a tiny random Llama, in this process."""

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ModelError
from pipeline.weights import blas

blas.preload(1)

import mlx.core as mx  # noqa: E402
from mlx_lm.server import (  # noqa: E402
    CompletionRequest,
    GenerationArguments,
    GenerationContext,
    LogitsProcessorArguments,
    ModelDescription,
    Response,
    SamplingArguments,
)

from benchmarks.engine import make_adapter  # noqa: E402
from pipeline.engine.room import CACHE_BYTES, CHAT_TOKENS, PROMPTS, WORK_BYTES, Room  # noqa: E402
from pipeline.engine.server import BaseProvider, Generator, OneBatch, PromptCache  # noqa: E402
from tests.tiny_llama import make_bases  # noqa: E402

QUESTION = "How are the notes made, and who makes them?"
LONG = 30
END = 2
"""The token that ends an answer, which none of these may choose."""
pytestmark = pytest.mark.timeout(120)


class Held(BaseProvider):
    """Begins when it is told to, so that a test can say who asked before."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.begin = threading.Event()

    def load_default(self) -> None:
        self.begin.wait(60)
        super().load_default()


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    make_bases(folder)
    return folder / "base"


@contextmanager
def engine_of(
    base: Path, folder: Path, cache_bytes: int = CACHE_BYTES, limit: int | None = None
) -> Iterator[Generator]:
    """One with the adapters a, b and c, which waits for `begin`."""
    for number, name in enumerate("abc"):
        make_adapter(folder / name, base, number)
    provider = Held(str(base), "tiny", folder, limit)
    provider.cli_args.prompt_cache_bytes = cache_bytes
    generator = Generator(provider, PromptCache(provider))
    try:
        yield generator
    finally:
        provider.begin.set()
        generator.stop_and_join()


@pytest.fixture
def held(base: Path, tmp_path: Path) -> Iterator[Generator]:
    with engine_of(base, tmp_path) as engine:
        yield engine


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("adapters")


@pytest.fixture(scope="module")
def engine(base: Path, folder: Path) -> Iterator[Generator]:
    with engine_of(base, folder) as engine:
        begin(engine)
        yield engine


def begin(engine: Generator) -> None:
    engine.model_provider.begin.set()  # type: ignore[attr-defined]
    assert engine.model_provider.ready.wait(60)


def chat(text: str = QUESTION) -> CompletionRequest:
    return CompletionRequest("chat", "", [{"role": "user", "content": text}], None, None)


def arguments(adapter: str | None, max_tokens: int = LONG, **changed: Any) -> GenerationArguments:
    sampling = SamplingArguments(0.0, 1.0, 0, 0.0, 0.0, 0.1)
    logits = LogitsProcessorArguments({END: -1000.0}, 0.0, 20, 0.0, 20, 0.0, 20)
    model = ModelDescription("tiny", "default_model", adapter)  # type: ignore[arg-type]
    return replace(GenerationArguments(model, sampling, logits, [], max_tokens, 3, False, -1, None, None), **changed)


def ask(
    engine: Generator, adapter: str | None, text: str = QUESTION, **changed: Any
) -> tuple[GenerationContext, Iterator[Response]]:
    return engine.generate(chat(text), arguments(adapter, **changed))  # type: ignore[no-any-return]


def answer(engine: Generator, adapter: str | None, text: str = QUESTION, **changed: Any) -> list[tuple[int, float]]:
    """Tokens with their log-probabilities, to the last digit."""
    return [(response.token, response.logprob) for response in ask(engine, adapter, text, **changed)[1]]


def cached(engine: Generator, adapter: str | None, text: str = QUESTION) -> int:
    """Tokens of the prompt that were found in the cache."""
    context, responses = ask(engine, adapter, text, max_tokens=2)
    assert len(list(responses)) == 2
    return context.prompt_cache_count


class Answers:
    """Where the loop puts what becomes of a request; `log` is the same for all requests of a test."""

    def __init__(self, name: str, log: list[tuple[str, Any]]) -> None:
        self._name, self._log = name, log
        self.is_over = threading.Event()

    def put(self, message: Any) -> None:
        if isinstance(message, Response) or message is None:
            self._log.append((self._name, message))
        if message is None:
            self.is_over.set()


def test_one_chat_behind_twenty_of_another_adapter_is_not_starved(held: Generator) -> None:
    log: list[tuple[str, Any]] = []
    asked = [*(("a", f"a{number}") for number in range(20)), ("b", "b")]
    answers = []
    for adapter, name in asked:
        answers.append(Answers(name, log))
        model = OneBatch("default_model", "default_model", adapter)
        # Prompts of different beginnings, so that each is read whole.
        held.requests.put((answers[-1], chat(f"{name}: {QUESTION}"), replace(arguments(adapter), model=model)))
    begin(held)
    assert all(one.is_over.wait(60) for one in answers)
    tokens = [name for name, message in log if message is not None]
    assert all(tokens.count(name) == LONG for _, name in asked)
    first = list(dict.fromkeys(tokens))
    assert first.index("b") < PROMPTS
    ends = [name for name, message in log if message is None]
    assert ends.index("b") < PROMPTS
    # From its first token on it gets one at each step, as the others do.
    steps = [position for position, name in enumerate(tokens) if name == "b"]
    assert max(after - before for before, after in pairwise(steps)) <= len(asked)


def test_a_prompt_cache_serves_its_own_adapter_only(engine: Generator, folder: Path) -> None:
    text = "Another question than before, which nobody asked."
    shutil.copytree(folder / "a", folder / "again")
    for adapter in (None, "again", "b"):
        assert cached(engine, adapter, text) < 20, adapter  # at most the template, of an earlier question
    alone = {adapter: answer(engine, adapter, text) for adapter in (None, "again", "b")}
    assert len({json.dumps(one) for one in alone.values()}) == 3
    for adapter in (None, "again", "b"):
        assert cached(engine, adapter, text) > len(text)
        assert answer(engine, adapter, text) == alone[adapter]
    for file in (folder / "c").iterdir():
        shutil.copyfile(file, folder / "again" / file.name)
    assert cached(engine, "again", text) < 20
    assert answer(engine, "again", text) == answer(engine, "c", text) != alone["again"]
    shutil.rmtree(folder / "again")


def side_by_side(engine: Generator, round_: int) -> None:
    """Eight chats of different lengths at the same time."""
    answers = [Answers(f"{number}", []) for number in range(8)]
    for number, one in enumerate(answers):
        text = f"{round_}{number}: " + QUESTION * (8 + number)
        model = OneBatch("default_model", "default_model", None)
        engine.requests.put((one, chat(text), replace(arguments(None, 5 + number), model=model)))
    assert all(one.is_over.wait(60) for one in answers)


def test_what_is_kept_of_chats_side_by_side_is_no_more_than_is_counted(held: Generator) -> None:
    begin(held)
    answer(held, None)
    before = mx.get_active_memory() - held.prompt_cache.nbytes
    for round_ in range(2):
        side_by_side(held, round_)
    kept = held.prompt_cache.nbytes
    # Two layers of two heads of 16 numbers, keys and values, in fp32.
    assert kept >= 2 * 8 * (2 * 2 * 2 * 16 * 4) * 8 * len(QUESTION)
    assert mx.get_active_memory() - before < 1.5 * kept


def test_what_is_kept_stays_below_its_bound(base: Path, tmp_path: Path) -> None:
    bound = 500_000
    with engine_of(base, tmp_path, bound) as engine:
        begin(engine)
        for round_ in range(2):
            side_by_side(engine, round_)
            assert bound / 4 < engine.prompt_cache.nbytes <= bound


def test_a_graphics_processor_with_little_memory_answers_fewer_at_a_time(base: Path, tmp_path: Path) -> None:
    weights = sum(array.nbytes for array in mx.load(str(base / "model.safetensors")).values())  # type: ignore[union-attr]
    # Two layers of two heads of 16 numbers, keys and values, in fp32.
    chat = 2 * 2 * 2 * 16 * 4 * CHAT_TOKENS
    with engine_of(base, tmp_path, limit=weights + WORK_BYTES + 4 * chat) as engine:
        begin(engine)
        assert engine.model_provider.room == Room(3, 3, chat)
        side_by_side(engine, 0)
        assert 0 < engine.prompt_cache.nbytes <= engine.prompt_cache.max_bytes == chat


@pytest.mark.slow
@pytest.mark.parametrize("weights", [b"", b"\x02" + bytes(7) + b"{}", None], ids=["broken", "of nothing", "of another"])
def test_a_model_that_can_not_be_loaded_is_said_whatever_fails(
    base: Path, tmp_path: Path, weights: bytes | None
) -> None:
    """mlx-lm raises RuntimeError, ValueError, TypeError and more; the last line of the log is shown to the owner."""
    folder = shutil.copytree(base, tmp_path / "model")
    if weights is not None:
        (folder / "model.safetensors").write_bytes(weights)
    else:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        del config["hidden_size"]
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    command = [sys.executable, "-m", "pipeline.processes.engine", "--state", str(tmp_path / "state")]
    options = ["--idle-minutes", "1", "--model", str(folder), "--threads", "1"]
    ended = subprocess.run([*command, *options], capture_output=True, text=True, timeout=100)
    assert ended.returncode == 1
    assert f"can't load the model '{folder}': " in ended.stderr.splitlines()[-1]


def test_the_bound_is_the_one_that_is_written_down(engine: Generator) -> None:
    assert engine.prompt_cache.max_bytes == CACHE_BYTES
    guide = Path(__file__).parents[3] / "docs" / "engine.md"
    assert f"{CACHE_BYTES / 1e9:g} GB of them" in guide.read_text(encoding="utf-8")


def test_an_adapter_is_a_model_of_its_name(engine: Generator) -> None:
    by_field = answer(engine, "a")
    model = ModelDescription("a", "default_model", None)  # type: ignore[arg-type]
    assert answer(engine, None, model=model) == by_field
    assert answer(engine, None, model=replace(model, adapter="a")) == by_field
    with pytest.raises(ValueError, match="name two adapters"):
        ask(engine, None, model=replace(model, adapter="b"))
    with pytest.raises(ValueError, match="holds 'tiny' and the adapters a, b, c, not 'other'"):
        ask(engine, None, model=replace(model, model="other"))
    with pytest.raises(ModelError, match="no adapter 'other': name one of a, b, c"):
        ask(engine, "other")


@pytest.mark.parametrize(
    ("request_", "changed", "reason"),
    [
        (chat(), {"stop_words": [5]}, "stop must be"),
        (chat(), {"stop_words": [""]}, "stop must be"),
        (chat(), {"sampling": SamplingArguments(1.0, 1.0, 100_000, 0.0, 0.0, 0.1)}, "top_k must be below"),
        (chat(), {"sampling": SamplingArguments(1.0, 1.0, 0, 0.0, 0.5, 0.9)}, "xtc_threshold"),
        (chat(), {"logits": LogitsProcessorArguments({9999: 1.0}, 0.0, 20, 0.0, 20, 0.0, 20)}, "logit_bias"),
        (CompletionRequest("text", "", [], None, None), {}, "prompt must be"),
        (CompletionRequest("chat", "", [], None, None), {}, "."),
        (CompletionRequest("chat", "", [{"content": "Why?"}], None, None), {}, "."),
        (chat(), {"chat_template_kwargs": [1]}, "."),
    ],
)
def test_what_would_break_the_loop_is_refused(
    engine: Generator, request_: CompletionRequest, changed: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Exception, match=reason):
        engine.generate(request_, arguments("a", **changed))
    assert len(answer(engine, "a")) == LONG
    assert engine.is_healthy


def test_one_that_is_given_up_makes_room(engine: Generator) -> None:
    given_up = [ask(engine, "a", f"{number}", max_tokens=100_000) for number in range(40)[:28]]
    for context, responses in given_up:
        next(responses)
        context.stop()
    assert len(answer(engine, "a")) == LONG


def test_an_adapter_out_of_memory_that_still_answers_is_not_read_twice(engine: Generator, folder: Path) -> None:
    overlays = engine.model_provider.overlays
    context, responses = ask(engine, "a", max_tokens=100_000)
    next(responses)
    first = overlays.get("a")
    for number in range(6):
        shutil.copytree(folder / "b", folder / f"b{number}")
        answer(engine, f"b{number}", max_tokens=1)
        shutil.rmtree(folder / f"b{number}")
    assert overlays.get("a") is first
    context.stop()


def test_the_base_says_the_same_before_and_after_adapters(engine: Generator) -> None:
    before = answer(engine, None)
    for adapter in "abc":
        assert answer(engine, adapter) != before
        assert answer(engine, None) == before
