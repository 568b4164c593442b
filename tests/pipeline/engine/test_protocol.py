from typing import Any

import pytest

from pipeline.engine.protocol import ChatRequest, RequestError, parse

ASKED = {"messages": [{"role": "user", "content": "Why?"}]}


def chat(**changed: Any) -> ChatRequest:
    return parse(ChatRequest, {**ASKED, **changed})  # type: ignore[no-any-return]


def test_what_is_null_has_its_default() -> None:
    assert chat(**dict.fromkeys(ChatRequest.model_fields.keys() - {"messages"})) == chat()


def test_content_in_parts_is_its_text() -> None:
    parts = [{"type": "text", "text": "Why "}, {"type": "text", "text": "tea?"}]
    assert chat(messages=[{"role": "user", "content": parts}]).messages[0].content == "Why tea?"


@pytest.mark.parametrize(
    ("changed", "thinks"),
    [
        ({}, False),
        ({"reasoning_effort": "none"}, False),
        ({"reasoning_effort": "high"}, True),
        ({"chat_template_kwargs": {"enable_thinking": True}}, True),
        ({"chat_template_kwargs": {"enable_thinking": False}, "reasoning_effort": "high"}, False),
    ],
)
def test_a_model_thinks_where_it_is_asked_to(changed: dict[str, Any], thinks: bool) -> None:
    assert chat(**changed).thinks is thinks


def test_the_newer_name_of_the_bound_wins() -> None:
    assert chat(max_tokens=5, max_completion_tokens=7).most_tokens == 7
    assert chat(max_tokens=5).most_tokens == 5


@pytest.mark.parametrize("name", ["audio", "prediction", "web_search_options", "function_call", "typo"])
def test_what_is_not_served_is_refused_and_never_ignored(name: str) -> None:
    with pytest.raises(RequestError, match=f"^{name} is not served by this engine: leave it out$"):
        chat(**{name: {}})


def test_names_for_accounting_are_taken() -> None:
    assert chat(user="me", metadata={"a": "b"}, store=False, parallel_tool_calls=True) == chat()
