"""Against an HTTP server of the test's own, for what a real one can't be made to do; test_ollama.py asks a real one."""

from typing import Any

import pytest

from pipeline.embedding.openai_embeddings import OpenAIEmbeddings
from pipeline.embedding.remote_embedder import RefusedTextError
from pipeline.errors import ModelError
from pipeline.processes.endpoint import free_port
from pipeline.servers.transport import LONGEST_PAUSE
from tests.answering_server import Server


def rows(*vectors: list[float]) -> dict[str, Any]:
    return {"data": [{"index": n, "embedding": vector} for n, vector in enumerate(vectors)]}


def test_it_asks_as_openai_wants_and_sorts_what_it_gets(server: Server) -> None:
    answer = rows([1.0, 0.0], [0.0, 1.0])
    answer["data"].reverse()
    server.answers = [(200, {}, answer)]
    vectors = OpenAIEmbeddings("small", server.url + "/", "secret").vectors(["a", "b"])
    assert vectors == [[1.0, 0.0], [0.0, 1.0]]
    body = {"model": "small", "input": ["a", "b"], "encoding_format": "float"}
    assert server.asked == [("/v1/embeddings", "Bearer secret", body)]


def test_a_busy_or_broken_server_is_asked_again_with_growing_pauses(server: Server) -> None:
    pauses: list[float] = []
    busy = {"Retry-After": "3"}
    server.answers = [
        (500, {}, "oops"),
        (429, busy, "slow down"),
        (503, {"Retry-After": "9999"}, ""),
        (200, {}, rows([1.0])),
    ]
    assert OpenAIEmbeddings("small", server.url, pause=pauses.append).vectors(["a"]) == [[1.0]]
    assert pauses == [1.0, 3.0, LONGEST_PAUSE]


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, r"wants a key \(401\): set SITETWIN_MODELS__EMBEDDER_API_KEY"),
        (404, r"\(who\?\): mend \[models\] embedder_url, or set \[models\] embedder to a model that it has"),
        (429, r"takes no more requests now \(.*who\?.*\): run the command again later"),
        (500, r"answered 500 for small: who\?; see its log"),
    ],
)
def test_errors_name_the_next_step(server: Server, status: int, message: str) -> None:
    server.answers = [(status, {}, {"error": "who?"})] * 4
    with pytest.raises(ModelError, match=message) as caught:
        OpenAIEmbeddings("small", server.url, pause=lambda seconds: None).vectors(["a"])
    assert "\n" not in str(caught.value)


def test_a_refused_text_is_not_asked_again_as_it_is(server: Server) -> None:
    server.answers = [(400, {}, {"error": "maximum context length is 512"})]
    with pytest.raises(RefusedTextError, match="maximum context length"):
        OpenAIEmbeddings("small", server.url).vectors(["a"])
    assert len(server.asked) == 1


def test_another_kind_of_server_is_named(server: Server) -> None:
    server.answers = [(200, {}, ["no embeddings"])] * 2
    with pytest.raises(ModelError, match=r"is no model server .*: mend \[models\] embedder_url"):
        OpenAIEmbeddings("small", server.url).vectors(["a"])


def test_no_server() -> None:
    with pytest.raises(ModelError, match=r"no server answers at .* start it, or mend \[models\] embedder_url"):
        OpenAIEmbeddings("small", f"http://127.0.0.1:{free_port()}/v1").vectors(["a"])


def test_texts_go_nowhere_without_an_address() -> None:
    with pytest.raises(ModelError, match=r"set \[models\] embedder_url, e\.g\. to https://api\.openai\.com/v1"):
        OpenAIEmbeddings("small", "")
