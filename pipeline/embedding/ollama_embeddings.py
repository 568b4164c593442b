"""Embeddings from an Ollama server."""

from collections.abc import Sequence
from functools import cached_property

import httpx

from pipeline.embedding.openai_embeddings import KEYS
from pipeline.embedding.remote_embedder import RefusedTextError
from pipeline.errors import ModelError
from pipeline.servers.ollama_server import OllamaServer
from pipeline.servers.transport import TRIES, ServerError

KEEP_ALIVE = "30m"
"""How long Ollama keeps the model after the last text. So a visitor rarely waits for it to load."""
SUGGESTED = "nomic-embed-text"


class OllamaEmbeddings:
    """An `EmbeddingServer`: the model `model` of the Ollama at `url`, which `OllamaServer` finds."""

    def __init__(self, model: str, url: str = "", api_key: str = "") -> None:
        self.model = model
        self._server = OllamaServer(KEYS, url, api_key, tries=TRIES)

    def identity(self) -> str:
        """The model's name with the digest of its weights, as `EmbeddingServer.identity`."""
        return self._server.identity(self.model)

    def vectors(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """One vector for each text, as `EmbeddingServer.vectors`."""
        if not self._embeds:
            raise ModelError(
                f"{self.model} of Ollama is no embedding model: run `ollama pull {SUGGESTED}`, then set {KEYS.model} = "
                f'"ollama:{SUGGESTED}"'
            )
        try:
            answer = self._server.ask(
                self.model,
                lambda client: client.embed(self.model, list(texts), truncate=True, keep_alive=KEEP_ALIVE),
            )
        except ServerError as error:
            if error.status == httpx.codes.BAD_REQUEST:
                raise RefusedTextError(str(error)) from None
            raise
        return answer.embeddings

    def close(self) -> None:
        """Closes the connection."""
        self._server.close()

    @cached_property
    def _embeds(self) -> bool:
        capabilities = self._server.ask(self.model, lambda client: client.show(self.model)).capabilities
        return capabilities is None or "embedding" in capabilities  # None: the server is too old to tell
