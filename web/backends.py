"""Who answers: the Langflow flow, or the pipeline itself where Langflow isn't installed."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Literal, Protocol

import anyio
import httpx

from pipeline.chat import Answer, Turn
from pipeline.errors import SettingsError
from pipeline.settings import FLOW_MODES, Mode, Settings

Starting = Callable[[], Sequence[str]]
"""The parts that are still starting, named for a visitor, e.g. `["the index", "Langflow"]`."""


def _nothing() -> Sequence[str]:
    return ()


class Backend(Protocol):
    async def ready(self) -> Literal[True] | str:
        """True, or what is still starting, in a few words that a visitor may read."""

    def stream(self, question: str, session_id: str, history: list[Turn]) -> AsyncGenerator[str | Answer, None]:
        """Pieces of the answer's text as they come, then one Answer. Closing it ends the generation."""

    async def aclose(self) -> None:
        """The gateway ends."""


class DirectBackend:
    """`pipeline.chat.ask` in worker threads; visitors get public text only."""

    def __init__(self, settings: Settings, mode: Mode, starting: Starting = _nothing) -> None:
        self._settings = settings
        self._mode = mode
        self._starting = starting

    async def ready(self) -> Literal[True] | str:
        return ", ".join(self._starting()) or True

    async def stream(self, question: str, session_id: str, history: list[Turn]) -> AsyncGenerator[str | Answer, None]:
        from pipeline.site import Site

        pieces = Site(self._settings).assistant.ask(question, mode=self._mode, history=history, visibility="public")
        try:
            while (piece := await anyio.to_thread.run_sync(next, pieces, None)) is not None:
                yield piece
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(pieces.close)

    async def aclose(self) -> None:
        pass


def direct_mode(settings: Settings) -> Mode:
    """How visitors are answered without Langflow: as the flow does that they would talk to.

    Raises:
        SettingsError: that flow is the owner's own, or none.
    """
    flow = settings.langflow.flow
    if flow not in FLOW_MODES:
        raise SettingsError(
            f"langflow.flow is {flow!r}, which can't run without Langflow: set it to one of {', '.join(FLOW_MODES)}, or "
            "set langflow.enabled = true and run `pip install 'sitetwin[langflow]'`"
        )
    return FLOW_MODES[flow]


class FlowBackend:
    """A flow of Langflow, by endpoint name. The key stays here."""

    def __init__(self, base_url: str, api_key: str, flow: str, starting: Starting = _nothing) -> None:
        self._base_url = base_url.rstrip("/")
        self._api_key = api_key
        self._flow = flow
        self._starting = starting
        self._http = httpx.AsyncClient(trust_env=False)
        self._seen_healthy = False

    async def ready(self) -> Literal[True] | str:
        if starting := ", ".join(self._starting()):
            return starting
        if not self._seen_healthy:
            try:
                self._seen_healthy = (await self._http.get(f"{self._base_url}/health", timeout=2)).is_success
            except httpx.TransportError:
                self._seen_healthy = False
        return self._seen_healthy or "Langflow"

    async def stream(self, question: str, session_id: str, history: list[Turn]) -> AsyncGenerator[str | Answer, None]:
        from flows.client import run_flow

        pieces = run_flow(self._base_url, self._api_key, self._flow, question, session_id, http=self._http)
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece

    async def aclose(self) -> None:
        await self._http.aclose()
