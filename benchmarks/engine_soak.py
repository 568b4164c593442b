"""A soak of the engine: random requests at the same time, which must all be answered.

They have seeds, stop strings, lengths, adapters, several answers, schemas and streams. Some are wrong, and some clients
leave before or during their answer. Only random requests show unforeseen effects of one request on another.
"""

import json
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

import httpx

LIMIT_SECONDS = 300
"""Longest wait of a request for its next word."""
WORDS = "tea river copper lantern orchard winter paper violin harbour saffron".split()
WRONG: tuple[dict[str, Any], ...] = (
    {"messages": []},
    {"temperature": -1},
    {"stop": [5]},
    {"adapters": "nobody"},
    {"model": "nobody"},
    {"top_k": 10**9},
    {"tool_choice": "required"},
    {"unknown": 1},
    {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "strange"}}}},
)
SCHEMA = {
    "type": "object",
    "properties": {"ok": {"type": "boolean"}, "n": {"type": "integer", "minimum": 0, "maximum": 99}},
    "required": ["ok", "n"],
    "additionalProperties": False,
}
Ending = Literal["answered", "refused", "left", "failed"]


@dataclass(frozen=True)
class Asked:
    """A request of the soak, and its expected ending."""

    body: dict[str, Any]
    ending: Ending
    leaves_after: float
    """Seconds, or parts of a stream, after which the client leaves."""


@dataclass(frozen=True)
class Became:
    """The ending of a request; `why` is the reason of a failure."""

    ending: Ending
    seconds: float
    why: str = ""


def make(random: Random, adapters: Sequence[str]) -> Asked:
    """A random request."""
    question = " ".join(random.choices(WORDS, k=random.choice((3, 10, 60, 300))))
    body: dict[str, Any] = {
        "messages": [{"role": "user", "content": f"Tell me about {question}."}],
        "max_tokens": random.choice((1, 8, 30, 60)),
        "stream": random.random() < 0.5,
    }
    if random.random() < 0.3:
        body["messages"].insert(0, {"role": "system", "content": "Be brief. " * random.randint(1, 20)})
    if random.random() < 0.5:
        body["adapters"] = random.choice(adapters)
    if random.random() < 0.4:
        body |= {"seed": random.randrange(100), "temperature": random.choice((0.0, 0.8))}
    if random.random() < 0.3:
        body["stop"] = random.sample(["e", "tea", " the", ".", "\n", "and "], k=random.randint(1, 3))
    if random.random() < 0.2:
        body["n"] = random.randint(2, 4)
    if random.random() < 0.2:
        body |= {"logprobs": True, "top_logprobs": random.choice((0, 3))}
    if random.random() < 0.1:
        body["response_format"] = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
    if random.random() < 0.1:
        body |= {"repetition_penalty": 1.2, "logit_bias": {"5": -3}}
    fate = random.random()
    if fate < 0.12:
        return Asked(body | random.choice(WRONG), "refused", 0)
    if fate < 0.3:
        body["max_tokens"] = 400
        return Asked(body, "left", random.choice((1, 2, 5)) if body["stream"] else random.choice((0.01, 0.2, 1.0)))
    return Asked(body, "answered", 0)


def soak(url: str, key: str, adapters: Sequence[str], count: int, at_a_time: int, seed: int) -> dict[str, float | str]:
    """Sends `count` random requests, `at_a_time` at once, to the engine at `url` (up to the version) with its API key.

    Returns:
        Figures. `failed` is 0 if all requests ended as expected; `first_failure` describes the first one that did not.
    """
    random = Random(seed)
    asked = [make(random, adapters) for _ in range(count)]
    started = time.perf_counter()
    with ThreadPoolExecutor(at_a_time) as pool:
        became = list(pool.map(lambda one: ask(url, key, one), asked))
    greeting = [{"role": "user", "content": "Are you there?"}]
    last = ask(url, key, Asked({"messages": greeting, "max_tokens": 4}, "answered", 0))
    health = httpx.get(f"{url.removesuffix('/v1')}/health", timeout=10, trust_env=False)
    failures = [one.why for one in [*became, last] if one.ending == "failed"]
    failures += [] if health.is_success else [f"health: {health.text}"]
    endings = Counter(one.ending for one in became)
    return {
        "soak_requests": count,
        **{name: endings[name] for name in ("answered", "refused", "left")},
        "failed": len(failures),
        "first_failure": failures[0] if failures else "none",
        "slowest_answer_seconds": round(max(one.seconds for one in became), 1),
        "soak_seconds": round(time.perf_counter() - started, 1),
    }


def bearer(key: str) -> dict[str, str]:
    """Headers with an API key; none for an empty one."""
    return {"Authorization": f"Bearer {key}"} if key else {}


def ask(url: str, key: str, asked: Asked) -> Became:
    """Sends one request and returns its ending."""
    started = time.perf_counter()
    leaves = asked.ending == "left"
    wait = asked.leaves_after if leaves and not asked.body.get("stream") else LIMIT_SECONDS
    try:
        with httpx.Client(headers=bearer(key), timeout=wait, trust_env=False) as http:
            why = _answer(http, f"{url}/chat/completions", asked)
    except httpx.TimeoutException:
        why = "" if leaves else f"no answer within {LIMIT_SECONDS} s to {asked.body}"
    except httpx.TransportError as error:
        why = f"{type(error).__name__} {error} to {asked.body}"
    return Became("failed" if why else asked.ending, time.perf_counter() - started, why)


def _answer(http: httpx.Client, url: str, asked: Asked) -> str:
    """The fault of an answer; "" if it has none."""
    with http.stream("POST", url, json=asked.body) as answer:
        if asked.ending == "refused":
            answer.read()
            fine = 400 <= answer.status_code < 500 and answer.json()["error"]["message"]
            return "" if fine else f"{answer.status_code} {answer.text[:200]} to {asked.body}"
        if not answer.is_success:
            answer.read()
            return f"{answer.status_code} {answer.text[:200]} to {asked.body}"
        if asked.body.get("stream"):
            lines = []
            for line in answer.iter_lines():
                lines += [line.removeprefix("data: ")] if line.startswith("data: ") else []
                if asked.ending == "left" and len(lines) >= asked.leaves_after:
                    return ""
            if not lines or lines.pop() != "[DONE]":
                return f"the stream broke off after {lines[-1:]} to {asked.body}"
            choices = [choice for line in lines for choice in json.loads(line)["choices"]]
        else:
            answer.read()
            choices = answer.json()["choices"]
    finished = [choice["finish_reason"] for choice in choices if choice["finish_reason"]]
    wanted = asked.body.get("n", 1)
    fine = len(finished) == wanted and all(reason in ("stop", "length") for reason in finished)
    return "" if fine else f"ended as {finished} to {asked.body}"
