"""Langflow's own Agent over MLX Model and Notes Retriever; the server of the test's own says what a model would."""

import asyncio
import json
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from lfx.schema.dataframe import DataFrame
from lfx.schema.message import Message

from components.chat_model import MOST_ROUNDS
from components.passages import READ, to_table
from components.sitetwin.mlx_model import MLXModelComponent
from components.sitetwin.name_sources import NameSourcesComponent
from components.sitetwin.retriever import RetrieverComponent
from components.tools import keep
from components.wire import unpack
from pipeline.index.passages import Passage
from tests.answering_server import Answer as Reply
from tests.answering_server import Server, answering, streamed

with warnings.catch_warnings():
    # Langflow's dependencies warn while they are imported; that is theirs to mend.
    warnings.simplefilter("ignore")
    from lfx.components.models_and_agents.agent import AgentComponent

TEA = Passage(
    id="tea#0", document="tea.md", title="Tea", url="/tea", heading="", text="Draws three minutes.", score=1.0,
    visibility="public",
)  # fmt: skip


class Found(RetrieverComponent):
    """Without an index."""

    async def retrieve(self) -> DataFrame:
        keep([TEA])
        return to_table([TEA], 1.0)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with answering() as server:
        config = f'[models]\nchat = "m"\n[engine]\nurl = "{server.url}"\n'
        (tmp_path / "sitetwin.toml").write_text(config, encoding="utf-8")
        monkeypatch.setenv("SITETWIN_CONFIG", str(tmp_path / "sitetwin.toml"))
        yield server


async def run_agent(*, searches_first: bool = False) -> Message:
    tools = await Found().to_toolkit()
    agent, model = AgentComponent(), MLXModelComponent().set(searches_first=searches_first)
    agent.set(
        model=model.build_model(), tools=tools, input_value="How long?", system_prompt="Search first.",
        add_current_date_tool=False, add_calculator_tool=False, n_messages=0,
    )  # fmt: skip
    return await agent.message_response()


def calling(question: str) -> Reply:
    call = {
        "index": 0,
        "id": "c1",
        "function": {"name": "search_notes", "arguments": json.dumps({"question": question})},
    }
    return streamed({"tool_calls": [call]})


def test_the_agent_calls_the_search_and_answers_from_what_it_found(server: Server) -> None:
    server.answers = [calling("tea"), streamed({"content": "Three "}, {"content": "minutes [1]."})]
    assert asyncio.run(run_agent()).text == "Three minutes [1]."
    first, second = (body for _, _, body in server.asked)
    assert [tool["function"]["name"] for tool in first["tools"]] == ["search_notes"]
    *_, asked, told = second["messages"]
    assert asked["tool_calls"][0]["function"]["name"] == "search_notes"
    assert told["role"] == "tool"
    assert told["content"] == f"[1] Tea\nhttp://127.0.0.1:8765/tea\n\nDraws three minutes.\n\n{READ}"


def test_who_repeats_a_call_must_answer_from_what_is_there(server: Server) -> None:
    server.answers = [calling("How long?"), calling("how long"), streamed({"content": "Three minutes."})]
    assert asyncio.run(run_agent()).text == "Three minutes."
    *_, last = (body for _, _, body in server.asked)
    assert "tools" not in last
    # What it sees is no conversation with calls in it, which it would go on with.
    (prompt,) = last["messages"]
    assert "Draws three minutes." in prompt["content"]
    assert "Question: How long?" in prompt["content"]


def test_after_some_rounds_it_answers(server: Server) -> None:
    rounds = [calling(f"search {number}") for number in range(MOST_ROUNDS)]
    server.answers = [*rounds, streamed({"content": "Three minutes."})]
    assert asyncio.run(run_agent()).text == "Three minutes."
    assert len(server.asked) == MOST_ROUNDS + 1


@pytest.mark.parametrize("first", [streamed({"content": "An hour."}), calling("How long?")])
def test_who_would_answer_without_a_look_searches_first(server: Server, first: Reply) -> None:
    server.answers = [first, streamed({"content": "Three minutes."})]
    assert asyncio.run(run_agent(searches_first=True)).text == "Three minutes."
    *_, asked, told = server.asked[1][2]["messages"]
    assert json.loads(asked["tool_calls"][0]["function"]["arguments"]) == {"question": "How long?"}
    assert "Draws three minutes." in told["content"]


def test_sources_are_named_that_the_model_left_out(server: Server) -> None:
    server.answers = [calling("tea"), streamed({"content": "It draws three minutes. Ask me more!"})]
    reply = asyncio.run(run_agent())
    # As Langflow keeps and sends it.
    for message in (reply, asyncio.run(Message.create(**reply.model_dump()))):
        answer = asyncio.run(NameSourcesComponent().set(question="How long?", reply=message).answer())
        assert answer.text.startswith("It draws three minutes [1]. Ask me more!\n\n**Sources**")
        record = unpack(answer.session_metadata)
        assert record is not None
        assert [(one.document, one.quote, one.visibility) for one in record.citations] == [
            ("tea.md", "Draws three minutes.", "public")
        ]


@pytest.mark.parametrize(
    ("reply", "only_with_source", "said", "refused"),
    [
        ("The capital is Utrecht.", True, "That is not in these notes.", True),
        ("The capital is Utrecht.", False, "The capital is Utrecht.", False),
        ("The notes do not say which is the capital.", True, "The notes do not say which is the capital.", True),
    ],
)
def test_what_no_passage_says_is_refused_unless_the_owner_wants_it(
    server: Server, reply: str, only_with_source: bool, said: str, refused: bool
) -> None:
    server.answers = [calling("capital"), streamed({"content": reply})]
    message = asyncio.run(run_agent())
    node = NameSourcesComponent().set(
        question="Which is the capital?", reply=message, only_with_source=only_with_source
    )
    answer = asyncio.run(node.answer())
    record = unpack(answer.session_metadata)
    assert record is not None
    assert (answer.text, record.refused, record.citations) == (said, refused, [])
    assert record.form == ("refused" if refused else "written")


def test_a_model_without_tools_is_named_in_one_sentence(server: Server) -> None:
    server.answers = [(400, {}, {"error": {"message": "the model 'm' has no way to call tools"}})]
    with pytest.raises(Exception, match=r"m can't call tools.*: set models\.chat to a model that can"):
        asyncio.run(run_agent())
