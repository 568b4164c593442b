"""Shows a picture of the site's state in Langflow's chat."""

from pathlib import Path

from lfx.custom.custom_component.component import Component
from lfx.schema.message import Message
from lfx.services.deps import get_storage_service


async def attach_picture(component: Component, message: Message, picture: Path) -> None:
    """Attaches a picture to a message; nothing where the file is missing, or outside a stored flow."""
    storage, graph = get_storage_service(), getattr(component, "graph", None)
    if storage is None or graph is None or not graph.flow_id or not picture.is_file():
        return
    # Langflow serves to a chat only what lies in its own storage, below the flow's id.
    name = f"{picture.parent.name}-{picture.name}"
    await storage.save_file(flow_id=str(graph.flow_id), file_name=name, data=picture.read_bytes())
    message.files = [f"{graph.flow_id}/{name}"]
