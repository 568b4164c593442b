"""Embeddings from any OpenAI-compatible server."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from pipeline.embedding.remote_embedder import RefusedTextError
from pipeline.errors import ModelError
from pipeline.servers.openai_server import OpenAIServer
from pipeline.servers.transport import Keys, ServerError

TIMEOUT_SECONDS = 120
KEYS = Keys(
    url="[models] embedder_url",
    model="[models] embedder",
    api_key="SITETWIN_MODELS__EMBEDDER_API_KEY",
    when_slow="look at its log, or set [models] embedder to a smaller model",
)
_REFUSED_TEXT = (httpx.codes.BAD_REQUEST, httpx.codes.REQUEST_ENTITY_TOO_LARGE, httpx.codes.UNPROCESSABLE_ENTITY)


class OpenAIEmbeddings:
    """An `EmbeddingServer`: the model `model` of the server at `url`.

    Args:
        model: the server's name for the model.
        url: the address, which ends with the version, e.g. `https://api.openai.com/v1`.
        api_key: the server's key, if it wants one.
        pause: waits so many seconds between two tries.

    Raises:
        ModelError: there is no `url`. Texts are sent to no server that the owner has not named.
    """

    def __init__(self, model: str, url: str, api_key: str = "", *, pause: Callable[[float], None] = time.sleep) -> None:
        if not url:
            raise ModelError(
                f"the settings name embedder openai:{model} but no server: set [models] embedder_url, e.g. to "
                "https://api.openai.com/v1"
            )
        self.model = model
        self._server = OpenAIServer(url, model, KEYS, api_key, TIMEOUT_SECONDS, pause=pause)

    def identity(self) -> str:
        """The model's name. The protocol tells nothing of its weights."""
        return f"openai:{self.model}"

    def vectors(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """One vector for each text, as `EmbeddingServer.vectors`."""
        body = {"model": self.model, "input": list(texts), "encoding_format": "float"}
        try:
            return self._server.post("embeddings", lambda dialect: body, _read)
        except ServerError as error:
            if error.status in _REFUSED_TEXT:
                raise RefusedTextError(str(error)) from None
            raise

    def close(self) -> None:
        """Closes the connection."""
        self._server.close()


def _read(answer: Any) -> list[list[float]] | None:
    try:
        return [row["embedding"] for row in sorted(answer["data"], key=lambda row: row["index"])]
    except (KeyError, TypeError):
        return None
