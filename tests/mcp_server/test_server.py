"""An in-memory client speaks to the real server over a real index."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from mcp.shared.memory import create_connected_server_and_client_session as connected

from mcp_server.server import create_server
from pipeline.processes import vectors
from pipeline.settings import ContentSource, Settings
from pipeline.site import Site

NOTES = {
    "tea.md": "# Tea\n\nGreen tea is brewed at 70 degrees for two minutes.\n",
    "bicycle.md": "# Bicycle\n\nThe chain is oiled every 300 kilometres.\n",
    "diary.md": "---\nprivate: true\n---\n# Diary\n\nThe safe combination is 31-41-59.\n",
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    root = tmp_path_factory.mktemp("site")
    (root / "notes").mkdir()
    for name, text in NOTES.items():
        (root / "notes" / name).write_text(text, encoding="utf-8")
    settings = Settings(
        root=root, content=[ContentSource(path=Path("notes"), visibility="public", url="/notes/{slug}")]
    )
    with Site(settings).index() as index:
        index.sync()
    yield settings
    service = vectors.service(settings)
    if endpoint := service.find():
        service.stop(endpoint)


@pytest.mark.anyio
async def test_tools_say_that_they_only_read(settings: Settings) -> None:
    async with connected(create_server(settings)) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert {"search", "ask"} <= set(tools)
    assert all(tools[name].annotations.readOnlyHint for name in ("search", "ask"))
    assert all(tool.outputSchema for tool in tools.values())


@pytest.mark.anyio
async def test_search_finds_with_link_and_structure(settings: Settings) -> None:
    async with connected(create_server(settings)) as client:
        result = await client.call_tool("search", {"query": "how hot should tea be", "k": 1})
    assert not result.isError
    assert result.structuredContent is not None
    (passage,) = result.structuredContent["passages"]
    assert passage["document"].endswith("tea.md")
    assert passage["url"].startswith("/notes/tea")
    assert "70 degrees" in passage["text"]


@pytest.mark.anyio
async def test_the_owner_sees_private_notes_and_a_public_server_does_not(settings: Settings) -> None:
    found = {}
    for name, server in (("owner", create_server(settings)), ("public", create_server(settings, "public"))):
        async with connected(server) as client:
            result = await client.call_tool("search", {"query": "safe combination 31-41-59", "k": 50})
        found[name] = json.dumps(result.structuredContent)
    assert "31-41-59" in found["owner"].replace('"query": "safe combination 31-41-59"', "")
    assert "31-41-59" not in found["public"].replace('"query": "safe combination 31-41-59"', "")


@pytest.mark.anyio
async def test_what_cannot_be_answered_is_declined_without_an_error(settings: Settings) -> None:
    async with connected(create_server(settings)) as client:
        result = await client.call_tool("ask", {"question": "Who won the football world cup in 1954?"})
    assert not result.isError
    assert result.structuredContent is not None
    assert result.structuredContent["refused"] is True
    assert result.structuredContent["citations"] == []


@pytest.mark.anyio
async def test_an_empty_index_names_the_next_step(tmp_path: Path) -> None:
    server = create_server(Settings(root=tmp_path))
    async with connected(server) as client:
        greeting = await client.initialize()
        result = await client.call_tool("search", {"query": "anything"})
    assert greeting.instructions is not None
    assert "sitetwin index" in greeting.instructions
    assert result.isError
    assert "sitetwin index" in str(result.content)


@pytest.mark.anyio
async def test_wrong_arguments_are_refused(settings: Settings) -> None:
    async with connected(create_server(settings)) as client:
        result = await client.call_tool("search", {"query": "tea", "k": 0})
    assert result.isError


@pytest.mark.anyio
async def test_search_takes_filters_and_names_the_nearest(settings: Settings) -> None:
    async with connected(create_server(settings)) as client:
        inside = await client.call_tool("search", {"query": "tea", "folder": "notes", "k": 1})
        typo = await client.call_tool("search", {"query": "tea", "folder": "note"})
        undated = await client.call_tool("search", {"query": "tea", "after": "2024-01-01"})
        wrong = await client.call_tool("search", {"query": "tea", "after": "yesterday"})
    assert inside.structuredContent is not None
    assert inside.structuredContent["passages"]
    assert typo.structuredContent is not None
    assert typo.structuredContent["passages"] == []
    assert typo.structuredContent["note"].endswith("the nearest is notes")
    assert undated.structuredContent is not None
    assert "no document has a date from 2024-01-01" in undated.structuredContent["note"]
    assert wrong.isError
    assert "valid date" in str(wrong.content)


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["lora", "hybrid"])
async def test_ask_without_an_adapter_names_the_next_step(settings: Settings, mode: str) -> None:
    async with connected(create_server(settings)) as client:
        result = await client.call_tool("ask", {"question": "How hot is tea?", "mode": mode})
        named = await client.call_tool("ask", {"question": "How hot is tea?", "mode": mode, "adapter": "nobody"})
    assert result.isError
    assert "sitetwin promote RUN" in str(result.content)
    assert named.isError
    assert "there is no adapter 'nobody'" in str(named.content)


@pytest.mark.anyio
async def test_compare_asks_each_system_and_tells_passages_and_reasons(settings: Settings) -> None:
    asked = {"question": "How hot is green tea brewed?", "systems": ["rag"]}
    nowhere = {"question": "Who won the cup of 1974?", "systems": ["rag"]}
    async with connected(create_server(settings)) as client:
        found = (await client.call_tool("compare", asked)).structuredContent
        refused = (await client.call_tool("compare", nowhere)).structuredContent
        wrong = await client.call_tool("compare", asked | {"systems": ["rga"]})
    assert found is not None
    assert refused is not None
    assert "70 degrees" in found["systems"]["rag"]["answer"]["answer"]
    assert found["systems"]["rag"]["passages"][0]["document"].endswith("tea.md")
    assert refused["systems"]["rag"]["answer"]["refused"]
    assert refused["systems"]["rag"]["reason"]
    assert wrong.isError
    assert "no system 'rga'" in wrong.content[0].text


@pytest.mark.anyio
async def test_visitors_compare_only_where_the_page_is_open_and_see_public_text(settings: Settings) -> None:
    asked = {"question": "What is the safe combination?", "systems": ["rag"]}
    async with connected(create_server(settings, "public")) as client:
        assert "compare" not in {tool.name for tool in (await client.list_tools()).tools}
    opened = settings.model_copy(update={"gateway": settings.gateway.model_copy(update={"compare": True})})
    async with connected(create_server(opened, "public")) as client:
        told = await client.call_tool("compare", asked)
        other = await client.call_tool("compare", asked | {"systems": ["lora:mine"]})
    assert "31-41-59" not in told.content[0].text
    assert other.isError
    async with connected(create_server(settings)) as client:
        assert "31-41-59" in (await client.call_tool("compare", asked)).content[0].text
