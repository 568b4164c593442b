import socket
from pathlib import Path

import pytest

from flows import server
from pipeline.errors import ServiceError
from pipeline.settings import LangflowSettings, Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(root=tmp_path, langflow=LangflowSettings(port=7999))


def test_secrets_are_in_the_environment_and_not_in_the_command(settings: Settings) -> None:
    secrets = server.credentials(settings)
    environment = server.environment(settings)
    assert environment["LANGFLOW_API_KEY"] == secrets.api_key
    assert environment["LANGFLOW_SUPERUSER_PASSWORD"] == secrets.password
    assert not any(secret in " ".join(server.command(settings)) for secret in (secrets.api_key, secrets.password))


def test_it_listens_on_loopback_and_calls_nobody(settings: Settings) -> None:
    command, environment = server.command(settings), server.environment(settings)
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert command[command.index("--port") + 1] == environment["LANGFLOW_PORT"] == "7999"
    assert environment["LANGFLOW_CORS_ORIGINS"] == "http://127.0.0.1:7999"
    assert environment["DO_NOT_TRACK"] == "true"
    assert environment["LANGFLOW_ALLOW_CUSTOM_COMPONENTS"] == "false"


def test_an_owners_choice_wins_but_not_over_the_locks(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGFLOW_DATABASE_URL", "postgresql://db/langflow")
    monkeypatch.setenv("LANGFLOW_API_KEY", "guessed")
    monkeypatch.setenv("LANGFLOW_HOST", "0.0.0.0")
    monkeypatch.setenv("LANGFLOW_AUTO_LOGIN", "true")
    environment = server.environment(settings)
    assert environment["LANGFLOW_DATABASE_URL"] == "postgresql://db/langflow"
    assert environment["LANGFLOW_API_KEY"] == server.credentials(settings).api_key
    assert environment["LANGFLOW_HOST"] == "127.0.0.1"
    assert environment["LANGFLOW_AUTO_LOGIN"] == "false"


def test_its_components_find_this_site(settings: Settings) -> None:
    assert server.environment(settings)["SITETWIN_CONFIG"] == str(settings.root / "sitetwin.toml")


def test_a_port_without_langflow_is_not_healthy() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert not server.is_healthy(url)
        with pytest.raises(ServiceError, match=r"did not answer at .* within 0 s"):
            server.wait_healthy(url, seconds=0)
