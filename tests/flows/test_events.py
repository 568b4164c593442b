"""Runs as Langflow 1.13 streams them, shortened to what is read."""

import json
from typing import Any

import pytest

from components.wire import pack
from flows.events import RunReader
from pipeline.chat import Answer, Citation
from pipeline.errors import ServiceError

RECORD = Answer(
    question="How long?",
    mode="rag",
    answer="Two hours [1].",
    citations=[Citation(n=1, document="a.md", title="Bread", url="/a", heading="Rise", quote="Two hours.")],
    refused=False,
    model="demo",
)


def event(kind: str, **data: Any) -> str:
    return json.dumps({"event": kind, "data": data})


def message(text: str, *, id_: str = "m1", sender: str = "Machine", state: str = "complete", **more: Any) -> str:
    return event("add_message", id=id_, sender=sender, text=text, properties={"state": state}, **more)


def token(chunk: str, id_: str = "m1") -> str:
    return event("token", chunk=chunk, id=id_)


def read(*lines: str) -> tuple[list[str], Answer]:
    reader = RunReader("How long?", "rag_chat")
    pieces = [piece for line in lines for piece in reader.feed(line)]
    return pieces, reader.answer()


def test_a_cited_answer_streams_and_ends_with_its_record() -> None:
    pieces, answer = read(
        message("How long?", id_="q", sender="User"),
        "",
        event("log", name="Log 1", message="4 passages"),
        message("Two ", state="partial"),
        token("Two "),
        token("hours [1]."),
        message("Two hours [1]."),
        message("Two hours [1].\n\n**Sources**\n- [1] Bread", session_metadata={"graph_run_id": "x", **pack(RECORD)}),
        event("end", result={}),
    )
    assert pieces == ["Two ", "hours [1]."]
    assert answer == RECORD


def test_a_cited_answer_that_was_not_streamed_comes_without_the_list_of_sources() -> None:
    pieces, answer = read(message("Two hours [1].\n\n**Sources**", session_metadata=pack(RECORD)))
    assert pieces == ["Two hours [1]."]
    assert answer == RECORD


def test_a_flow_without_cited_answer_has_text_and_no_citations() -> None:
    pieces, answer = read(message("Two ", state="partial"), token("Two "), token("hours."), message("Two hours."))
    assert pieces == ["Two ", "hours."]
    assert (answer.answer, answer.citations, answer.question) == ("Two hours.", [], "How long?")


def test_two_outputs_are_parted_by_a_blank_line() -> None:
    pieces, answer = read(token("One.", "m1"), message("One.", id_="m1"), message("Two.", id_="m2"), token("3", "m3"))
    assert "".join(pieces) == "One.\n\nTwo.\n\n3"
    assert answer.answer == "One.\n\nTwo.\n\n3"


def test_an_error_of_ours_comes_through_as_it_is() -> None:
    reader = RunReader("How long?", "rag_chat")
    line = event("error", text="the index was never built: run `sitetwin index`\n", category="error")
    with pytest.raises(ServiceError, match=r"^the index was never built: run `sitetwin index`$"):
        list(reader.feed(line))


def test_the_wrapped_error_of_a_run_is_unwrapped() -> None:
    inner = {
        "message": "Error running graph: Error building Component Notes Retriever: \n\nno index: run `sitetwin index`"
    }
    with pytest.raises(ServiceError, match=r"^no index: run `sitetwin index`$"):
        list(RunReader("q", "rag_chat").feed(event("error", error=f"500: {json.dumps(inner)}")))


def test_an_error_of_others_gets_a_next_step() -> None:
    with pytest.raises(ServiceError, match=r"rag_chat failed \(list index out of range\): open the flow in the editor"):
        list(RunReader("q", "rag_chat").feed(event("error", text="list index out of range")))


def test_a_silent_flow_is_an_error() -> None:
    with pytest.raises(ServiceError, match="ended without an answer: open the flow"):
        read(message("How long?", id_="q", sender="User"), event("end", result={}))


@pytest.mark.parametrize("line", ["<html>", "[]", '{"event": "token"}'])
def test_a_line_that_is_no_event(line: str) -> None:
    with pytest.raises(ServiceError, match="is not an event"):
        list(RunReader("q", "rag_chat").feed(line))
