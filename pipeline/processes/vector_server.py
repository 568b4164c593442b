"""Serves Chroma over HTTP, as far as `chromadb.HttpClient` uses it for us.

`chroma run` has no key and no Unix socket. It answers everyone who reaches its port: every account of the machine, and
every web page that rebinds its name. So this process opens the store itself and serves it behind `OwnerGuard`.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from chromadb.api.models.Collection import Collection

VERSION = "/api/v2"
DATABASE = f"{VERSION}/tenants/{{tenant}}/databases/{{database}}"
COLLECTION = f"{DATABASE}/collections/{{collection}}"
Body = dict[str, Any]


class VectorServer:
    """The store in the folder `path`. `app` makes the server, without a guard."""

    def __init__(self, path: Path) -> None:
        import chromadb
        from chromadb.config import Settings as ChromaSettings

        # Chroma must not read a `.env` file of the current folder.
        settings = ChromaSettings(_env_file=None, anonymized_telemetry=False)
        self._client = chromadb.PersistentClient(str(path), settings)
        self._known: dict[str, Collection] = {}

    def app(self) -> Starlette:
        """The server. It answers an error of Chroma's as Chroma's own server does."""
        from chromadb.errors import ChromaError

        async def refuse(request: Request, error: Exception) -> Response:
            assert isinstance(error, ChromaError)
            return _json({"error": error.name(), "message": error.message()}, error.code())

        def post(path: str, do: Callable[["Collection", Body], object]) -> Route:
            return Route(f"{COLLECTION}/{path}", self._with_collection(do), methods=["POST"])

        return Starlette(
            routes=[
                Route(f"{VERSION}/heartbeat", _says(lambda _: {"nanosecond heartbeat": time.time_ns()})),
                Route(f"{VERSION}/auth/identity", _says(lambda _: dict(user_id="", **_PLACE, databases=[_DATABASE]))),
                Route(f"{VERSION}/pre-flight-checks", _says(lambda _: self._limits())),
                Route(f"{VERSION}/tenants/{{tenant}}", _says(lambda given: {"name": given["tenant"]})),
                Route(
                    DATABASE, _says(lambda given: {"id": _NO_ID, "name": given["database"], "tenant": given["tenant"]})
                ),
                Route(f"{DATABASE}/collections", self._create, methods=["POST"]),
                Route(COLLECTION, self._named, methods=["GET"]),
                Route(COLLECTION, self._delete, methods=["DELETE"]),
                Route(f"{COLLECTION}/count", self._with_collection(lambda one, _: one.count())),
                post("upsert", _upsert),
                post("delete", _drop),
                post(
                    "get",
                    lambda one, body: one.get(body["ids"], limit=body["limit"], offset=body["offset"], include=[]),
                ),
                post("query", _nearest),
            ],
            exception_handlers={ChromaError: refuse},
        )

    def _limits(self) -> Body:
        return {"max_batch_size": self._client.get_max_batch_size(), "supports_base64_encoding": True}

    async def _create(self, request: Request) -> Response:
        body = await request.json()
        hnsw = (body["configuration"] or {}).get("hnsw") or {}

        def create() -> Body:
            given: Any = {"hnsw": {name: value for name, value in hnsw.items() if value is not None}}
            made = self._client.get_or_create_collection(body["name"], configuration=given, embedding_function=None)
            return self._described(made)

        return _json(await anyio.to_thread.run_sync(create))

    async def _named(self, request: Request) -> Response:
        def find() -> Body:
            return self._described(
                self._client.get_collection(request.path_params["collection"], embedding_function=None)
            )

        return _json(await anyio.to_thread.run_sync(find))

    async def _delete(self, request: Request) -> Response:
        await anyio.to_thread.run_sync(self._client.delete_collection, request.path_params["collection"])
        return _json({})

    def _described(self, collection: "Collection") -> Body:
        self._known[str(collection.id)] = collection
        return {
            "id": str(collection.id),
            "name": collection.name,
            "configuration_json": collection.configuration_json,
            "metadata": collection.metadata,
            "tenant": collection.tenant,
            "database": collection.database,
            "version": 0,
            "log_position": 0,
        }

    def _with_collection(self, do: Callable[["Collection", Body], object]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            body = await request.json() if request.method == "POST" else {}
            return _json(
                await anyio.to_thread.run_sync(lambda: do(self._collection(request.path_params["collection"]), body))
            )

        return answer

    def _collection(self, id: str) -> "Collection":
        """
        Raises:
            NotFoundError: there is none of that id.
        """
        from chromadb.errors import NotFoundError

        if id not in self._known:
            # A client may know the id from an earlier owner of the store.
            self._known |= {str(one.id): one for one in self._client.list_collections()}
        if id not in self._known:
            raise NotFoundError(f"Collection [{id}] does not exist")
        return self._known[id]


_DATABASE = "default_database"
_PLACE = {"tenant": "default_tenant"}
_NO_ID = "00000000-0000-0000-0000-000000000000"


def _upsert(collection: "Collection", body: Body) -> bool:
    from chromadb.api.types import optional_base64_strings_to_embeddings

    collection.upsert(ids=body["ids"], embeddings=optional_base64_strings_to_embeddings(body["embeddings"]))
    return True


def _drop(collection: "Collection", body: Body) -> Body:
    return dict(collection.delete(ids=body["ids"]) or {})


def _nearest(collection: "Collection", body: Body) -> object:
    return collection.query(
        query_embeddings=body["query_embeddings"], n_results=body["n_results"], include=body["include"]
    )


def _says(what: Callable[[dict[str, str]], Body]) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        return _json(what(request.path_params))

    return answer


def _json(value: object, status: int = 200) -> Response:
    return Response(json.dumps(value), status, media_type="application/json")
