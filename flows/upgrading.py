"""Renews sitetwin's components in every flow of a running Langflow, after an upgrade of sitetwin."""

from dataclasses import dataclass
from typing import Any

import httpx

from flows.fingerprint import fingerprint
from flows.pushing import TIMEOUT_SECONDS, PushLog, client_of
from flows.renewing import OURS, Renewal, renew


@dataclass(frozen=True)
class Upgraded:
    """One flow whose components were renewed."""

    name: str
    renewed: list[Renewal]
    reason: str = ""
    """Why Langflow refused the renewed flow; it then stays as it was."""

    def __str__(self) -> str:
        if self.reason:
            return f"{self.name} is not renewed: {self.reason}"
        return f"{self.name}: renewed {', '.join(map(str, self.renewed))}"


def upgrade(log: PushLog, base_url: str, api_key: str) -> list[Upgraded]:
    """Give sitetwin's components in all flows the code and fields that they have now. What the owner set stays.

    A flow that nobody had edited still counts as unedited.

    Raises:
        ServiceError: Langflow can't be reached or refuses.
    """
    from langflow_sdk.exceptions import LangflowAuthError, LangflowHTTPError
    from langflow_sdk.models import FlowUpdate

    entries = log.read()
    upgraded = []
    with client_of(base_url, api_key) as client:
        templates: dict[str, Any] = {}
        for one in client.list_flows(get_all=True):
            flow = one.model_dump(mode="json")
            if OURS not in str(flow.get("data")):
                continue
            templates = templates or _templates(base_url, api_key)
            newer, renewed = renew(flow, templates)
            if not renewed:
                continue
            name = str(flow.get("endpoint_name") or flow["name"])
            try:
                stored = client.update_flow(one.id, FlowUpdate(data=newer["data"])).model_dump(mode="json")
            except LangflowAuthError:
                raise
            except LangflowHTTPError as error:
                upgraded.append(Upgraded(name, renewed, " ".join(str(error).split())[:300]))
                continue
            entry = entries.get(str(one.id))
            if entry and entry["server"] == fingerprint(flow):
                entry["server"] = fingerprint(stored)
                log.write(entries)
            upgraded.append(Upgraded(name, renewed))
    return upgraded


def _templates(base_url: str, api_key: str) -> dict[str, Any]:
    """sitetwin's components as the running Langflow knows them, by type."""
    with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as http:
        response = http.get(f"{base_url}/api/v1/all", headers={"x-api-key": api_key})
        categories = response.raise_for_status().json()
    return {
        kind: template
        for category in categories.values()
        for kind, template in category.items()
        if kind.startswith(OURS)
    }
