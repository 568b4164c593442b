"""Langflow's own Agent over MLX Model and Notes Retriever; the server of the test's own says what a model would."""

import asyncio
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from lfx.schema.dataframe import DataFrame

from components.passages import to_table
from components.sitetwin.mlx_model import MLXModelComponent
from components.sitetwin.retriever import RetrieverComponent
from pipeline.index.passages import Passage
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
        return to_table([TEA], 1.0)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with answering() as server:
        config = f'[models]\nchat = "m"\n[engine]\nurl = "{server.url}"\n'
        (tmp_path / "sitetwin.toml").write_text(config, encoding="utf-8")
        monkeypatch.setenv("SITETWIN_CONFIG", str(tmp_path / "sitetwin.toml"))
        yield server


async def run_agent() -> str:
    tools = await Found().to_toolkit()
    agent = AgentComponent()
    agent.set(
        model=MLXModelComponent().build_model(), tools=tools, input_value="How long?", system_prompt="Search first.",
        add_current_date_tool=False, add_calculator_tool=False, n_messages=0,
    )  # fmt: skip
    return str((await agent.message_response()).text)


def test_the_agent_calls_the_search_and_answers_from_what_it_found(server: Server) -> None:
    call = {"index": 0, "id": "c1", "function": {"name": "search_notes", "arguments": '{"question": "tea"}'}}
    server.answers = [streamed({"tool_calls": [call]}), streamed({"content": "Three "}, {"content": "minutes [1]."})]
    assert asyncio.run(run_agent()) == "Three minutes [1]."
    first, second = (body for _, _, body in server.asked)
    assert [tool["function"]["name"] for tool in first["tools"]] == ["search_notes"]
    *_, asked, told = second["messages"]
    assert asked["tool_calls"][0]["function"]["name"] == "search_notes"
    assert told["role"] == "tool"
    assert told["content"] == "[1] Tea\nhttp://127.0.0.1:8765/tea\n\nDraws three minutes."


def test_a_model_without_tools_is_named_in_one_sentence(server: Server) -> None:
    server.answers = [(400, {}, {"error": {"message": "the model 'm' has no way to call tools"}})]
    with pytest.raises(Exception, match=r"m can't call tools.*: set models\.chat to a model that can"):
        asyncio.run(run_agent())
