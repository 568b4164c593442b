"""Answers visitors: by a Langflow flow, or by the pipeline itself if Langflow is not installed or switched off."""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol

import anyio
import httpx

from pipeline.chat import Answer
from pipeline.errors import ServiceError
from pipeline.settings import Mode, Settings
from web.question import VisitorQuestion

KEPT_CONVERSATIONS = 1000
"""So many conversations of the time before Langflow ran are remembered."""
Starting = Callable[[], Sequence[str]]
"""Returns the parts that are still starting, named for a visitor, e.g. `["the index", "Langflow"]`."""


def _nothing() -> Sequence[str]:
    return ()


def _unnoted(_reason: str) -> None:
    """For a backend whose refusals nobody keeps."""


class Backend(Protocol):
    """Answers visitors' questions."""

    async def ready(self) -> Literal[True] | str:
        """True, or the parts that are still starting, in words for a visitor."""

    def stream(self, asked: VisitorQuestion) -> AsyncGenerator[str | Answer, None]:
        """Yields pieces of the answer's text, then one Answer. Closing the iterator ends the generation.

        Raises:
            SitetwinError: there is no answer.
        """

    async def prepare(self) -> None:
        """Loads what the first answer needs; called once.

        Raises:
            SitetwinError: something is missing, of which the first question will hear.
        """

    async def tidy(self) -> None:
        """Forgets old conversations; called now and then.

        Raises:
            SitetwinError: it can't be done now.
        """

    async def aclose(self) -> None:
        """Releases connections when the gateway ends."""


class DirectBackend:
    """Answers with the pipeline in worker threads, from public notes only."""

    def __init__(self, settings: Settings, mode: Mode, starting: Starting = _nothing) -> None:
        self._settings = settings
        self._mode = mode
        self._starting = starting

    async def ready(self) -> Literal[True] | str:
        """See Backend."""
        return ", ".join(self._starting()) or True

    async def stream(self, asked: VisitorQuestion) -> AsyncGenerator[str | Answer, None]:
        """See Backend."""
        from pipeline.site import Site

        pieces = Site(self._settings).assistant.ask(
            asked.question, mode=self._mode, history=asked.history, visibility="public"
        )
        try:
            while (piece := await anyio.to_thread.run_sync(next, pieces, None)) is not None:
                yield piece
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(pieces.close)

    async def prepare(self) -> None:
        """See Backend. Embedder and libraries load while other parts of the site start."""
        from pipeline.site import Site

        def load() -> None:
            import chromadb  # noqa: F401

            site = Site(self._settings)
            _ = site.assistant
            site.embed(["a first sentence"])

        await anyio.to_thread.run_sync(load, abandon_on_cancel=True)

    async def tidy(self) -> None:
        """See Backend. Nothing is kept."""

    async def aclose(self) -> None:
        """See Backend. There is nothing to release."""


class FlowBackend:
    """Answers with a Langflow flow, unless it could show private text. The API key never reaches a visitor.

    Args:
        flow: endpoint name or id.
        starting: parts of the site that are still starting.
        note: called before each question with the reason why the flow is refused; "" if it is not.
        kept_days: so long after its last question a conversation is kept.
        database: Langflow's SQLite file, from which old logs are deleted; None: they stay.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        flow: str,
        starting: Starting = _nothing,
        note: Callable[[str], None] = _unnoted,
        kept_days: int = 7,
        database: Path | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._api_key = api_key
        self._flow = flow
        self._starting = starting
        self._note = note
        self._kept_days = kept_days
        self._database = database
        self._http = httpx.AsyncClient(trust_env=False)
        self._seen_healthy = False

    async def ready(self) -> Literal[True] | str:
        """See Backend. Langflow counts as ready once it has answered."""
        if starting := ", ".join(self._starting()):
            return starting
        if not self._seen_healthy:
            try:
                self._seen_healthy = (await self._http.get(f"{self._base_url}/health", timeout=2)).is_success
            except httpx.TransportError:
                self._seen_healthy = False
        return self._seen_healthy or "Langflow"

    async def stream(self, asked: VisitorQuestion) -> AsyncGenerator[str | Answer, None]:
        """See Backend. Langflow keeps the history of the conversation itself."""
        from flows.client import run_flow
        from flows.visitors import check_flow

        reason = await check_flow(self._http, self._base_url, self._api_key, self._flow)
        self._note(reason)
        if reason:
            raise ServiceError(f"the flow {self._flow}: {reason}")
        pieces = run_flow(
            self._base_url, self._api_key, self._flow, asked.question, asked.conversation, http=self._http
        )
        async with aclosing(pieces):
            async for piece in pieces:
                if isinstance(piece, Answer):
                    _require_public(piece, self._flow)
                yield piece

    async def prepare(self) -> None:
        """See Backend. Langflow loads by itself."""

    async def tidy(self) -> None:
        """See Backend. Langflow keeps the conversations, if it runs by now."""
        from flows.conversations import forget_logs, forget_old

        if await self.ready() is True:
            before = datetime.now(UTC) - timedelta(days=self._kept_days)
            await forget_old(self._http, self._base_url, self._api_key, before)
            if self._database is not None:
                await anyio.to_thread.run_sync(forget_logs, self._database, before)

    async def aclose(self) -> None:
        """See Backend."""
        await self._http.aclose()


class EarlyBackend:
    """Answers with a flow, and until Langflow runs with the pipeline, which gives the same answers.

    A conversation that the pipeline began stays there, because Langflow does not know its first turns.

    Args:
        same_answers: returns whether the pipeline answers as the flow does; asked while Langflow does not answer.
    """

    def __init__(self, flow: FlowBackend, direct: DirectBackend, same_answers: Callable[[], bool]) -> None:
        self._flow = flow
        self._direct = direct
        self._same_answers = same_answers
        self._begun: OrderedDict[str, None] = OrderedDict()

    async def ready(self) -> Literal[True] | str:
        """See Backend."""
        waiting = await self._flow.ready()
        if waiting is True or not await anyio.to_thread.run_sync(self._same_answers):
            return waiting
        return await self._direct.ready()

    async def stream(self, asked: VisitorQuestion) -> AsyncGenerator[str | Answer, None]:
        """See Backend."""
        backend = await self._chosen(asked.conversation)
        async with aclosing(backend.stream(asked)) as pieces:
            async for piece in pieces:
                yield piece

    async def _chosen(self, conversation: str) -> Backend:
        if conversation in self._begun:
            return self._direct
        if await self._flow.ready() is True or not await anyio.to_thread.run_sync(self._same_answers):
            return self._flow
        self._begun[conversation] = None
        if len(self._begun) > KEPT_CONVERSATIONS:
            self._begun.popitem(last=False)
        return self._direct

    async def prepare(self) -> None:
        """See Backend."""
        await self._direct.prepare()

    async def tidy(self) -> None:
        """See Backend."""
        await self._flow.tidy()

    async def aclose(self) -> None:
        """See Backend."""
        await self._flow.aclose()


def _require_public(answer: Answer, flow: str) -> None:
    """Refuses an answer that cites a private passage, whichever node found it."""
    private = sorted({citation.document for citation in answer.citations if citation.visibility != "public"})
    if private:
        raise ServiceError(
            f"the flow {flow} cited private notes ({', '.join(private)}): visitors do not get them; set Visibility to "
            "public in the flow that found them"
        )
