import asyncio

import pytest
from lfx.schema.data import Data
from lfx.schema.dataframe import DataFrame

from components.passages import NOTHING, READ, from_input, is_connected, retrieve_ms, to_table
from components.sitetwin.retriever import RetrieverComponent
from pipeline.index.passages import Passage

PASSAGES = [
    Passage(
        id="docs/a.md#1", document="docs/a.md", title="Bread", url="/docs/a#rise", heading="Rise", text="Two hours.",
        score=0.9, visibility="public", similarity=0.7,
    ),
    Passage(
        id="docs/b.md#0", document="docs/b.md", title="Tea", url="", heading="", text="Four minutes.",
        score=0.1, visibility="public", similarity=None,
    ),
]  # fmt: skip


def test_a_table_gives_back_the_passages_it_was_made_of() -> None:
    table = to_table(PASSAGES, 12.5)
    assert from_input(table) == PASSAGES
    assert from_input([table]) == PASSAGES
    assert retrieve_ms([table]) == 12.5


def test_an_empty_table_is_a_connected_retriever_that_found_nothing() -> None:
    table = to_table([], 3.0)
    assert is_connected(table)
    assert from_input(table) == []


@pytest.mark.parametrize("value", [None, "", []])
def test_nothing_connected(value: object) -> None:
    assert not is_connected(value)


def test_another_retrievers_record_needs_only_a_text() -> None:
    found = Data(data={"text": "Four minutes.", "metadata": {"source": "tea.pdf", "url": "https://example.org/tea"}})
    passage = from_input([found])[0]
    assert (passage.document, passage.title, passage.url) == ("tea.pdf", "tea.pdf", "https://example.org/tea")
    assert passage.text == "Four minutes."
    assert retrieve_ms([found]) == 0.0


def test_a_record_without_text_is_named() -> None:
    with pytest.raises(ValueError, match=r"passage 2 has no text: connect a retriever"):
        from_input(DataFrame([{"text": "Four minutes."}, {"title": "Tea"}]))


def test_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="not int: connect a retriever"):
        from_input([3])


LONG = "The dough rises. " * 100


@pytest.mark.parametrize(
    ("passages", "text"),
    [
        ([], NOTHING),
        (
            [PASSAGES[0].model_copy(update={"text": LONG}), PASSAGES[1]],
            f"[1] Bread › Rise\nhttp://127.0.0.1:8765/docs/a#rise\n\n{LONG}\n\n[2] Tea\n\nFour minutes.\n\n{READ}",
        ),
    ],
)
def test_the_retriever_as_a_tool_gives_title_link_and_whole_text(passages: list[Passage], text: str) -> None:
    class Found(RetrieverComponent):
        async def retrieve(self) -> DataFrame:
            return to_table(passages, 1.0)

    async def call() -> str:
        (tool,) = await Found().to_toolkit()
        assert list(tool.args) == ["question"]
        return str(await tool.ainvoke({"question": "How long?"}))

    assert asyncio.run(call()) == text
