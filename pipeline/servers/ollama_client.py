"""The chat's client of an Ollama server. It uses Ollama's own protocol: the OpenAI-compatible one can't switch thoughts off."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from pipeline.servers.client import KEYS, EngineClient
from pipeline.servers.dialect import Dialect
from pipeline.servers.ollama_server import OllamaServer
from pipeline.servers.transport import ServerError
from pipeline.settings import Think


class OllamaClient(EngineClient):
    """Asks one model of an Ollama server; `base_url` is its address with `/v1`. See EngineClient."""

    def __init__(self, base_url: str, model: str, *, api_key: str = "", timeout: float = 120, **how: Any) -> None:
        super().__init__(base_url, model, api_key=api_key, timeout=timeout, **how)
        self._ollama = OllamaServer(KEYS, base_url, api_key, timeout)
        self._switch: Think | None = self.think

    def _pieces(self, dialect: Dialect, body: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
        try:
            yield from self._parts(dialect, body)
        except ServerError as error:
            if "think" not in error.said or not self._switch:
                raise
            # The model has no degrees of thinking, or can't think at all.
            self._switch = True if isinstance(self._switch, str) else None
            yield from self._pieces(dialect, body)

    def _parts(self, dialect: Dialect, body: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
        options = {"num_predict": body[dialect.budget], "temperature": body["temperature"], "stop": body.get("stop")}
        with (
            self._ollama.explaining_for(self.model),
            closing(self._ollama.chat(self.model, body["messages"], options, self._switch)) as parts,
        ):
            for part in parts:
                yield part.message.thinking or "", part.message.content or "", part.done_reason or ""
