"""The vector store's one owner: `chroma run` on a free port of this machine."""

import argparse
import functools
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import ServiceError
from pipeline.processes.endpoint import HOST, answers, free_port
from pipeline.processes.owner import Owner
from pipeline.processes.service import Service
from pipeline.servers.http import no_proxies
from pipeline.settings import Settings
from pipeline.surroundings import python_module

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

NAME = "vectors"


def service(settings: Settings) -> Service:
    command = python_module(
        "pipeline.processes.vectors",
        "--state", str(settings.state), "--idle-minutes", str(settings.engine.idle_minutes),
    )  # fmt: skip
    return Service(name=NAME, command=tuple(command), state=settings.state, start_seconds=60)


def connect(settings: Settings) -> "ClientAPI":
    """A client of the running store, started if need be. Call it per operation: a client is kept per owner.

    Raises:
        ServiceError: Chroma can't be started or reached.
    """
    endpoint = service(settings).ensure()
    return _client(endpoint.pid, endpoint.port)


@functools.lru_cache(maxsize=4)
def _client(pid: int, port: int) -> "ClientAPI":
    import chromadb
    from chromadb.config import Settings as ChromaSettings

    try:
        with no_proxies():
            return chromadb.HttpClient(host=HOST, port=port, settings=ChromaSettings(anonymized_telemetry=False))
    except ValueError as error:
        raise ServiceError(
            f"the vector store (process {pid}) does not answer: {error}; run the command again"
        ) from None


def main() -> None:
    import chromadb_rust_bindings

    parser = argparse.ArgumentParser()
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--idle-minutes", type=float, required=True)
    arguments = parser.parse_args()
    owner = Owner(arguments.state / "run", NAME, arguments.idle_minutes)
    port = free_port()
    owner.publish_when(lambda: answers(f"http://{HOST}:{port}/api/v2/heartbeat"), port)
    path = arguments.state / "chroma"
    # The same entry point that the `chroma` script calls; it lets other threads run while it serves.
    chromadb_rust_bindings.cli(["chroma", "run", "--path", str(path), "--host", HOST, "--port", str(port)])


if __name__ == "__main__":
    main()
