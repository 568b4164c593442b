"""Starts this site's Langflow: quiet, offline, on loopback, with the site's own components and flows."""

import importlib.util
import os
import time
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID, uuid5

import httpx

from flows.credentials import Credentials, load_credentials
from flows.desk import Desk
from flows.differences import Difference, differences
from flows.files import SHIPPED, Flow, flows_to_serve, owners_directory, read_flow
from flows.pushing import CONFLICTS, Pulled, Pushed, PushLog, fetch, file_text, pull, push, replace
from flows.shipped import is_as_shipped
from flows.upgrading import Upgraded, upgrade
from flows.visitors import check_now
from pipeline.errors import ServiceError
from pipeline.files import write_text
from pipeline.processes.endpoint import get
from pipeline.processes.left_out import note_left_out, read_left_out, write_left_out
from pipeline.settings import Settings
from pipeline.surroundings import python_module

HOST = "127.0.0.1"
DATABASE = "langflow.db"
EDITED_TWICE = (
    "it was edited here and in the editor, which has its own version: `sitetwin flows diff {0}` shows both, `sitetwin flows "
    "push {0}` takes this file, `sitetwin flows pull` writes the editor's beside it"
)
START_SECONDS = 300
"""Longest start in seconds. The first start compiles all of Langflow to byte code, which is slow on a slow disk."""


def is_installed() -> bool:
    """Whether the extra `sitetwin[langflow]` is installed."""
    return importlib.util.find_spec("langflow") is not None


def is_on(settings: Settings) -> bool:
    """Whether this site's flows run in Langflow: it is installed, and not switched off."""
    return settings.langflow.enabled and is_installed()


def base_url(settings: Settings) -> str:
    """The address of this site's Langflow."""
    return f"http://{HOST}:{settings.langflow.port}"


def directory(settings: Settings) -> Path:
    """Langflow's part of the state: database, keys, secrets."""
    return settings.state / "langflow"


def credentials(settings: Settings) -> Credentials:
    """The secrets of this site's Langflow, made at the first call.

    Raises:
        ServiceError: their file is broken.
    """
    return load_credentials(directory(settings))


def desk(settings: Settings) -> Desk:
    """The desk that guards this site's editor."""
    return Desk(directory(settings), credentials(settings))


def ready_text(settings: Settings, upgraded: Iterable[Upgraded] = ()) -> str:
    """What the owner needs to know about a started Langflow: a new link to the editor, flows renewed and left out."""
    left_out = [f"flow {name} is left out: {reason}" for name, reason in read_left_out(settings).items()]
    return "; ".join(
        [f"open the editor once by {desk(settings).new_link(base_url(settings))}", *map(str, upgraded), *left_out]
    )


def command(settings: Settings) -> list[str]:
    """The command that starts Langflow and its editor in one process. Run it with `environment(settings)`."""
    return [
        # Without it uvicorn puts the current folder first on the import path.
        *python_module("uvicorn", "--factory", "flows.guard:create_app"),
        "--app-dir", str(Path(__file__).resolve().parents[1]),
        "--host", HOST, "--port", str(settings.langflow.port),
        "--log-level", "warning", "--no-access-log", "--timeout-graceful-shutdown", "3",
    ]  # fmt: skip


def environment(settings: Settings) -> dict[str, str]:
    """The environment for `command`: that of this process, with Langflow's settings.

    The owner's own LANGFLOW_* variables win, except for the address of Langflow and its access. The environment holds
    the secrets, so give it to the child process only.
    """
    home = directory(settings)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    secrets = credentials(settings)
    return {**_quiet(), **_kept_in(home), **_careful(settings), **os.environ, **_fixed(settings, secrets)}


def _quiet() -> dict[str, str]:
    """Settings against telemetry, downloads, tutorials and much logging."""
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
        "LANGFLOW_DATABASE_URL": _address(home / DATABASE),
        "LANGFLOW_KNOWLEDGE_BASES_DIR": str(home / "knowledge_bases"),
    }


def _address(database: Path) -> str:
    return f"sqlite:///{database}"


def _careful(settings: Settings) -> dict[str, str]:
    return {
        # Flows run the components of this installation, not older code in a saved flow, and no pasted code.
        "LANGFLOW_ALLOW_CUSTOM_COMPONENTS": "false",
        # The flow decides what a visitor may see, so no request may change a node.
        "LANGFLOW_TWEAKS_POLICY": "off",
        "LANGFLOW_STORE_ENVIRONMENT_VARIABLES": "false",
        # What visitors ask is kept in their conversations, which are deleted by age, and nowhere else.
        "LANGFLOW_TRANSACTIONS_STORAGE_ENABLED": "false",
        "LANGFLOW_VERTEX_BUILDS_STORAGE_ENABLED": "false",
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
        # A visitor of the editor is not logged in as the owner.
        "LANGFLOW_AUTO_LOGIN": "false",
        "LANGFLOW_SKIP_AUTH_AUTO_LOGIN": "false",
        "LANGFLOW_ENABLE_SIGNUP": "false",
    }


def is_healthy(url: str) -> bool:
    """Whether Langflow at `url` answers and its database works. False if something else answers."""
    try:
        response = get(f"{url}/health_check", 5)
        return response.is_success and response.json().get("status") == "ok"
    except (httpx.TransportError, ValueError, AttributeError):
        return False


