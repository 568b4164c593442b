"""A teacher of each misbehaving kind to a whole data set: real requests, replies as real servers were seen to give them."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from pipeline.dataset.build import Built, build
from pipeline.dataset.teachers.model import ModelJudge, ModelTeacher
from pipeline.dataset.versions import read_rows, version_folder
from pipeline.servers.ollama_chat import OllamaChat
from pipeline.servers.openai_chat import OpenAIChat
from tests.answering_server import Answer, Server, serving
from tests.pipeline.dataset.notes import cut, document, embed, site

Body = dict[str, Any]
DOCUMENTS = [document(number) for number in range(4)]
HTML = {"Content-Type": "text/html"}, b"<html><title>Gateway</title>busy</html>"
ODD = 5
"""The request that gets an odd reply, where only one does."""


def chat(content: Any, finish: str = "stop", **message: Any) -> Answer:
    """A reply that suits OpenAI's clients and Ollama's."""
    whole = {"role": "assistant", "content": content, **message}
    return 200, {}, {"choices": [{"finish_reason": finish, "message": whole}], "message": whole, "done": True,
                     "done_reason": finish}  # fmt: skip


def refused(status: int, message: str) -> Answer:
    return status, {}, {"error": {"message": message}}


def written(body: Body) -> dict[str, Any]:
    """What a good teacher or judge says."""
    asked = body["messages"][-1]["content"]
    if "<example>" in asked:
        return {"faithful": 9, "relevant": 9, "reason": "It is in the text."}
    title, *lines = asked.split("<text>\n# ")[1].split("\n</text>")[0].split("\n")
    sentences = re.split(r"(?<=[.])\s+", " ".join(lines))
    count = int(re.search(r"Write (\d+) ", asked)[1])  # type: ignore[index]
    refuses = "does NOT answer" in asked
    return {
        "pairs": [
            {
                "question": f"What do you say in {title.replace(' > ', ', ')}, point {number}?",
                "answer": "not in the text" if refuses else sentence,
                "accuracy": 9,
                "style": 8,
            }
            for number, sentence in enumerate(sentences[:count])
        ]
    }


def graded(accuracy: Any, style: Any) -> Callable[[dict[str, Any]], str]:
    def grade(said: dict[str, Any]) -> str:
        pairs = [{**pair, "accuracy": accuracy, "style": style} for pair in said.get("pairs", [])]
        return json.dumps({"pairs": pairs} if pairs else said)

    return grade


TEXTS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "good": json.dumps,
    "thought": lambda said: f'<think>\nThe user wants {{count}}, as {{"pairs": []}}.\n</think>\n\n{json.dumps(said)}',
    "draft in a thought": lambda said: (
        f'<think>{{"pairs": [{{"question": "A draft?", "answer": "d"}}]}}</think>{json.dumps(said)}'
    ),
    "thought that the prompt opened": lambda said: f"Okay so {{maybe}} this.\n</think>\n\n{json.dumps(said)}",
    "fence": lambda said: f"Here are the examples:\n\n```json\n{json.dumps(said, indent=1)}\n```\nLet me know!",
    "prose": lambda said: f"Here are [3] examples:\n{json.dumps(said)}",
    "JSON lines": lambda said: "\n".join(json.dumps(pair) for pair in said.get("pairs", [said])),
    "a bare list": lambda said: json.dumps(said.get("pairs", said)),
    "grades 8.5": graded(8.5, 7.5),
    "grades 9/10": graded("9/10", "8/10"),
    "parts": lambda said: [
        {"type": "text", "text": json.dumps(said)[:9]},
        {"type": "text", "text": json.dumps(said)[9:]},
    ],
    "line separators": lambda said: json.dumps(said, ensure_ascii=False).replace("a little", "a\u2028little"),
}
ONCE: dict[str, Answer] = {
    "an HTML page once": (200, *HTML),
    "an error with status 200 once": (200, {}, {"error": {"message": "Provider returned error", "code": 502}}),
    "no choices once": (200, {}, {"choices": [], "usage": {}}),
    "status 500 once": refused(500, "upstream"),
    "the filter once": chat(None, "content_filter"),
    "a refusal once": chat(None, refusal="I can't."),
}
"""The reply to request `ODD`."""
ANSWERS: dict[str, Callable[[int, Body], Answer | None]] = {
    "cut off at first": lambda n, body: chat('{"pairs": [', "length") if n == 1 else None,
    "cut off without a word": lambda n, body: chat('{"pairs": [') if n == 1 else None,
    "a thought alone at first": lambda n, body: chat("", "length", reasoning_content="Hm.") if n == 1 else None,
    "busy": lambda n, body: refused(429, "Rate limit reached") if n == 1 else None,
    "no temperature": lambda n, body: (
        refused(400, "Unsupported value: 'temperature' does not support 0.3")
        if body.get("temperature", 1) != 1
        else None
    ),
    "max_completion_tokens": lambda n, body: (
        refused(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'.")
        if "max_tokens" in body
        else None
    ),
    "no schema, 400": lambda n, body: (
        refused(400, "This model does not support response format `json_schema`.")
        if "response_format" in body
        else None
    ),
    "no schema, 422": lambda n, body: (
        (422, {}, {"detail": [{"loc": ["body", "response_format", "type"]}]}) if "response_format" in body else None
    ),
    "no schema, 500": lambda n, body: (
        refused(500, "Failed to compile grammar for guided decoding") if "response_format" in body else None
    ),
}
"""By how often this was asked already, and the request; None: a good reply."""
OF_OPENAI = {"no choices once", "the filter once", "a refusal once", "a thought alone at first"} | {
    name for name in ANSWERS if name.startswith(("no schema", "no temp", "max_"))
}
"""What only OpenAI's protocol knows."""


