"""A site of a few notes, a backend whose answers are fixed, and a real browser."""

import socket
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
import uvicorn
from starlette.testclient import TestClient

from pipeline.chat import Answer, Citation, Turn
from pipeline.settings import ContentSource, GatewaySettings, RetrievalSettings, Settings, SiteSettings
from pipeline.site import Site
from tests.web.comparing import GOLDEN, Model
from web.app import create_app
from web.question import VisitorQuestion

BREAD = """\
---
title: Baking bread
description: A loaf in four hours.
order: 1
---

Flour, water, salt. See the [starter](starter.md#feeding-it) and my [diary](diary.md).

## First rise

Two hours at 24 °C.

## First rise

The same again, as `code`:

```sh
oven --on
```

<script>alert("xss")</script>
<img src="x" onerror="alert(1)">
<a href="javascript:alert(1)">click</a>
[also](javascript:alert(2))
"""
STARTER = "---\ntitle: The starter\norder: 2\n---\n\nIt lives in a jar.\n\n## Feeding it\n\nFlour, each day.\n"
DIARY = "---\ntitle: Diary\nprivate: true\n---\n\nThe secret ingredient is rye.\n"


class ScriptedBackend:
    """A backend for tests only: it says the same words to everyone, and notes who asked and whether it was closed."""

    def __init__(self) -> None:
        self.pieces = ["Two hours ", "at 24 °C. ", "[1]"]
        self.citations = [_citation("/notes/bread#first-rise-1", "First rise")]
        self.starting: list[str] = []
        self.asked: list[tuple[str, str, list[Turn]]] = []
        self.pause_seconds = 0.0
        self.hold = False
        """After the pieces, wait for ever instead of answering."""
        self.fails_with: Exception | None = None
        self.closed = threading.Event()

    async def ready(self) -> Any:
        return ", ".join(self.starting) or True

    async def stream(self, asked: VisitorQuestion) -> AsyncGenerator[str | Answer, None]:
        self.asked.append((asked.question, asked.conversation, asked.history))
        try:
            for piece in self.pieces:
                yield piece
                await anyio.sleep(self.pause_seconds)
            if self.fails_with:
                raise self.fails_with
            if self.hold:
                await anyio.sleep_forever()
            text = "".join(self.pieces)
            yield Answer(
                question=asked.question,
                mode="rag",
                answer=text,
                citations=self.citations,
                refused=False,
                model="scripted",
            )
        finally:
            self.closed.set()

    async def prepare(self) -> None:
        pass

    async def tidy(self) -> None:
        pass

    async def aclose(self) -> None:
        pass


def _citation(url: str, heading: str) -> Citation:
    return Citation(
        n=1, document="notes/bread.md", title="Baking bread", url=url, heading=heading, quote="Two hours at 24 °C."
    )


class Clock:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "bread.md").write_text(BREAD, encoding="utf-8")
    (notes / "starter.md").write_text(STARTER, encoding="utf-8")
    (notes / "diary.md").write_text(DIARY, encoding="utf-8")
    return Settings(
        root=tmp_path,
        site=SiteSettings(name="Loaf", description="About bread."),
        content=[ContentSource(path=Path("notes"), url="/notes/{slug}", visibility="public")],
        gateway=GatewaySettings(origins=["https://example.org"], questions_per_minute=3, max_question_chars=200),
    )


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(settings: Settings, backend: ScriptedBackend, clock: Clock) -> TestClient:
    return TestClient(create_app(settings, backend, clock), base_url="http://localhost:8765")


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """A real server on a free port, as its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=5))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            port = listener.getsockname()[1]
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(20)


@pytest.fixture
def serve() -> Iterator[Callable[[Any], str]]:
    """Puts an app on a real server until the test ends, and gives its address."""
    with ExitStack() as servers:
        yield lambda app: servers.enter_context(serving(app))


@pytest.fixture
def site_url(settings: Settings, backend: ScriptedBackend, serve: Callable[[Any], str]) -> str:
    """The test site on a real server."""
    return serve(create_app(settings, backend))


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def compared(settings: Settings) -> Settings:
    settings.retrieval = RetrievalSettings(mode="keyword")
    settings.gateway = GatewaySettings(compare=True, questions_per_minute=4, max_question_chars=200)
    (settings.root / "golden.jsonl").write_text(GOLDEN, encoding="utf-8")
    with Site(settings).index() as index:
        index.sync()
    return settings
