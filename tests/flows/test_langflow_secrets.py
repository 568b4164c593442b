"""Through a real Langflow and the gateway in front of it, no visitor is told what only a private note holds."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from flows import server
from pipeline.processes.endpoint import free_port
from pipeline.settings import Settings, load_settings
from pipeline.site import Site
from tests.flows.running import running
from tests.notes_site import end_services
from tests.secret_vault import Vault, leaked, write_vault
from web.app import create_app
from web.backends import FlowBackend

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

CONFIG = """\
[[content]]
path = "site"
url = "/site/{{slug}}"
visibility = "public"
private = ["secret/**", "journal", "*.private.{{md,mdx}}"]

[[content]]
path = "vault"
kind = "obsidian"
url = "/vault/{{slug}}"

[[content]]
path = "blog"
kind = "astro"
url = "/blog/{{slug}}"

[langflow]
port = {port}

[gateway]
questions_per_minute = 100000
"""


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    vault = write_vault(tmp_path_factory.mktemp("flow") / "home")
    vault.settings.file.write_text(CONFIG.format(port=free_port()), encoding="utf-8")
    settings = load_settings(vault.settings.file)
    with Site(settings).index() as index:
        index.sync()
    try:
        yield Vault(vault.root, settings, vault.private)
    finally:
        end_services(settings)


@pytest.fixture(scope="module")
def client(vault: Vault, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    settings, folder = vault.settings, tmp_path_factory.mktemp("langflow")
    with running(settings, folder / "log"):
        server.push_flows(settings)
        yield _gateway(settings)


def _gateway(settings: Settings) -> TestClient:
    key = server.credentials(settings).api_key
    backend = FlowBackend(server.base_url(settings), key, settings.langflow.flow)
    return TestClient(create_app(settings, backend), base_url="http://localhost:8765")


def test_the_flow_says_none(vault: Vault, client: TestClient) -> None:
    secrets = vault.secrets(of_links=False)
    with client:
        for number, note in enumerate(vault.private):
            query = list(note.queries())[number % 39]
            response = client.post("/api/chat", json={"question": query})
            data = _answer(response.text)
            assert not leaked(json.dumps(data, ensure_ascii=False), secrets) - leaked(query, secrets), query
        asked = {"question": "How long does the dough of sourdough bread rise?"}
        assert _answer(client.post("/api/chat", json=asked).text)["citations"]


def _answer(events: str) -> dict[str, object]:
    assert "event: answer" in events, events
    data = [line.removeprefix("data: ") for line in events.splitlines() if line.startswith("data: ")]
    return dict(json.loads(data[-1]))


def test_langflows_own_log_is_no_page(vault: Vault, client: TestClient) -> None:
    for path in (
        "/logs",
        "/api/v1/flows/",
        "/api/v1/monitor/messages",
        "/.sitetwin/logs/gateway.log",
        "/.sitetwin/index.db",
    ):
        assert client.get(path).status_code == 404


def test_what_langflow_keeps_on_disk_holds_none(vault: Vault, client: TestClient) -> None:
    """Its database has the messages and the tables that ran through the flow."""
    secrets = vault.secrets(of_links=False)
    asked = {word for note in vault.private for word in leaked(" ".join(note.queries()), secrets)}
    folder = vault.settings.state / "langflow"
    files = [file for file in Path(folder).rglob("*.db*") if file.is_file()]
    assert files
    for file in files:
        assert leaked(file.read_bytes().decode("latin-1"), secrets) <= asked
