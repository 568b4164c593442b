"""How this site's Langflow is started: quiet, offline, on loopback, with the site's own components and flows."""

import importlib.util
import os
import time
from pathlib import Path

import httpx

from flows.credentials import Credentials, load_credentials
from flows.desk import Desk
from flows.files import flows_to_serve
from flows.pushing import Pushed, PushLog, pull, push
from pipeline.errors import ServiceError
from pipeline.processes.left_out import read_left_out, write_left_out
from pipeline.settings import Settings
from pipeline.surroundings import python_module

HOST = "127.0.0.1"
START_SECONDS = 300
"""The first start on a slow disk makes Python's byte code of all of Langflow."""


def is_installed() -> bool:
    """Whether the extra `sitetwin[langflow]` is there."""
    return importlib.util.find_spec("langflow") is not None


def is_on(settings: Settings) -> bool:
    """Whether this site's flows run in Langflow: installed, and not switched off."""
    return settings.langflow.enabled and is_installed()


def base_url(settings: Settings) -> str:
    return f"http://{HOST}:{settings.langflow.port}"


def directory(settings: Settings) -> Path:
    """Langflow's part of the state: data base, keys, secrets."""
    return settings.state / "langflow"


def credentials(settings: Settings) -> Credentials:
    return load_credentials(directory(settings))


def desk(settings: Settings) -> Desk:
    return Desk(directory(settings), credentials(settings))


def ready_text(settings: Settings) -> str:
    """What the owner needs to know of a Langflow that has just started: a link to the editor, and what is left out."""
    left_out = [f"flow {name} is left out: {reason}" for name, reason in read_left_out(settings).items()]
    return "; ".join([f"open the editor once by {desk(settings).new_link(base_url(settings))}", *left_out])


def command(settings: Settings) -> list[str]:
    """What starts Langflow and its editor in one process; run it with `environment(settings)`."""
    return [
        # uvicorn would put the current folder first.
        *python_module("uvicorn", "--factory", "flows.guard:create_app"),
        "--app-dir", str(Path(__file__).resolve().parents[1]),
        "--host", HOST, "--port", str(settings.langflow.port),
        "--log-level", "warning", "--no-access-log", "--timeout-graceful-shutdown", "3",
    ]  # fmt: skip


def environment(settings: Settings) -> dict[str, str]:
    """The whole environment for `command`: this process's, with Langflow's settings.

    A LANGFLOW_* variable that the owner has set wins, save for where Langflow listens and who may use it. It holds the
    secrets, so it is for the child process alone.
    """
    home = directory(settings)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    secrets = credentials(settings)
    return {**_quiet(), **_kept_in(home), **_careful(settings), **os.environ, **_fixed(settings, secrets)}


def _quiet() -> dict[str, str]:
    """Nothing is sent home, fetched, or made for a tour."""
    return {
        "DO_NOT_TRACK": "true",
        "LANGFLOW_DO_NOT_TRACK": "true",
        "LANGFLOW_DEACTIVATE_TRACING": "true",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LANGFLOW_STORE": "false",
        "LANGFLOW_CREATE_STARTER_PROJECTS": "false",
        "LANGFLOW_AGENTIC_EXPERIENCE": "false",
        "LANGFLOW_SKIP_MCP_AUTO_INIT": "true",
        "LANGFLOW_MCP_COMPOSER_ENABLED": "false",
        "LANGFLOW_ADD_PROJECTS_TO_MCP_SERVERS": "false",
        "LANGFLOW_TRIGGER_DISPATCHER_ENABLED": "false",
        "LANGFLOW_HIDE_GETTING_STARTED_PROGRESS": "true",
        "LANGFLOW_LOG_LEVEL": "ERROR",
        "LANGFLOW_LOG_LEVELS": "httpx=WARNING,alembic=WARNING,chromadb=WARNING",
    }


def _kept_in(home: Path) -> dict[str, str]:
    return {
        "LANGFLOW_CONFIG_DIR": str(home),
        "LANGFLOW_DATABASE_URL": f"sqlite:///{home / 'langflow.db'}",
        "LANGFLOW_KNOWLEDGE_BASES_DIR": str(home / "knowledge_bases"),
    }


def _careful(settings: Settings) -> dict[str, str]:
    return {
        # Flows run the components of this installation, whatever older code a saved flow holds; no pasted code.
        "LANGFLOW_ALLOW_CUSTOM_COMPONENTS": "false",
        # What a visitor may see is in the flow, so no request may change a node.
        "LANGFLOW_TWEAKS_POLICY": "off",
        "LANGFLOW_STORE_ENVIRONMENT_VARIABLES": "false",
        "LANGFLOW_CORS_ORIGINS": base_url(settings),
    }


def _fixed(settings: Settings, secrets: Credentials) -> dict[str, str]:
    return {
        "SITETWIN_CONFIG": str(settings.file),
        "LANGFLOW_HOST": HOST,
        "LANGFLOW_PORT": str(settings.langflow.port),
        "LANGFLOW_API_KEY_SOURCE": "env",
        "LANGFLOW_API_KEY": secrets.api_key,
        "LANGFLOW_SUPERUSER": secrets.username,
        "LANGFLOW_SUPERUSER_PASSWORD": secrets.password,
        # Nobody is the owner for merely having come here.
        "LANGFLOW_AUTO_LOGIN": "false",
        "LANGFLOW_SKIP_AUTH_AUTO_LOGIN": "false",
        "LANGFLOW_ENABLE_SIGNUP": "false",
    }


def is_healthy(url: str) -> bool:
    """Whether Langflow at `url` answers and its data base works. A port where something else listens: False."""
    try:
        response = httpx.get(f"{url}/health_check", timeout=5, trust_env=False)
        return response.is_success and response.json().get("status") == "ok"
    except (httpx.TransportError, ValueError, AttributeError):
        return False


def wait_healthy(url: str, seconds: float = START_SECONDS) -> None:
    """Return once Langflow at `url` is healthy.

    Raises:
        ServiceError: it is not within that time.
    """
    deadline = time.monotonic() + seconds
    while not is_healthy(url):
        if time.monotonic() > deadline:
            raise ServiceError(
                f"Langflow did not answer at {url} within {seconds:g} s: see its log, then start it again"
            )
        time.sleep(0.2)


def push_flows(settings: Settings) -> list[Pushed]:
    """Give the running Langflow the flows that it lacks, and newer ones for those that its owner has not edited.

    A file that is broken or that Langflow refuses is left out; `sitetwin status` names it from then on.

    Raises:
        ServiceError: Langflow can't be reached or refuses the key.
    """
    flows, broken = flows_to_serve(settings)
    pushed = push(flows, _log(settings), base_url(settings), credentials(settings).api_key)
    pushed += [Pushed(name, "refused", reason) for name, reason in broken.items()]
    write_left_out(settings, {flow.name: flow.reason for flow in pushed if flow.state == "refused"})
    return pushed


def pull_flows(settings: Settings, output: Path) -> list[Path]:
    """Write the running Langflow's flows to `output`; returns the files that changed.

    Raises:
        ServiceError: Langflow can't be reached or refuses.
    """
    return pull(output, _log(settings), base_url(settings), credentials(settings).api_key)


def _log(settings: Settings) -> PushLog:
    return PushLog(directory(settings) / "pushed.json")
