"""Connects to the vector store. Its one owner is a process with Chroma, on a free port of this machine."""

import argparse
import functools
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import ServiceError
from pipeline.processes.endpoint import HOST, free_port
from pipeline.processes.owner import Owner
from pipeline.processes.service import Service
from pipeline.servers.http import no_proxies
from pipeline.settings import Settings
from pipeline.surroundings import python_module

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

NAME = "vectors"


def service(settings: Settings) -> Service:
    """The vector store of this site as a service that can be found or started."""
    command = python_module(
        "pipeline.processes.vectors",
        "--state", str(settings.state), "--idle-minutes", str(settings.engine.idle_minutes),
    )  # fmt: skip
    return Service(name=NAME, command=tuple(command), state=settings.state, start_seconds=60)


def connect(settings: Settings) -> "ClientAPI":
    """A client of the running store, which is started if necessary.

    Call it before each operation, because the owner may have changed. The client of each owner is kept.

    Raises:
        ServiceError: Chroma can't be started or reached.
    """
    endpoint = service(settings).ensure()
    return _client(endpoint.pid, endpoint.port, endpoint.token)


@functools.lru_cache(maxsize=4)
def _client(pid: int, port: int, token: str) -> "ClientAPI":
    import chromadb
    from chromadb.config import Settings as ChromaSettings

    # Chroma must not read a `.env` file of the current folder.
    settings = ChromaSettings(_env_file=None, anonymized_telemetry=False)
    try:
        with no_proxies():
            return chromadb.HttpClient(
                host=HOST, port=port, headers={"Authorization": f"Bearer {token}"}, settings=settings
            )
    except ValueError as error:
        raise ServiceError(
            f"the vector store (process {pid}) does not answer: {error}; run the command again"
        ) from None


def main() -> None:
    """The owner process: opens the store and serves it until it is idle."""
    # Only the owner serves; its clients start quicker without.
    import uvicorn

    from pipeline.processes.guard import OwnerGuard, own_hosts
    from pipeline.processes.vector_server import VectorServer

    parser = argparse.ArgumentParser()
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--idle-minutes", type=float, required=True)
    arguments = parser.parse_args()
    owner = Owner(arguments.state / "run", NAME, arguments.idle_minutes)
    port = free_port()
    app = OwnerGuard(VectorServer(arguments.state / "chroma").app(), own_hosts(port), owner.token)
    config = uvicorn.Config(
        app, host=HOST, port=port, log_level="warning", access_log=False, timeout_keep_alive=3600,
        timeout_graceful_shutdown=3,
    )  # fmt: skip
    server = uvicorn.Server(config)
    owner.publish_when(lambda: server.started, port)
    server.run()


if __name__ == "__main__":
    main()
