"""The real vector store: what Chroma's client asks of it, and who is refused."""

from collections.abc import Iterator

import httpx
import numpy as np
import pytest
from chromadb.errors import NotFoundError

from pipeline.processes import vectors
from pipeline.processes.endpoint import Endpoint
from pipeline.settings import Settings

NAME = "sitetwin-private-1"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    settings = Settings(root=tmp_path_factory.mktemp("site"))
    client = vectors.connect(settings)
    made = client.get_or_create_collection(NAME, configuration={"hnsw": {"space": "cosine"}}, embedding_function=None)
    made.upsert(ids=["a", "b", "c"], embeddings=np.array([[1, 0], [0, 1], [1, 1]], np.float32))
    yield settings
    service = vectors.service(settings)
    if endpoint := service.find():
        service.stop(endpoint)


@pytest.fixture
def endpoint(settings: Settings) -> Endpoint:
    found = vectors.service(settings).find()
    assert found is not None
    return found


def test_what_the_index_asks(settings: Settings) -> None:
    client = vectors.connect(settings)
    collection = client.get_collection(NAME, embedding_function=None)
    nearest = collection.query(query_embeddings=np.array([[1, 0]], np.float32), n_results=2, include=["distances"])
    assert nearest["ids"] == [["a", "c"]]
    assert nearest["distances"] is not None
    assert nearest["distances"][0] == pytest.approx([0, 1 - 2**-0.5], abs=1e-6)
    collection.upsert(ids=["d"], embeddings=np.array([[0, 2]], np.float32))
    collection.delete(ids=["d", "never there"])
    assert collection.count() == 3
    assert collection.get(include=[], limit=2, offset=1)["ids"] == ["b", "c"]


def test_what_is_gone_is_not_found(settings: Settings) -> None:
    client = vectors.connect(settings)
    gone = client.get_or_create_collection("gone", embedding_function=None)
    client.delete_collection("gone")
    for ask in (gone.count, lambda: client.get_collection("gone"), lambda: client.delete_collection("gone")):
        with pytest.raises(NotFoundError):
            ask()


def test_a_collection_named_before_a_restart_is_known_after_it(settings: Settings) -> None:
    before = vectors.connect(settings).get_collection(NAME, embedding_function=None)
    service = vectors.service(settings)
    found = service.find()
    assert found is not None
    service.stop(found)
    endpoint = service.ensure()
    path = f"/api/v2/tenants/default_tenant/databases/default_database/collections/{before.id}/count"
    answer = httpx.get(endpoint.url + path, headers={"Authorization": f"Bearer {endpoint.token}"}, trust_env=False)
    assert answer.json() == 3


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer guessed"}, 401),
        ({"Host": "evil.example"}, 403),
        ({"Host": "evil.example", "Authorization": "TOKEN"}, 403),
        ({"Origin": "https://evil.example", "Authorization": "TOKEN"}, 403),
        ({"Authorization": "TOKEN"}, 200),
    ],
)
def test_pages_and_other_accounts_are_refused(endpoint: Endpoint, headers: dict[str, str], status: int) -> None:
    sent = {name: value.replace("TOKEN", f"Bearer {endpoint.token}") for name, value in headers.items()}
    answer = httpx.get(f"{endpoint.url}/api/v2/heartbeat", headers=sent, trust_env=False)
    assert answer.status_code == status


def test_the_token_is_in_no_command_line_and_for_the_owner_only(settings: Settings, endpoint: Endpoint) -> None:
    assert endpoint.token not in " ".join(vectors.service(settings).command)
    assert vectors.service(settings).files.endpoint_path.stat().st_mode & 0o777 == 0o600
