"""Whether visitors may talk to a flow: no node of it may be open to private notes or adapters, or start the
owner's work."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx

from components.audience import PUBLIC_AND_PRIVATE
from flows import reading
from flows.files import Flow
from pipeline.errors import ServiceError

OWNERS_ALONE = frozenset(
    f"{name}Component" for name in ("AdapterChoice", "AdapterTraining", "Compare", "Evaluate", "SyncNotes")
)
"""Components that start long work, or tell of runs and files."""
TIMEOUT_SECONDS = 10


def private_nodes(flow: Flow) -> list[str]:
    """The names of the nodes whose Visibility is open to private text, grouped nodes included."""
    found = []
    for name, _, node in _nodes(flow):
        visibility = (node.get("template") or {}).get("visibility")
        if isinstance(visibility, dict) and visibility.get("value") == PUBLIC_AND_PRIVATE:
            found.append(name)
    return found


def refusal(flow: Flow) -> str:
    """Why visitors may not talk to `flow`, with the node's name; "" if they may."""
    if nodes := private_nodes(flow):
        return f"visitors are refused: it could show private text (Visibility of {', '.join(nodes)}): set it to public"
    if owners := [name for name, kind, _ in _nodes(flow) if kind in OWNERS_ALONE]:
        return f"visitors are refused: {', '.join(owners)} is for you alone: remove it, or name another langflow.flow"
    return ""


def _nodes(flow: Flow) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name, component and content of each node, grouped ones included."""
    for node in reading.nodes(flow):
        inner = reading.inner(node)
        # A component of a bundle has the type `ext:site_twin:NAME@official`.
        kind = reading.kind(node).rpartition(":")[2].partition("@")[0]
        yield str(inner.get("display_name") or kind or node.get("id")), kind, inner
        yield from _nodes(inner.get("flow") or {})


async def check_flow(http: httpx.AsyncClient, base_url: str, api_key: str, name: str) -> str:
    """`refusal` of the flow that Langflow runs now under `name`, its endpoint name or id.

    The editor may have changed it since the last question, so ask before each. "" also if Langflow has no such flow:
    running it says so.

    Raises:
        ServiceError: Langflow can't be reached or refuses.
    """

    async def get(path: str, **query: str) -> Any:
        response = await http.get(
            f"{base_url}/api/v1/flows/{path}", params=query, headers={"x-api-key": api_key}, timeout=TIMEOUT_SECONDS
        )
        return response.raise_for_status().json()

    try:
        for header in await get("", get_all="true", header_flows="true"):
            if name in (header.get("endpoint_name"), str(header["id"])):
                return refusal(await get(str(header["id"])))
    except httpx.HTTPError as error:
        raise ServiceError(
            f"Langflow at {base_url} does not show the flow {name} ({error or type(error).__name__}): see its log"
        ) from None
    return ""


def check_now(base_url: str, api_key: str, name: str) -> str:
    """`check_flow` for a caller without an event loop."""

    async def check() -> str:
        async with httpx.AsyncClient(trust_env=False) as http:
            return await check_flow(http, base_url, api_key, name)

    return asyncio.run(check())
