"""The engine's loop on a tiny random Llama, in this process."""

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pipeline.weights import blas

blas.preload(1)

import mlx.core as mx  # noqa: E402

from pipeline.engine.asking import jobs_of  # noqa: E402
from pipeline.engine.jobs import Ended, EngineJob, Event, Said  # noqa: E402
from pipeline.engine.loop import Loop  # noqa: E402
from pipeline.engine.protocol import ChatRequest, parse  # noqa: E402
from pipeline.engine.room import CACHE_BYTES, CHAT_TOKENS, PROMPTS, WORK_BYTES, Room  # noqa: E402
from pipeline.errors import ModelError  # noqa: E402
from tests.pipeline.engine.tiny_engines import NEVER_ENDS, running  # noqa: E402
from tests.tiny_llama import make_bases  # noqa: E402

QUESTION = "How are the notes made, and who makes them?"
LONG = 30
pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    make_bases(folder)
    return folder / "base"


@pytest.fixture(scope="module", params=[False, True], ids=["fp32", "int8"])
def int8(request: pytest.FixtureRequest) -> bool:
    """Whether the engine holds its weights in 8 bits."""
    return bool(request.param)


@pytest.fixture(scope="module")
def folder(int8: bool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("adapters")


@pytest.fixture(scope="module")
def engine(base: Path, folder: Path, int8: bool) -> Iterator[Loop]:
    with running(base, folder, int8=int8) as (loop, _):
        yield loop


class Heard:
    """What becomes of one answer; `log` gets (name, event) in the order in which all of a test happens."""

    def __init__(self, name: str = "", log: list[tuple[str, Event]] | None = None) -> None:
        self._name = name
        self._log = [] if log is None else log
        self.events: list[Event] = []
        self.has_begun = threading.Event()
        self.is_over = threading.Event()

    def __call__(self, _number: int, event: Event) -> None:
        self.events.append(event)
        self._log.append((self._name, event))
        if isinstance(event, Said):
            self.has_begun.set()
        if isinstance(event, Ended | Exception):
            self.is_over.set()

    def tokens(self) -> list[tuple[int, float]]:
        """With their log-probabilities, to the last digit."""
        assert self.is_over.wait(60)
        if isinstance(self.events[-1], Exception):
            raise self.events[-1]
        said = [event.probability for event in self.events if isinstance(event, Said)]
        return [(one.token, one.logprob) for one in said if one]


def request(text: str = QUESTION, **changed: Any) -> ChatRequest:
    body = {"messages": [{"role": "user", "content": text}], "max_tokens": LONG, "logprobs": True}
    return parse(ChatRequest, {**body, "logit_bias": NEVER_ENDS, **changed})  # type: ignore[no-any-return]


def ask(engine: Loop, adapter: str | None, text: str = QUESTION, **changed: Any) -> tuple[EngineJob, Heard]:
    heard = Heard()
    (job,) = jobs_of(engine.base, request(text, adapters=adapter, **changed), heard)
    engine.put(job)
    return job, heard


def answer(engine: Loop, adapter: str | None, text: str = QUESTION, **changed: Any) -> list[tuple[int, float]]:
    return ask(engine, adapter, text, **changed)[1].tokens()


def cached(engine: Loop, adapter: str | None, text: str = QUESTION) -> int:
    """Tokens of the prompt that were found in the cache."""
    job, heard = ask(engine, adapter, text, max_tokens=2)
    assert len(heard.tokens()) == 2
    return job.cached


def test_one_chat_behind_twenty_of_another_adapter_is_not_starved(engine: Loop) -> None:
    log: list[tuple[str, Event]] = []
    asked = [*(("a", f"a{number}") for number in range(20)), ("b", "b")]
    jobs = []
    for adapter, name in asked:
        # Prompts of different beginnings, so that each is read whole.
        heard = Heard(name, log)
        jobs += [(job, heard) for job in jobs_of(engine.base, request(f"{name}: {QUESTION}", adapters=adapter), heard)]
    for job, _ in jobs:
        engine.put(job)
    assert all(heard.is_over.wait(60) for _, heard in jobs)
    tokens = [name for name, event in log if isinstance(event, Said)]
    assert all(tokens.count(name) == LONG for _, name in asked)
    first = list(dict.fromkeys(tokens))
    assert first.index("b") < PROMPTS
    # From its first token on it gets one at each step, as the others do.
    steps = [position for position, name in enumerate(tokens) if name == "b"]
    assert max(after - before for before, after in pairwise(steps)) <= len(asked)


def test_a_seed_beside_others_holds_up_nobody_and_says_the_same_again(engine: Loop) -> None:
    def together() -> list[list[tuple[int, float]]]:
        asked = [
            ask(engine, None, max_tokens=60),
            ask(engine, "a", seed=7, temperature=1.0),
            ask(engine, None, temperature=1.0),
            ask(engine, "b", seed=7, temperature=1.0),
        ]
        return [heard.tokens() for _, heard in asked]

    one, two = together(), together()
    for seeded in (1, 3):
        assert [token for token, _ in one[seeded]] == [token for token, _ in two[seeded]]
    alone = answer(engine, "a", seed=7, temperature=1.0)
    assert [token for token, _ in alone] == [token for token, _ in one[1]]
    assert [token for token, _ in answer(engine, "a", seed=8, temperature=1.0)] != [token for token, _ in alone]
    assert [token for token, _ in one[2]] != [token for token, _ in two[2]]


def test_a_prompt_cache_serves_its_own_adapter_only(engine: Loop, folder: Path) -> None:
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


def test_a_system_message_that_another_chat_began_with_is_read_once(engine: Loop) -> None:
    system = {"role": "system", "content": "You are the assistant of a site about tea."}

    def begun(question: str) -> EngineJob:
        messages = [system, {"role": "user", "content": question}]
        job, heard = ask(engine, None, messages=messages, max_tokens=2)
        heard.tokens()
        return job

    first, second = begun("What is tea?"), begun("Who grows it?")
    assert second.cached >= first.system > len(system["content"])


def side_by_side(engine: Loop, round_: int) -> None:
    """Eight chats of different lengths at the same time."""
    asked = [
        ask(engine, None, f"{round_}{number}: " + QUESTION * (8 + number), max_tokens=5 + number) for number in range(8)
    ]
    assert all(heard.is_over.wait(60) for _, heard in asked)


def settled(engine: Loop) -> int:
    """The bytes that are kept, once nothing is under way."""
    answer(engine, None, max_tokens=1)
    return engine.prefixes.nbytes


def test_what_is_kept_of_chats_side_by_side_is_no_more_than_is_counted(base: Path, tmp_path: Path) -> None:
    with running(base, tmp_path) as (engine, _):
        before = mx.get_active_memory() - settled(engine)
        for round_ in range(2):
            side_by_side(engine, round_)
        kept = settled(engine)
        # Two layers of two heads of 16 numbers, keys and values, in fp32.
        assert kept >= 2 * 8 * (2 * 2 * 2 * 16 * 4) * 8 * len(QUESTION)
        assert mx.get_active_memory() - before < 1.5 * kept


def test_what_is_kept_stays_below_its_bound(base: Path, tmp_path: Path) -> None:
    bound = 500_000
    with running(base, tmp_path, bound) as (engine, _):
        for round_ in range(2):
            side_by_side(engine, round_)
            assert bound / 4 < engine.prefixes.nbytes <= bound


def test_a_graphics_processor_with_little_memory_answers_fewer_at_a_time(base: Path, tmp_path: Path) -> None:
    weights = sum(array.nbytes for array in mx.load(str(base / "model.safetensors")).values())  # type: ignore[union-attr]
    # Two layers of two heads of 16 numbers, keys and values, in fp32.
    chat = 2 * 2 * 2 * 16 * 4 * CHAT_TOKENS
    with running(base, tmp_path, limit=weights + WORK_BYTES + 4 * chat) as (engine, _):
        assert engine.base.room == Room(3, 3, chat)
        side_by_side(engine, 0)
        assert 0 < engine.prefixes.nbytes <= chat


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
    options = ["--idle-minutes", "1", "--model", str(folder), "--threads", "1", "--int8"]
    ended = subprocess.run([*command, *options], capture_output=True, text=True, timeout=100)
    assert ended.returncode == 1
    assert f"can't load the model '{folder}': " in ended.stderr.splitlines()[-1]


def test_the_bound_is_the_one_that_is_written_down(engine: Loop) -> None:
    assert engine.base.room.cache_bytes == CACHE_BYTES
    guide = Path(__file__).parents[3] / "docs" / "engine.md"
    assert f"at most {CACHE_BYTES / 1e9:g} GB" in guide.read_text(encoding="utf-8")


def test_one_that_is_given_up_makes_room(engine: Loop) -> None:
    given_up = [ask(engine, "a", f"{number}", max_tokens=100_000) for number in range(28)]
    for job, heard in given_up:
        assert heard.has_begun.wait(60)
        job.give_up()
    assert len(answer(engine, "a")) == LONG


def test_an_adapter_out_of_memory_that_still_answers_is_not_read_twice(engine: Loop, folder: Path) -> None:
    overlays = engine.base.overlays
    job, heard = ask(engine, "a", max_tokens=100_000)
    assert heard.has_begun.wait(60)
    first = overlays.get("a")
    for number in range(6):
        shutil.copytree(folder / "b", folder / f"b{number}")
        answer(engine, f"b{number}", max_tokens=1)
        shutil.rmtree(folder / f"b{number}")
    assert overlays.get("a") is first
    job.give_up()


def test_the_base_says_the_same_before_and_after_adapters(engine: Loop) -> None:
    before = answer(engine, None)
    for adapter in "abc":
        assert answer(engine, adapter) != before
        assert answer(engine, None) == before


def test_an_adapter_that_is_not_there_is_refused_and_the_others_go_on(engine: Loop) -> None:
    with pytest.raises(ModelError, match="no adapter 'other': name one of a, b, c"):
        answer(engine, "other")
    assert len(answer(engine, "a")) == LONG


def test_an_answer_follows_a_schema_beside_others_that_are_free(engine: Loop) -> None:
    schema = {
        "type": "object",
        "properties": {"good": {"type": "boolean"}, "kind": {"enum": ["tea", "coffee"]}},
        "required": ["good", "kind"],
        "additionalProperties": False,
    }
    asked = {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}}
    guided = [ask(engine, adapter, logit_bias=None, max_tokens=60, **asked) for adapter in (None, "a", "b")]
    free = ask(engine, "a")
    assert len(free[1].tokens()) == LONG
    for _, heard in guided:
        heard.tokens()
        text = "".join(piece.text for event in heard.events if isinstance(event, Said) for piece in event.pieces)
        value = json.loads(text)
        assert set(value) == {"good", "kind"}
        assert value["good"] in (True, False)
        assert value["kind"] in ("tea", "coffee")
