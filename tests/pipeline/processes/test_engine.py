"""The real engine with the demo weights."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest

from pipeline.errors import ModelError
from pipeline.processes import engine
from pipeline.processes.endpoint import Endpoint
from pipeline.servers.client import EngineClient
from pipeline.settings import ModelSettings, Settings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
HAMLET = [{"role": "user", "content": "Who wrote Hamlet?"}]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    settings = Settings(root=tmp_path_factory.mktemp("site"))
    engine.connect(settings)
    yield settings
    service = engine.service(settings)
    if endpoint := service.find():
        service.stop(endpoint)


def found(settings: Settings) -> Endpoint:
    endpoint = engine.service(settings).find()
    assert endpoint is not None
    return endpoint


def bearer(settings: Settings) -> dict[str, str]:
    return {"Authorization": f"Bearer {found(settings).token}"}


def test_it_answers_in_pieces(settings: Settings) -> None:
    pieces = list(engine.connect(settings).generate(HAMLET, max_tokens=20))
    assert len(pieces) > 3
    assert "Shakespeare" in "".join(pieces)


def test_chats_side_by_side_get_their_own_answers(settings: Settings) -> None:
    client = engine.connect(settings)
    countries = ["France", "Italy", "Spain"]

    def ask(country: str) -> str:
        question = f"In which country do people of {country} live? Say the name of {country}."
        return "".join(client.generate([{"role": "user", "content": question}], max_tokens=30))

    alone = [ask(country) for country in countries]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(ask, countries))
    assert all(country in answer for country, answer in zip(countries, together, strict=True)), (alone, together)


def test_leaving_early_frees_the_engine(settings: Settings) -> None:
    client = engine.connect(settings)
    pieces = client.generate([{"role": "user", "content": "Tell a very long story."}], max_tokens=4000)
    next(pieces)
    pieces.close()
    assert "Shakespeare" in "".join(client.generate(HAMLET, max_tokens=20))


def test_models_are_listed_and_another_one_is_refused(settings: Settings) -> None:
    models = httpx.get(f"{found(settings).url}/v1/models", headers=bearer(settings)).json()
    assert [model["id"] for model in models["data"]] == ["demo"]
    client = engine.connect(settings)
    with pytest.raises(ModelError, match="this engine holds 'demo'"):
        list(EngineClient(client.base_url, "other", api_key=client.api_key).generate(HAMLET))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Authorization": ""}, 401),
    ],
)
def test_pages_and_other_accounts_are_refused(settings: Settings, headers: dict[str, str], status: int) -> None:
    body = json.dumps({"model": "demo", "messages": HAMLET})
    headers = {**bearer(settings), "Content-Type": "application/json", **headers}
    answer = httpx.post(f"{found(settings).url}/v1/chat/completions", content=body, headers=headers)
    assert answer.status_code == status
    assert "access-control-allow-origin" not in answer.headers


def test_the_token_is_in_no_command_line_and_for_the_owner_only(settings: Settings) -> None:
    token = found(settings).token
    assert token not in " ".join(psutil.Process(found(settings).pid).cmdline())
    assert engine.service(settings).files.endpoint_path.stat().st_mode & 0o777 == 0o600


def test_a_model_that_cannot_be_loaded_is_named(settings: Settings, tmp_path) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path / "empty"
    folder.mkdir()
    broken = Settings(root=tmp_path, models=ModelSettings(chat=str(folder)))
    with pytest.raises(Exception, match="can't load the model"):
        engine.connect(broken)
