"""Proxies that the environment names."""

import asyncio
import os

import httpx
import pytest

from pipeline.embedding.openai_embeddings import OpenAIEmbeddings
from pipeline.processes.endpoint import free_port
from pipeline.servers.client import EngineClient
from pipeline.servers.http import DIRECT, no_proxies
from tests.answering_server import Server


@pytest.fixture(autouse=True)
def proxy(monkeypatch: pytest.MonkeyPatch) -> str:
    """One that nobody has started, for all addresses."""
    address = f"http://127.0.0.1:{free_port()}"
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, address)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    return address


def test_a_server_of_this_machine_is_reached_without(server: Server) -> None:
    with httpx.Client() as plain, pytest.raises(httpx.ConnectError):
        plain.post(server.url, json={})
    server.answers = [(200, {}, {"data": [{"index": 0, "embedding": [1.0]}]})]
    assert OpenAIEmbeddings("m", server.url).vectors(["a"]) == [[1.0]]


def test_so_is_the_engine_by_any_of_its_names(server: Server) -> None:
    for name in ("127.0.0.1", "localhost"):
        server.answers = [(200, {"Content-Type": "text/event-stream"}, "")]
        assert list(EngineClient(server.url.replace("127.0.0.1", name), "m").generate([])) == []
    assert len(server.asked) == 2


def test_other_machines_are_reached_by_it(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url.removesuffix("/v1"))
    server.answers = [(200, {}, {"data": [{"index": 0, "embedding": [1.0]}]})]
    assert OpenAIEmbeddings("m", "http://models.invalid/v1").vectors(["a"]) == [[1.0]]
    assert server.asked[0][0] == "http://models.invalid/v1/embeddings"


def test_it_holds_for_clients_that_wait(server: Server) -> None:
    async def ask() -> int:
        async with httpx.AsyncClient(mounts=DIRECT) as http:
            return (await http.post(server.url, json={})).status_code

    server.answers = [(200, {}, "")]
    assert asyncio.run(ask()) == 200


def test_clients_of_others_are_made_without_proxies(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with no_proxies(), httpx.Client() as http:
        server.answers = [(200, {}, "")]
        assert http.post(server.url, json={}).status_code == 200
    assert "no_proxy" not in os.environ
    monkeypatch.setenv("no_proxy", "intranet")
    with no_proxies():
        pass
    assert os.environ["no_proxy"] == "intranet"