def wait_healthy(url: str, seconds: float = START_SECONDS) -> None:
    """Wait until Langflow at `url` is healthy.

    Raises:
        ServiceError: it is not healthy after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not is_healthy(url):
        if time.monotonic() > deadline:
            raise ServiceError(
                f"Langflow did not answer at {url} within {seconds:g} s: see its log, then start it again"
            )
        time.sleep(0.2)


def push_flows(settings: Settings) -> list[Pushed]:
    """Push missing flows to the running Langflow, and newer versions of flows that the owner has not edited.

    A file that is broken or that Langflow refuses is left out. `sitetwin status` then names it, and the visitors' flow
    if it could show private text.

    Raises:
        ServiceError: Langflow can't be reached or refuses the key.
    """
    flows, broken = flows_to_serve(settings)
    url, key, name = base_url(settings), credentials(settings).api_key, settings.langflow.flow
    pushed = push(flows, _log(settings), url, key, needed=name)
    pushed += [Pushed(name, "refused", reason) for name, reason in broken.items()]
    left_out = {flow.name: flow.reason for flow in pushed if flow.state == "refused"}
    own = {path.stem for path in owners_directory(settings).glob("*.json")}
    left_out |= {
        flow.name: EDITED_TWICE.format(flow.name) for flow in pushed if flow.state == "kept" and flow.name in own
    }
    if reason := check_now(url, key, name):
        left_out[name] = reason
    write_left_out(settings, left_out)
    return pushed


def upgrade_flows(settings: Settings) -> list[Upgraded]:
    """Give sitetwin's components in the running Langflow's flows their present code. What the owner set stays.

    Raises:
        ServiceError: Langflow can't be reached or refuses the key.
    """
    return upgrade(_log(settings), base_url(settings), credentials(settings).api_key)


def pull_flows(settings: Settings, output: Path) -> Pulled:
    """Write the running Langflow's flows to `output`. A file that was edited too stays, and both versions are kept.

    Raises:
        ServiceError: Langflow can't be reached or refuses.
    """
    return pull(output, _log(settings), base_url(settings), credentials(settings).api_key)


def changed_in_editor(settings: Settings, name: str) -> list[Difference]:
    """What differs from the file of the flow `name` to the running editor's version.

    Raises:
        ServiceError: there is no such flow, it is deleted in the editor, or Langflow can't be reached.
    """
    flow = _served(settings, name)
    theirs = fetch(str(flow["id"]), base_url(settings), credentials(settings).api_key)
    if theirs is None:
        raise ServiceError(f"the flow {name} is deleted in the editor: `sitetwin flows push {name}` makes it again")
    return differences(flow, theirs)


def push_flow(settings: Settings, name: str) -> Path | None:
    """Put the file of the flow `name` in the place of the editor's version.

    Returns:
        The file to which the editor's version was written before; None if there was none, or it was the same.

    Raises:
        ServiceError: there is no such flow, or Langflow can't be reached or refuses it.
    """
    flow = _served(settings, name)
    url, key = base_url(settings), credentials(settings).api_key
    theirs = fetch(str(flow["id"]), url, key)
    saved = None
    if theirs is not None and differences(flow, theirs):
        saved = owners_directory(settings) / CONFLICTS / f"{name}.json"
        write_text(saved, file_text(theirs))
    replace(flow, _log(settings), url, key)
    note_left_out(settings, name, "")
    return saved


def restore_flow(settings: Settings, name: str) -> str:
    """Put sitetwin's own flow `name` beside the changed one, under a name of its own, which is returned.

    Raises:
        ServiceError: sitetwin has no such flow, or Langflow can't be reached or refuses it.
    """
    file = SHIPPED / f"{name}.json"
    if not file.is_file():
        own = ", ".join(sorted(path.stem for path in SHIPPED.glob("*.json")))
        raise ServiceError(f"sitetwin has no flow {name!r}: name one of {own}")
    flow = read_flow(file)
    restored = f"{name}_as_shipped"
    copied = {
        **flow,
        # The same at each call, so that a second one renews the copy. Langflow keeps ids of version 5 to itself.
        "id": str(UUID(bytes=uuid5(UUID(str(flow["id"])), restored).bytes, version=4)),
        "name": f"{flow['name']} (as shipped)",
        "endpoint_name": restored,
    }
    replace(copied, _log(settings), base_url(settings), credentials(settings).api_key)
    return restored


def _served(settings: Settings, name: str) -> Flow:
    flows, _ = flows_to_serve(settings)
    if name not in flows:
        raise ServiceError(f"there is no flow {name!r}: name one of {', '.join(sorted(flows))}")
    return flows[name]


def serves_shipped(settings: Settings) -> bool:
    """Whether the visitors' flow is one of sitetwin's own, as it is. False if that can't be known without Langflow."""
    database = own_database(settings)
    if database is None:
        return False
    return is_as_shipped(settings.langflow.flow, flows_to_serve(settings)[0], _log(settings), database)


def own_database(settings: Settings) -> Path | None:
    """Langflow's SQLite file, which may not be there yet; None if the owner has named another database."""
    database = directory(settings) / DATABASE
    # The owner's own variable wins, as in `environment`.
    return database if os.environ.get("LANGFLOW_DATABASE_URL", _address(database)) == _address(database) else None


def _log(settings: Settings) -> PushLog:
    return PushLog(directory(settings) / "pushed.json")