class Teacher(Server):
    """Writes pairs and grades, as the kind of its misbehaviour has it."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.times: Counter[str] = Counter()
        super().__init__()

    def answer(self, body: Body) -> Answer:
        asked = body["messages"][-1]["content"]
        self.times[asked] += 1
        if self.kind in ONCE and len(self.asked) == ODD:
            return ONCE[self.kind]
        odd = ANSWERS[self.kind](self.times[asked], body) if self.kind in ANSWERS else None
        return odd or chat(TEXTS.get(self.kind, json.dumps)(written(body)))


@pytest.fixture
def build_with(tmp_path: Path) -> Iterator[Callable[[str, str], Built]]:
    async def at_once(seconds: float) -> None:
        pass

    with ExitStack() as stack:

        def built(protocol: str, kind: str) -> Built:
            server = stack.enter_context(serving(Teacher(kind)))
            model = (
                OpenAIChat("t", server.url, pause=at_once)
                if protocol == "openai"
                else OllamaChat("t", server.url, pause=at_once)
            )
            model.__dict__["name"] = f"{protocol}:t"  # or Ollama is asked for the digest of its weights
            settings = site(tmp_path)
            with_judge = ModelJudge(model)
            return asyncio.run(
                build(
                    settings, DOCUMENTS, teacher=ModelTeacher(model), judge=with_judge, cut=cut, embed=embed,
                    report=lambda progress: None,
                )
            )  # fmt: skip

        yield built


LOST = {"the filter once", "a refusal once"}
"""These are answers, so they are not asked for again."""
CASES = [
    (protocol, kind)
    for protocol in ("openai", "ollama")
    for kind in (*TEXTS, *ONCE, *ANSWERS)
    if not (protocol == "ollama" and (kind in OF_OPENAI or kind == "parts"))
]


@pytest.mark.slow
@pytest.mark.parametrize(("protocol", "kind"), CASES)
def test_a_data_set_comes_of_it(
    build_with: Callable[[str, str], Built], tmp_path: Path, protocol: str, kind: str
) -> None:
    built = build_with(protocol, kind)
    rows = read_rows(version_folder(site(tmp_path)))
    assert len(rows) >= 15
    assert all(not re.search(r"think|maybe|draft|Hm", row.pair.answer + row.pair.question) for row in rows)
    # A reply that is lost costs its own task, which is named.
    assert len(built.unreadable) == (1 if kind in LOST else 0)
