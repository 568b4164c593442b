"""The real engine on a tiny Llama: each adapter's answers are those of mlx-lm with that adapter alone."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest
from safetensors.numpy import load_file, save_file

from pipeline.adapters import rollback
from pipeline.chat import Answer
from pipeline.dataset.teachers import served
from pipeline.engine.promoting import promote
from pipeline.errors import ModelError
from pipeline.processes import engine
from pipeline.settings import EngineSettings, ModelSettings, Settings
from pipeline.site import Site
from tests.tiny_llama import QUESTIONS, TOKENS, messages

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
KEPT = 4
"""Of the engine's `overlays`, which brings MLX and is not imported here."""
LONG = 800
"""Tokens of an answer that is under way for seconds."""
ON_BASE = ("narrow", "wide", "words", "stretched")
Answers = dict[str, dict[str, list[int]]]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    subprocess.run([sys.executable, "-m", "tests.tiny_llama", str(folder)], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def expected(tiny: Path) -> Answers:
    return json.loads((tiny / "answers.json").read_bytes())


def site(tiny: Path, root: Path, base: str) -> Iterator[Settings]:
    # In 32 bits, as mlx-lm, so that the same tokens are expected.
    settings = Settings(root=root, models=ModelSettings(chat=str(tiny / base)), engine=EngineSettings(int8=False))
    shutil.copytree(tiny / "adapters", settings.state / "adapters")
    engine.connect(settings)
    yield settings
    service = engine.service(settings)
    if endpoint := service.find():
        service.stop(endpoint)


@pytest.fixture(scope="module")
def settings(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    yield from site(tiny, tmp_path_factory.mktemp("site"), "base")


@pytest.fixture(scope="module")
def quantised(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    yield from site(tiny, tmp_path_factory.mktemp("quantised"), "quantised")


def post(settings: Settings, body: dict[str, object]) -> httpx.Response:
    body = {"model": settings.models.chat, **body}
    url = f"{engine.connect(settings).base_url}/chat/completions"
    return httpx.post(url, json=body, headers=bearer(settings), timeout=120)


def bearer(settings: Settings) -> dict[str, str]:
    return {"Authorization": f"Bearer {engine.connect(settings).api_key}"}


def tokens(settings: Settings, question: str, adapter: str | None, count: int = TOKENS) -> list[int]:
    response = post(
        settings, {"messages": messages(question), "adapters": adapter, "max_tokens": count, "logprobs": True}
    )
    assert response.status_code == 200, response.text
    return [token["id"] for token in response.json()["choices"][0]["logprobs"]["content"]]


def logprobs(settings: Settings) -> str:
    """The base's answer with its probabilities, to the last digit."""
    body = {"messages": messages(QUESTIONS[0]), "max_tokens": 8, "logprobs": True}
    return json.dumps(post(settings, body).json()["choices"][0]["logprobs"])


def adapter_folder(settings: Settings, name: str) -> Path:
    return settings.state / "adapters" / name


def test_each_adapter_answers_as_in_mlx_lm_and_the_base_as_before(settings: Settings, expected: Answers) -> None:
    assert len({json.dumps(answers) for answers in expected.values()}) == len(expected)
    before = logprobs(settings)
    for question in QUESTIONS:
        for name in ON_BASE:
            assert tokens(settings, question, name) == expected[name][question], (name, question)
        # The same conversation, just computed under four adapters: no prompt cache of theirs may serve the base.
        assert tokens(settings, question, None) == expected["base"][question]
    assert logprobs(settings) == before


def test_all_adapters_and_the_base_side_by_side(settings: Settings, expected: Answers) -> None:
    asked = [(name, question) for question in QUESTIONS for name in (None, *ON_BASE)] * 2
    with ThreadPoolExecutor(len(asked)) as pool:
        answers = list(pool.map(lambda pair: tokens(settings, pair[1], pair[0]), asked))
    for (name, question), answer in zip(asked, answers, strict=True):
        assert answer == expected[name or "base"][question], (name, question)


def test_a_long_chat_of_one_adapter_holds_up_no_other(settings: Settings, expected: Answers) -> None:
    client = engine.connect(settings, "narrow")
    long = client.generate(messages(QUESTIONS[1]), max_tokens=100_000)
    next(long)
    try:
        assert tokens(settings, QUESTIONS[0], "wide") == expected["wide"][QUESTIONS[0]]
        assert next(long)
    finally:
        long.close()


def test_requests_with_a_seed_take_their_adapter_too(settings: Settings, expected: Answers) -> None:
    for name in ("wide", "base", "words"):
        body = {"messages": messages(QUESTIONS[2]), "max_tokens": TOKENS, "logprobs": True, "seed": 3}
        answer = post(settings, body | ({} if name == "base" else {"adapters": name})).json()
        assert [t["id"] for t in answer["choices"][0]["logprobs"]["content"]] == expected[name][QUESTIONS[2]]


def test_adapters_of_a_quantised_base(quantised: Settings, expected: Answers) -> None:
    for question in QUESTIONS:
        assert tokens(quantised, question, "on-quantised") == expected["on-quantised"][question]
        assert tokens(quantised, question, None) == expected["quantised"][question]


def test_one_for_another_base_is_refused(quantised: Settings) -> None:
    refusal = post(quantised, {"messages": messages("Why?"), "adapters": "wide"})
    assert refusal.status_code == 400
    assert "was trained on 'base'" in refusal.json()["error"]["message"]


@pytest.mark.parametrize("name", ["../adapters/wide", "/etc", "nobody", ""])
def test_what_is_no_adapter_is_refused(settings: Settings, name: str) -> None:
    refusal = post(settings, {"messages": messages("Why?"), "adapters": name})
    assert refusal.status_code == 400
    assert "name one of" in refusal.json()["error"]["message"]


def damaged(settings: Settings, name: str) -> Path:
    """A copy of `wide` without its card, so that only its files can tell."""
    folder = shutil.copytree(adapter_folder(settings, "wide"), adapter_folder(settings, name))
    (folder / "sitetwin.json").unlink()
    return folder


def refusal(settings: Settings, name: str) -> str:
    with pytest.raises(ModelError) as error:
        list(engine.connect(settings, name).generate(messages("")))
    assert "\n" not in str(error.value)
    return str(error.value)


def test_broken_ones_are_refused_and_the_others_go_on(settings: Settings, expected: Answers) -> None:
    whole = load_file(adapter_folder(settings, "wide") / "adapters.safetensors")
    first = next(name for name in whole if name.endswith("lora_a"))
    weights = {
        "nan": whole | {first: np.full_like(whole[first], np.nan)},
        "elsewhere": {name.replace("layers.1", "layers.7"): array for name, array in whole.items()},
        "half": {name: array for name, array in whole.items() if name != first},
        "misshapen": whole | {first: whole[first][:-1].copy()},
        "none": {},
    }
    for name, arrays in weights.items():
        save_file(arrays, damaged(settings, name) / "adapters.safetensors")
    short = damaged(settings, "short") / "adapters.safetensors"
    os.truncate(short, short.stat().st_size - 100)
    (damaged(settings, "full") / "adapter_config.json").write_text('{"fine_tune_type": "full"}')
    (damaged(settings, "unscaled") / "adapter_config.json").write_text('{"lora_parameters": {"alpha": 32}}')
    says = {
        "nan": "not finite",
        "elsewhere": "no such layer",
        "half": "has lora_b where lora_a, lora_b belong",
        "misshapen": "do not fit a layer",
        "none": "is empty",
        "short": "adapters.safetensors: ",
        "full": "a model of its own",
        "unscaled": "'scale'",
    }
    for name, reason in says.items():
        assert reason in refusal(settings, name), name
        assert tokens(settings, QUESTIONS[0], "narrow") == expected["narrow"][QUESTIONS[0]]


def test_one_that_vanishes_ends_no_chat_and_is_refused_after(settings: Settings) -> None:
    folder = shutil.copytree(adapter_folder(settings, "wide"), adapter_folder(settings, "leaving"))
    client = engine.connect(settings, "leaving")
    answer = client.generate(messages(QUESTIONS[0]), max_tokens=100_000)
    next(answer)
    shutil.rmtree(folder)
    assert "there is no adapter 'leaving'" in refusal(settings, "leaving")
    assert next(answer)
    answer.close()


def test_one_that_was_trained_again_is_read_again(settings: Settings, expected: Answers) -> None:
    folder = shutil.copytree(adapter_folder(settings, "narrow"), adapter_folder(settings, "again"))
    assert tokens(settings, QUESTIONS[0], "again") == expected["narrow"][QUESTIONS[0]]
    for file in adapter_folder(settings, "wide").iterdir():
        shutil.copyfile(file, folder / file.name)
    assert tokens(settings, QUESTIONS[0], "again") == expected["wide"][QUESTIONS[0]]


def test_they_are_listed_as_models_and_chosen_as_such(
    settings: Settings, quantised: Settings, expected: Answers
) -> None:
    def listed(of: Settings) -> list[tuple[str, str | None]]:
        models = httpx.get(f"{engine.connect(of).base_url}/models", headers=bearer(of), timeout=60).json()["data"]
        return [(model["id"], model.get("parent")) for model in models]

    base = settings.models.chat
    assert set(listed(settings)) >= {(base, None), *((name, base) for name in ON_BASE)}
    assert listed(quantised) == [(quantised.models.chat, None), ("on-quantised", quantised.models.chat)]
    body = {"model": "wide", "messages": messages(QUESTIONS[0]), "max_tokens": TOKENS, "logprobs": True}
    answer = post(settings, body).json()
    assert [token["id"] for token in answer["choices"][0]["logprobs"]["content"]] == expected["wide"][QUESTIONS[0]]
    unknown = post(settings, body | {"model": "nobody"})
    assert unknown.status_code == 404
    assert "narrow, " in unknown.json()["error"]["message"]


def test_only_who_knows_the_token_is_answered_under_a_private_adapter(settings: Settings) -> None:
    endpoint = engine.service(settings).find()
    assert endpoint is not None
    body = {"messages": messages("Why?"), "adapters": "wide", "max_tokens": 1}
    for headers in ({}, {"Authorization": "Bearer guessed"}):
        answer = httpx.post(f"{endpoint.url}/v1/chat/completions", json=body, headers=headers, timeout=60)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    assert post(settings, body).status_code == 200


def test_the_teacher_that_is_the_engine_is_answered(settings: Settings) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    teacher = served.engine(settings, "", "teacher.model")
    reply = asyncio.run(teacher.reply(messages("Why?"), schema, max_tokens=60, temperature=0.0))
    assert isinstance(json.loads(reply)["n"], int)


def test_pictures_are_not_fetched(settings: Settings) -> None:
    picture = {"type": "image_url", "image_url": {"url": "http://127.0.0.1:9/nothing.png"}}
    refused = post(settings, {"messages": [{"role": "user", "content": [picture]}]})
    assert refused.status_code == 400
    assert "text only" in refused.json()["error"]["message"]


def test_promote_and_roll_back_while_chats_run(settings: Settings) -> None:
    """Answers under way end under the adapter they began with, the next ones come from the new one."""
    site = settings.model_copy(deep=True)
    site.chat.max_tokens = LONG
    base = engine.connect(site)
    log: list[str] = []
    spoken: defaultdict[str, threading.Event] = defaultdict(threading.Event)

    def hear(name: str, pieces: Iterator[str | Answer]) -> tuple[str, str | None]:
        """What was said, and under which adapter."""
        text = ""
        for piece in pieces:
            if isinstance(piece, Answer):
                return text, piece.adapter
            text += piece
            log.append(name)
            spoken[name].set()
        return text, None

    def begin(name: str) -> list[Future[tuple[str, str | None]]]:
        """A chat for each question, all of which have said something."""
        chats = [
            pool.submit(hear, f"{name} {question}", Site(site).assistant.ask(question, mode="lora"))
            for question in QUESTIONS
        ]
        assert all(spoken[f"{name} {question}"].wait(60) for question in QUESTIONS)
        return chats

    promote(site, "wide")
    before = logprobs(site)
    with ThreadPoolExecutor(10) as pool:
        plain = pool.submit(hear, "base", base.generate(messages(QUESTIONS[0]), max_tokens=LONG))
        first = begin("first")
        promote(site, "words")
        second = begin("second")
        rollback(site)
        third = begin("third")
        heard = [[chat.result() for chat in chats] for chats in (first, second, third)]
    assert {adapter for _, adapter in heard[0]} == {"wide"}
    assert {adapter for _, adapter in heard[1]} == {"words"}
    assert {adapter for _, adapter in heard[2]} == {"wide"}
    for question in QUESTIONS:
        assert f"first {question}" in log[log.index(f"second {question}") :]
        assert f"second {question}" in log[log.index(f"third {question}") :]

    def alone(adapter: str | None) -> list[str]:
        client = engine.connect(site, adapter)
        return ["".join(client.generate(messages(question), max_tokens=LONG)) for question in QUESTIONS]

    wide, words = alone("wide"), alone("words")
    assert [[text for text, _ in texts] for texts in heard] == [wide, words, wide]
    assert plain.result()[0] == alone(None)[0]
    assert logprobs(site) == before


@pytest.mark.parametrize("name", [None, "wide"])
def test_ask_answers_under_the_promoted_or_the_named_adapter(settings: Settings, name: str | None) -> None:
    promote(settings, "narrow")
    *pieces, answer = Site(settings).assistant.ask(QUESTIONS[0], mode="lora", adapter=name)
    assert isinstance(answer, Answer)
    assert answer.adapter == (name or "narrow")
    asked = engine.connect(settings, name or "narrow")
    expected = asked.generate(messages(QUESTIONS[0]), max_tokens=settings.chat.max_tokens)
    assert "".join(str(piece) for piece in pieces) == "".join(expected)


def test_unused_adapters_leave_memory_and_come_back(settings: Settings) -> None:
    megabyte, rank = 1_000_000, 60_000
    first = shutil.copytree(adapter_folder(settings, "narrow"), adapter_folder(settings, "large-0"))
    pair = {"lora_a": np.zeros((64, rank), np.float32), "lora_b": np.zeros((rank, 64), np.float32)}
    path = "model.layers.0.self_attn.q_proj"
    save_file({f"{path}.{part}": array for part, array in pair.items()}, first / "adapters.safetensors")
    size = (first / "adapters.safetensors").stat().st_size
    assert size > 30 * megabyte
    names = [f"large-{number}" for number in range(14)]
    for name in names[1:]:
        shutil.copytree(first, adapter_folder(settings, name), copy_function=os.link)
    endpoint = engine.service(settings).find()
    assert endpoint is not None
    process = psutil.Process(endpoint.pid)
    before = process.memory_info().rss
    zero = [tokens(settings, QUESTIONS[0], name, 4) for name in [*names, names[0]]]
    assert all(answer == tokens(settings, QUESTIONS[0], None, 4) for answer in zero)
    assert process.memory_info().rss - before < (KEPT + 3) * size
