"""Pushes flow files into a running Langflow and pulls flows from it. A push never overwrites the owner's edits."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import httpx
from pydantic import ValidationError

from flows import reading
from flows.files import Flow, read_flow
from flows.fingerprint import fingerprint
from pipeline import files
from pipeline.errors import ServiceError

if TYPE_CHECKING:
    from langflow_sdk import Client

TIMEOUT_SECONDS = 60
CONFLICTS = "conflicts"
"""The folder below the owner's flows for the editor's version of a flow that was edited in both places."""
_UNSAID = ("icon_bg_color", "locked", "mcp_enabled", "tags", "webhook")
"""What Langflow adds to each flow that it stores. A file has it only where it is set, as the shipped files do."""
PushState = Literal["created", "updated", "unchanged", "kept", "deleted", "refused"]
"""`kept`: the owner has edited the flow, so a newer file did not replace it. `deleted`: the owner has deleted it in the
editor, so it was not made again."""


@dataclass(frozen=True)
class Pushed:
    """The result of pushing one flow."""

    name: str
    state: PushState
    reason: str = ""
    """Why the flow was refused."""


class PushLog:
    """For each flow id: the digest of the file pushed last, and the fingerprint of the server's flow at that time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, dict[str, str]]:
        """The entries by flow id; {} if there is no readable log."""
        try:
            entries = json.loads(self._path.read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            # Without a log every flow counts as edited, so more flows are kept than needed.
            return {}
        return entries if isinstance(entries, dict) else {}

    def write(self, entries: dict[str, dict[str, str]]) -> None:
        """Replace the log by `entries`."""
        files.write_text(self._path, json.dumps(entries, indent=2, sort_keys=True))


def push(flows: dict[str, Flow], log: PushLog, base_url: str, api_key: str, needed: str = "") -> list[Pushed]:
    """Create missing flows, and update those that nobody has edited since the last push.

    A flow that Langflow refuses does not stop the others.

    Args:
        flows: flows by endpoint name.
        needed: the name of a flow that is made again although the owner has deleted it.

    Raises:
        ServiceError: Langflow can't be reached or refuses the key.
    """
    entries = log.read()
    results = []
    with client_of(base_url, api_key) as client:
        if all(_fetch(client, flow_id) is None for flow_id in entries):
            # Another database: nothing in it was pushed, so nothing was deleted.
            entries = {}
        for name, flow in flows.items():
            results.append(_pushed(client, name, flow, entries, is_needed=name == needed))
            # Written at once: a flow without an entry would count as edited.
            log.write(entries)
    return results


def replace(flow: Flow, log: PushLog, base_url: str, api_key: str) -> None:
    """Put `flow` in the place of the server's flow of the same id.

    Raises:
        ServiceError: Langflow can't be reached or refuses the flow.
    """
    entries = log.read()
    with client_of(base_url, api_key) as client:
        _store(client, flow, entries)
    log.write(entries)


def fetch(flow_id: str, base_url: str, api_key: str) -> Flow | None:
    """The server's flow; None if it has none of that id.

    Raises:
        ServiceError: Langflow can't be reached or refuses.
    """
    with client_of(base_url, api_key) as client:
        return _fetch(client, flow_id)


def _pushed(client: "Client", name: str, flow: Flow, entries: dict[str, dict[str, str]], *, is_needed: bool) -> Pushed:
    from langflow_sdk.exceptions import LangflowAuthError, LangflowHTTPError

    try:
        return Pushed(name, _push_one(client, flow, entries, is_needed))
    except LangflowAuthError:
        raise
    except (LangflowHTTPError, ValidationError) as error:
        return Pushed(name, "refused", f"Langflow refuses it: {' '.join(str(error).split())[:300]}")


def _push_one(client: "Client", flow: Flow, entries: dict[str, dict[str, str]], is_needed: bool) -> PushState:
    flow_id, file = str(flow["id"]), _digest(flow)
    theirs = _fetch(client, flow_id)
    entry = entries.get(flow_id, {})
    if entry.get("file") == file and not (is_needed and theirs is None):
        # The file has not changed, so any difference is the owner's edit.
        return "deleted" if theirs is None else "unchanged"
    if theirs is not None and fingerprint(theirs) not in (entry.get("server"), fingerprint(flow)):
        return "kept"
    _store(client, flow, entries)
    return "created" if theirs is None else "updated"


def _store(client: "Client", flow: Flow, entries: dict[str, dict[str, str]]) -> None:
    from langflow_sdk.models import FlowCreate

    stored, _ = client.upsert_flow(str(flow["id"]), FlowCreate.model_validate(flow))
    entries[str(flow["id"])] = {"file": _digest(flow), "server": fingerprint(stored.model_dump(mode="json"))}


@dataclass(frozen=True)
class Pulled:
    """What a pull wrote."""

    changed: list[Path]
    conflicts: list[Path]
    """The editor's version of each flow that was edited in both places. Its file stays as it is."""


def pull(directory: Path, log: PushLog, base_url: str, api_key: str) -> Pulled:
    """Write each flow of the server to a file of its own in `directory`, without secrets.

    Raises:
        ServiceError: Langflow can't be reached or refuses.
    """
    entries = log.read()
    pulled = Pulled([], [])
    ids = file_ids(directory)
    with client_of(base_url, api_key) as client:
        for header in client.list_flows(get_all=True, header_flows=True):
            flow = _fetch(client, str(header.id))
            if flow is None or not reading.nodes(flow):
                continue
            name, text = free_name(flow, ids), file_text(flow)
            path = directory / name
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                if _is_edited_in_both(path, flow, entries.get(str(flow["id"]))):
                    files.write_text(directory / CONFLICTS / name, text)
                    pulled.conflicts.append(directory / CONFLICTS / name)
                    continue
                files.write_text(path, text)
                pulled.changed.append(path)
            # File and server are now equal, so a later edit of the file may be pushed.
            entries[str(flow["id"])] = {"file": _digest(json.loads(text)), "server": fingerprint(flow)}
    log.write(entries)
    return pulled


def _is_edited_in_both(path: Path, flow: Flow, entry: dict[str, str] | None) -> bool:
    """Whether the owner has changed both the file and the server's flow since they were the same."""
    if entry is None or not path.is_file() or fingerprint(flow) == entry["server"]:
        return False
    try:
        mine = read_flow(path)
    except ServiceError:
        # A file that is broken was edited, and the next pull must not write over what is left of it.
        return True
    return _digest(mine) != entry["file"] and fingerprint(mine) != fingerprint(flow)


def _digest(flow: Flow) -> str:
    """SHA-256, in hex, of the whole flow, its components' source included."""
    return hashlib.sha256(json.dumps(flow, sort_keys=True).encode()).hexdigest()


def file_text(flow: Flow) -> str:
    """The flow as the text of its file, without secrets, also those in ordinary fields such as headers and addresses."""
    from langflow.utils.flow_secrets import strip_flow_secrets

    from flows.drawing import to_text

    said = {key: value for key, value in flow.items() if value or key not in _UNSAID}
    return to_text(strip_flow_secrets(said))


def file_ids(directory: Path) -> dict[str, str]:
    """The flow's id of each JSON file in `directory`, by the file's name in lower case; "" if it holds no flow."""
    ids = {}
    for path in sorted(directory.glob("*.json")):
        try:
            ids[path.name.lower()] = str(read_flow(path)["id"])
        except ServiceError:
            ids[path.name.lower()] = ""
    return ids


def free_name(flow: Flow, ids: dict[str, str]) -> str:
    """The name of the file for `flow`, which is entered in `ids`: no file of another flow has it.

    Case does not count, as on the disks of macOS. If the name is taken, the first digits of the flow's id follow it.
    """
    flow_id, stem = str(flow["id"]), _file_name(str(flow.get("endpoint_name") or flow["name"]))
    names = [f"{stem}.json", f"{stem}-{flow_id[:8]}.json", f"{stem}-{flow_id}.json"]
    name = next(name for name in names if ids.get(name.lower(), flow_id) == flow_id)
    ids[name.lower()] = flow_id
    return name


def _file_name(name: str) -> str:
    """A flow's name as a file name: letters, digits, - and _ stay."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name).strip("_") or "flow"


def _fetch(client: "Client", flow_id: str) -> dict[str, Any] | None:
    from langflow_sdk.exceptions import LangflowNotFoundError

    try:
        return dict(client.get_flow(flow_id).model_dump(mode="json"))
    except LangflowNotFoundError:
        return None


@contextmanager
def client_of(base_url: str, api_key: str) -> Iterator["Client"]:
    """A client of the running Langflow.

    Raises:
        ServiceError: in place of each error of the client that nobody handles.
    """
    from langflow_sdk import Client
    from langflow_sdk.exceptions import LangflowConnectionError, LangflowError

    headers = {"x-api-key": api_key}
    try:
        with (
            httpx.Client(base_url=base_url, headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False) as http,
            Client(base_url, api_key, httpx_client=http) as client,
        ):
            yield client
    except (LangflowConnectionError, httpx.ConnectError):
        raise ServiceError(f"no Langflow answers at {base_url}: run `sitetwin up`") from None
    except (LangflowError, httpx.HTTPError) as error:
        raise ServiceError(
            f"Langflow at {base_url}: {' '.join(str(error).split())}; see its log, then try again"
        ) from None
