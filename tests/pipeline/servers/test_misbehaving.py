"""Servers that do what real ones were seen to do: their replies are read, asked for again, or named."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from pipeline.errors import ModelError, UnreadableError
from pipeline.servers.client import EngineClient
from pipeline.servers.dialect import THOUGHT_TOKENS
from pipeline.servers.ollama_chat import OllamaChat
from pipeline.servers.openai_chat import OpenAIChat
from pipeline.servers.structured import RefusedFormError, fill_in
from pipeline.servers.transport import FAILURES, TRIES
from tests.answering_server import Answer, Server


class Pairs(BaseModel):
    pairs: list[dict[str, Any]]


ASK = [{"role": "user", "content": "Write pairs."}]
PAIR = {"question": "Why?", "answer": "Because.", "accuracy": 9, "style": 8}
JSON = json.dumps({"pairs": [PAIR]})
HTML = b"<html><head><title>Gateway</title></head><body>busy&nbsp;now</body></html>"


def reply(content: Any = JSON, finish: str = "stop", **message: Any) -> Answer:
    return 200, {}, {"choices": [{"finish_reason": finish, "message": {"content": content, **message}}]}


def chat(server: Server, url: str = "") -> OpenAIChat:
    async def at_once(seconds: float) -> None:
        pass

    return OpenAIChat("gpt-5", url or server.url, pause=at_once)


def filled(model: OpenAIChat, budget: int = 200) -> Pairs:
    return asyncio.run(fill_in(model, ASK, Pairs, max_tokens=budget))


@pytest.mark.parametrize(
    "content",
    [
        f'<think>\nThe user wants {{count}} of [the text] as {{"pairs": []}}.\n</think>\n\n{JSON}',
        f'<think>Draft: {{"pairs": [{{"question": "What is a draft?"}}]}} hmm.</think>{JSON}',
        f"Okay so {{maybe}} this.\n</think>\n\n{JSON}",
        f"Here are [3] examples:\n{JSON}\nMore {{?}}",
        f"Here are the examples:\n\n```json\n{json.dumps({'pairs': [PAIR]}, indent=1)}\n```\nLet me know!",
        json.dumps(PAIR),
        json.dumps([PAIR]),
        json.dumps({"examples": [PAIR]}),
        json.dumps({"answer": {"pairs": [PAIR]}}),
        [{"type": "text", "text": JSON[:20]}, {"type": "text", "text": JSON[20:]}],
        [{"type": "thinking", "thinking": [{"type": "text", "text": "{}"}]}, {"type": "text", "text": JSON}],
        f'{{"pairs": []}} was the form. {JSON}',
    ],
)
def test_pairs_are_found_in_what_stands_around_them(server: Server, content: Any) -> None:
    server.answers = [reply(content)]
    assert filled(chat(server)).pairs == [PAIR]


@pytest.mark.parametrize("kind", [chat, lambda server: OllamaChat("m", server.url)], ids=["openai", "ollama"])
def test_control_tokens_in_a_text_are_text_for_a_teacher(server: Server, kind: Callable[[Server], Any]) -> None:
    pair = PAIR | {"answer": "It ends in <\u2060|im_end|>."}
    content = json.dumps({"pairs": [pair]}, ensure_ascii=False)
    status, headers, body = reply(content)
    server.answers = [(status, headers, {**body, "message": {"role": "assistant", "content": content}, "done": True})]
    asked = [{"role": "user", "content": "<text>A turn ends in <|im_end|>.</text>"}]
    pairs = asyncio.run(fill_in(kind(server), asked, Pairs, max_tokens=200)).pairs
    assert pairs == [pair | {"answer": "It ends in <|im_end|>."}]
    assert "<|im_end|>" not in json.dumps(server.asked[0][2]["messages"])


def test_json_lines_are_a_list(server: Server) -> None:
    other = PAIR | {"question": "How?"}
    server.answers = [reply(f"{json.dumps(PAIR)}\n{json.dumps(other)}")]
    assert filled(chat(server)).pairs == [PAIR, other]


@pytest.mark.parametrize("path", ["", "/v1", "/v1/", "/v1/v1", "/v1/chat/completions"])
@pytest.mark.parametrize("place", ["/v1", ""])
def test_an_address_with_too_much_or_too_little(server: Server, path: str, place: str) -> None:
    root = server.url.removesuffix("/v1")
    missing: Answer = (404, {}, {"detail": "Not Found"})
    right = (path.startswith("/v1")) == bool(place)
    server.answers = [reply(), reply()] if right else [missing, reply(), reply()]
    model = chat(server, root.removeprefix("http://") + path)
    filled(model)
    filled(model)
    assert [asked for asked, _, _ in server.asked][-2:] == [f"{place}/chat/completions"] * 2
    assert server.answers == []


def test_a_page_in_place_of_a_server_is_named_after_both_addresses(server: Server) -> None:
    server.answers = [(200, {"Content-Type": "text/html"}, HTML)] * 2
    with pytest.raises(ModelError, match=r"is no model server \(.*Gateway .*busy now.*\): mend teacher\.url"):
        filled(chat(server))
    assert [asked for asked, _, _ in server.asked] == ["/v1/chat/completions", "/chat/completions"]


@pytest.mark.parametrize(
    "odd",
    [
        (200, {"Content-Type": "text/html"}, HTML),
        (200, {}, {"error": {"message": "Provider returned error", "code": 502}}),
        (200, {}, {"id": "x", "choices": [], "usage": {}}),
        (200, {}, {"id": "x", "choices": None}),
        (200, {}, ["?"]),
        (500, {}, {"error": {"message": "upstream"}}),
        (502, {}, HTML),
    ],
)
def test_one_odd_reply_is_asked_for_again_and_many_skip_the_task(server: Server, odd: Answer) -> None:
    model = chat(server)
    server.answers = [reply(), odd, reply()]
    assert filled(model) == filled(model)
    server.answers = [odd] * TRIES + [reply()]
    with pytest.raises(RefusedFormError, match="openai:gpt-5 gave no answer: "):
        filled(model)
    assert filled(model).pairs == [PAIR]


def test_a_server_that_fails_for_all_ends_the_build(server: Server) -> None:
    model = chat(server)
    server.answers = [(400, {}, {"error": "a strange prompt"})] * 3 * FAILURES
    for _ in range(FAILURES - 1):
        with pytest.raises(RefusedFormError, match="refuses this: a strange prompt"):
            filled(model)
    with pytest.raises(ModelError, match="refuses this: a strange prompt") as caught:
        filled(model)
    assert not isinstance(caught.value, UnreadableError)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (reply(None, "content_filter"), "the server's own filter withholds the answer"),
        (reply(None, refusal="I can't help."), "the model refuses .*I can't help"),
        (reply("", "stop", reasoning_content="Hm."), "a thought without an answer: choose a model that does not think"),
        (reply("<think>Hm, hm", "length"), "a thought without an answer: choose a model that does not think"),
        (
            (429, {}, {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}),
            "no credit",
        ),
        ((400, {}, {"error": {"message": "maximum context length is 512"}}), "longer than gpt-5 takes .*chunk_chars"),
    ],
)
def test_the_true_cause_is_named(server: Server, answer: Answer, says: str) -> None:
    server.answers = [answer] * 12
    with pytest.raises(ModelError, match=says):
        filled(chat(server))


def test_a_reply_that_is_cut_off_gets_a_longer_budget_once(server: Server) -> None:
    server.answers = [reply(JSON[:30], "length"), reply(JSON[:30], "length"), reply()]
    assert filled(chat(server)).pairs == [PAIR]
    assert [body["max_tokens"] for _, _, body in server.asked] == [200, 400, 400]


def test_a_model_that_thinks_gets_room_for_it_and_is_asked_not_to(server: Server) -> None:
    server.answers = [reply("", "length", reasoning_content="Hm."), reply(), reply()]
    model = chat(server)
    filled(model)
    filled(model)
    first, second, third = (body for _, _, body in server.asked)
    assert "reasoning_effort" not in first
    assert second["max_tokens"] == 400 + THOUGHT_TOKENS
    assert third["max_tokens"] == 200 + THOUGHT_TOKENS
    assert third["reasoning_effort"] == "none"
    assert third["chat_template_kwargs"] == {"enable_thinking": False}


class Refusing(Server):
    """Answers well, once a request lacks what `refuses` names."""

    def __init__(self, refuses: Callable[[dict[str, Any]], Answer | None], good: Answer) -> None:
        self.refuses = refuses
        super().__init__()
        self.good = good

    def answer(self, body: dict[str, Any]) -> Answer:
        return self.refuses(body) or self.good


def refused(status: int, message: str) -> Answer:
    return status, {}, {"error": {"message": message, "type": "invalid_request_error"}}


def gpt5(body: dict[str, Any]) -> Answer | None:
    if "max_tokens" in body:
        return refused(
            400, "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."
        )
    if body.get("temperature", 1) != 1:
        return refused(400, "Unsupported value: 'temperature' does not support 0.3 with this model.")
    if "stop" in body:
        return refused(400, "Unsupported parameter: 'stop' is not supported with this model.")
    if "chat_template_kwargs" in body:
        return refused(400, "Unrecognized request argument supplied: chat_template_kwargs")
    if body.get("reasoning_effort") == "none":
        return refused(400, "Unsupported value: 'reasoning_effort' does not support 'none' with this model.")
    return None


def no_schema(status: int, message: str) -> Callable[[dict[str, Any]], Answer | None]:
    return lambda body: (
        refused(status, message) if body.get("response_format", {}).get("type") == "json_schema" else None
    )


def no_form(status: int, message: str) -> Callable[[dict[str, Any]], Answer | None]:
    return lambda body: refused(status, message) if "response_format" in body else None


@pytest.mark.parametrize(
    ("refuses", "requests", "form"),
    [
        (gpt5, 4, "json_schema"),
        (no_schema(422, "Input should be 'text' or 'json_object'"), 3, "json_object"),
        (no_schema(400, "This model does not support response format `json_schema`."), 3, "json_object"),
        (no_form(400, "This response_format type is unavailable now"), 4, None),
        (no_schema(400, "'text.format.schema' wants additionalProperties false"), 3, "json_object"),
        (no_form(500, "Failed to compile grammar for guided decoding"), 4, None),
        (no_form(500, "oops"), TRIES + 2, None),
        (no_form(501, "nope"), 4, None),
        (no_form(415, "nope"), 4, None),
    ],
)
def test_what_a_server_refuses_is_left_out_from_then_on(
    refusing: Callable[..., Refusing],
    refuses: Callable[[dict[str, Any]], Answer | None],
    requests: int,
    form: str | None,
) -> None:
    server = refusing(refuses, reply())
    model = chat(server)
    assert filled(model) == filled(model)
    assert len(server.asked) == requests
    last = server.asked[-1][2]
    assert last.get("response_format", {}).get("type") == form
    assert ("JSON schema" in last["messages"][-1]["content"]) == (form != "json_schema")
    assert refuses(last) is None


@pytest.fixture
def refusing() -> Any:
    from tests.answering_server import serving

    stack: list[Any] = []

    def start(refuses: Callable[[dict[str, Any]], Answer | None], good: Answer) -> Refusing:
        context = serving(Refusing(refuses, good))
        stack.append(context)
        return context.__enter__()

    yield start
    for context in stack:
        context.__exit__(None, None, None)


# The chat's client, which streams.

SENTENCE = "The bicycle is a Koga Miyata from 1994 [1]."


def chunks(*deltas: Any, end: str = "data: [DONE]\n\n") -> Answer:
    lines = [delta if isinstance(delta, str) else json.dumps({"choices": [{"index": 0, **delta}]}) for delta in deltas]
    return 200, {"Content-Type": "text/event-stream"}, ("".join(f"data: {line}\n\n" for line in lines) + end).encode()


def said(text: Any = None, **delta: Any) -> dict[str, Any]:
    return {"delta": {"content": text, **delta}, "finish_reason": None}


END = {"delta": {}, "finish_reason": "stop"}


@pytest.mark.parametrize(
    "answer",
    [
        chunks(said(SENTENCE), END),
        chunks(
            said("<thi"),
            said("nk>\nAbout [9]. "),
            said("Not in these notes?\n</th"),
            said("ink>\n\n"),
            said(SENTENCE),
            END,
        ),
        chunks(said(reasoning_content="Hm."), said("", reasoning="hm"), said(SENTENCE), END),
        chunks(said(SENTENCE), {"finish_reason": "stop"}, {"delta": None, "finish_reason": "stop"}),
        chunks(said(SENTENCE), '{"choices": null, "usage": {}}', '{"usage": {}}', '{"choices": []}', "[]", '""'),
        chunks(said(SENTENCE), END, end=""),
        chunks(said([{"type": "text", "text": SENTENCE}]), END),
        chunks({"message": {"content": SENTENCE}}),
        reply(SENTENCE),
    ],
)
def test_the_answer_alone_is_streamed(server: Server, answer: Answer) -> None:
    server.answers = [answer]
    assert "".join(EngineClient(server.url, "m").generate(ASK)) == SENTENCE


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (
            chunks('{"error": {"message": "Provider overloaded", "code": 502}}'),
            r"broke off \(Provider overloaded 502\)",
        ),
        (chunks("<html>"), "sent a reply that is not JSON"),
        ((200, {"Content-Type": "text/html"}, HTML), r"is no model server \(.*busy now.*\): mend engine\.url"),
        ((200, {}, {"error": {"message": "no such adapter", "code": 400}}), "no such adapter"),
    ],
)
def test_what_breaks_a_stream_is_named(server: Server, answer: Answer, says: str) -> None:
    server.answers = [answer, answer]
    with pytest.raises(ModelError, match=says):
        list(EngineClient(server.url, "m").generate(ASK))


def test_an_error_after_some_words_comes_after_them(server: Server) -> None:
    server.answers = [chunks(said("The bicycle"), '{"error": "overloaded"}')]
    pieces = EngineClient(server.url, "m", is_ours=True).generate(ASK)
    assert next(pieces) == "The bicycle"
    with pytest.raises(ModelError, match=r"broke off \(overloaded\): ask again"):
        next(pieces)


def test_a_thought_alone_is_asked_for_again_with_room_and_then_said(server: Server) -> None:
    alone = chunks(*[said(reasoning_content="Okay, ")] * 3, {"delta": {}, "finish_reason": "length"})
    client = EngineClient(server.url, "m")
    server.answers = [alone, chunks(said(SENTENCE))]
    assert "".join(client.generate(ASK, max_tokens=40)) == SENTENCE
    assert [body["max_tokens"] for _, _, body in server.asked] == [40, 40 + THOUGHT_TOKENS]
    server.answers = [chunks(said("<think>Okay"))]
    with pytest.raises(UnreadableError, match=r"gave no answer: set models\.chat to a model that does not think"):
        list(client.generate(ASK, max_tokens=40))


HIDDEN = [said("Okay [9].\n"), said("</think>\n\n"), said(SENTENCE)]
"""A thought that the prompt has opened, as a server sends it that does not know this."""


def test_a_thought_that_lacks_its_opening_mark_is_never_shown(server: Server) -> None:
    client = EngineClient(server.url, "m")
    server.answers = [chunks(*HIDDEN, END), chunks(*HIDDEN, END)]
    assert ["".join(client.generate(ASK)) for _ in range(2)] == [SENTENCE] * 2
    server.answers = [chunks(said("Okay [9].</think>"), said(SENTENCE), END)]
    assert "".join(EngineClient(server.url, "m").generate(ASK)) == SENTENCE


def test_once_a_reply_had_no_hidden_thought_the_next_ones_come_piece_by_piece(server: Server) -> None:
    client = EngineClient(server.url, "m")
    pieces = [said("Qwen writes <think>"), said(" and </think>."), END]
    server.answers = [chunks(*pieces), chunks(*pieces)]
    assert list(client.generate(ASK)) == ["Qwen writes <think> and </think>."]
    assert list(client.generate(ASK)) == ["Qwen writes <think>", " and </think>."]
    apart = EngineClient(server.url, "DeepSeek-R1-Distill-Qwen-7B")
    server.answers = [chunks(said(reasoning_content="Hm."), said("The "), said("bicycle."), END)]
    assert list(apart.generate(ASK)) == ["The ", "bicycle."]


def test_a_hidden_thought_that_is_cut_off_is_no_answer(server: Server) -> None:
    cut_off = chunks(said("Okay, the user"), {"delta": {}, "finish_reason": "length"})
    client = EngineClient(server.url, "DeepSeek-R1-Distill-Qwen-7B")
    server.answers = [cut_off, chunks(*HIDDEN, END)]
    assert "".join(client.generate(ASK, max_tokens=40)) == SENTENCE
    assert [body["max_tokens"] for _, _, body in server.asked] == [40, 40 + THOUGHT_TOKENS]
    server.answers = [cut_off]
    with pytest.raises(UnreadableError, match="gave no answer"):
        list(client.generate(ASK, max_tokens=40))
    server.answers = [cut_off]
    assert "".join(EngineClient(server.url, "m").generate(ASK)) == "Okay, the user"


def test_newer_models_of_openai_are_chatted_with(refusing: Callable[..., Refusing]) -> None:
    server = refusing(gpt5, chunks(said(SENTENCE)))
    client = EngineClient(server.url, "gpt-5", think="low")
    assert "".join(client.generate(ASK, temperature=0.5, stop=["x"])) == SENTENCE
    assert "".join(client.generate(ASK, temperature=0.5, stop=["x"])) == SENTENCE
    assert len(server.asked) == 6
    assert set(server.asked[-1][2]) == {"model", "messages", "max_completion_tokens", "reasoning_effort", "stream"}
