"""Connects to the model server: our MLX engine, the one owner of the weights, or the server that the settings name."""

import argparse
import functools
from pathlib import Path
from typing import Any

from pipeline.adapters import REMOTE, Adapter, adapters_directory, find_adapter
from pipeline.errors import ModelError
from pipeline.processes.endpoint import HOST, free_port
from pipeline.processes.owner import Owner
from pipeline.processes.service import Service
from pipeline.servers.client import EngineClient
from pipeline.servers.fine_tuning import KEYS
from pipeline.servers.ollama_client import OllamaClient
from pipeline.settings import Settings
from pipeline.surroundings import python_module
from pipeline.weights import blas
from pipeline.weights.locating import fetch_chat_model, weights_folder

NAME = "engine"


def service(settings: Settings) -> Service:
    """The engine of this site as a service that can be found or started."""
    command = python_module(
        "pipeline.processes.engine",
        "--state", str(settings.state), "--idle-minutes", str(settings.engine.idle_minutes),
        "--model", settings.models.chat, "--threads", str(settings.engine.threads),
        # A client waits this long for the next word.
        "--stall-seconds", str(settings.engine.timeout_seconds),
        "--int8" if settings.engine.int8 else "--no-int8",
    )  # fmt: skip
    return Service(
        name=NAME,
        command=tuple(command),
        state=settings.state,
        # Only for loading: `fetch` has brought the weights before.
        start_seconds=600,
        details=_details(settings.models.chat, settings.engine.int8),
        waiting=f"loading {settings.models.chat}",
        health="/health",
    )


def _details(model: str, int8: bool) -> dict[str, str]:
    """What an engine publishes of its settings. One with other settings is replaced."""
    return {"model": model, "int8": "on" if int8 else "off"}


def fetch(settings: Settings) -> None:
    """Downloads the weights for our engine, if they are missing.

    It runs in this process, so its progress is shown and no start-up limit ends it on a slow line.

    Raises:
        ModelError: the weights can't be had.
    """
    if not settings.engine.url:
        fetch_chat_model(settings.models.chat)


def connect(settings: Settings, adapter: str | None = None) -> EngineClient:
    """A client of the model server that the settings name, or of our engine, which is started if necessary.

    Args:
        adapter: the adapter that answers. Servers such as vLLM and Ollama know it as a model of that name. One that a
            service has fine-tuned is asked there.

    Raises:
        ServiceError: the engine can't be started.
        ModelError: its weights can't be had.
    """
    if adapter and (adapters_directory(settings) / adapter / REMOTE).is_file():
        return _remote(settings, find_adapter(settings, adapter))
    own = not settings.engine.url
    if own and not service(settings).find():
        fetch(settings)
    url, key = settings.engine.url, settings.engine.api_key
    if own:
        endpoint = service(settings).ensure()
        url, key = f"{endpoint.url}/v1", endpoint.token
    return _client(
        OllamaClient if settings.asks_ollama else EngineClient,
        url,
        settings.models.chat if own else adapter or settings.models.chat,
        adapter=adapter if own else None,
        api_key=key,
        timeout=settings.engine.timeout_seconds,
        think=settings.models.think,
        is_ours=own,
    )


def _remote(settings: Settings, adapter: Adapter) -> EngineClient:
    remote = adapter.remote
    assert remote
    if remote.url != settings.openai.url:
        # The key in the settings belongs to the other server.
        raise ModelError(
            f"the adapter {adapter.name!r} is a model at {remote.url}, and openai.url is {settings.openai.url}: set it back"
        )
    return _client(
        EngineClient,
        remote.url,
        remote.model,
        api_key=settings.openai.api_key,
        timeout=settings.engine.timeout_seconds,
        keys=KEYS,
    )


@functools.lru_cache(maxsize=32)
def _client(kind: type[EngineClient], url: str, model: str, **how: Any) -> EngineClient:
    """The one client of each server and model: it remembers which parameters that server refuses."""
    return kind(url, model, **how)


def main() -> None:
    """The owner process: loads the weights and serves them until it is idle."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--idle-minutes", type=float, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--stall-seconds", type=float, default=120)
    parser.add_argument("--int8", action=argparse.BooleanOptionalAction, required=True)
    arguments = parser.parse_args()
    owner = Owner(arguments.state / "run", NAME, arguments.idle_minutes)
    blas.preload(arguments.threads)
    from pipeline.engine.server import make_server, start_loop
    from pipeline.weights.int8 import is_fast
    from pipeline.weights.memory import graphics_limit

    model = str(weights_folder(arguments.model))
    int8 = arguments.int8 and is_fast()
    loop = start_loop(model, arguments.model, arguments.state / "adapters", graphics_limit(), int8=int8)
    port = free_port()
    server = make_server(loop, HOST, port, owner.token, owner.files.touch, arguments.stall_seconds)
    owner.publish_when(loop.ready.is_set, port, **_details(arguments.model, arguments.int8))
    server.serve_forever()


if __name__ == "__main__":
    main()
