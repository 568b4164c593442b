"""Builds the flow files from the components' current templates. The same templates give the same bytes."""

import copy
from typing import Any

from flows.registry import Registry

Flow = dict[str, Any]

RETRIEVER = "ext:site_twin:RetrieverComponent@official"
MODEL = "ext:site_twin:MLXModelComponent@official"
CITED_ANSWER = "ext:site_twin:CitedAnswerComponent@official"

NOTE_CHUNKS = "ext:site_twin:NoteChunksComponent@official"
TEACHER = "ext:site_twin:TeacherComponent@official"
PAIR_FILTER = "ext:site_twin:PairFilterComponent@official"

RAG_CHAT_ID = "6f1d2c8e-7b54-4c1f-9a3e-2d5b8c7e4f10"
LORA_CHAT_ID = "0d9c5a71-3e48-4b6a-8f27-c15e90b4a6d3"
HYBRID_CHAT_ID = "e2b87f04-95ac-4d13-b6e8-47a1c03f5d92"
TEACH_ID = "b3a0c7d4-91e6-4f2b-8c5d-7e1f60a2d938"
"""The ids are fixed, so that a rebuilt flow stays the same flow. They are UUIDs of version 4: Langflow refuses others."""

_CHAT_NOTE = """\
### The chat of your site

A visitor's question goes in on the left, a cited answer comes out on the right.

- **Notes Retriever** finds passages. Keep its *Visibility* at public: visitors read whatever it finds.
- **MLX Model** is the model that sitetwin.toml names. Any other model fits too: connect its *Language Model* output instead.
- **Cited Answer** checks the sources. Write under *Persona* how it shall speak.

Try it in the **Playground**. Changes hold for visitors at once, and a restart keeps them; \
*sitetwin flows pull* copies them into the folder *flows*.
"""

_LORA_NOTE = """\
### Your voice, without your notes

The model answers under an adapter that was trained on your writing. It looks nothing up: it may sound like you and \
still be wrong, and it names no source.

- **MLX Model** answers under the promoted adapter. Click the button beside *Adapter* to choose another one. Keep its \
*Visibility* at public: an adapter can tell whatever it was trained on.
- **Cited Answer** asks the model just as it was trained, with your persona alone.

`sitetwin train` makes an adapter, `sitetwin promote RUN` puts it to use. Visitors talk to the flow that \
*langflow.flow* in sitetwin.toml names.
"""

_HYBRID_NOTE = """\
### Your voice, with your notes

As *rag_chat*, but the model answers under an adapter that was trained on your writing. Where what it has learnt \
disagrees with the passages, the passages are right: the prompt says so.

- **Notes Retriever** finds passages. Keep its *Visibility* at public: visitors read whatever it finds.
- **MLX Model** answers under the promoted adapter. Click the button beside *Adapter* to choose another one. Keep its \
*Visibility* at public too.
- **Cited Answer** checks the sources.

`sitetwin train` makes an adapter, `sitetwin promote RUN` puts it to use. Visitors talk to the flow that \
*langflow.flow* in sitetwin.toml names.
"""

_TEACH_NOTE = """\
### From notes to training pairs

For you alone: no visitor reaches this flow. It shows what a teacher makes of your notes, so that you can tune its prompt.

1. Click the run button ▷ of **Pair Filter**, then the icon beside *Reviewed*: every pair, and what the filter says of it.
2. Change the *Prompt* of **Teacher**, and run again. *Model* › *Refresh list* shows what Ollama has; *extractive* asks \
no model and reads no prompt.
3. **Notes to Chunks** takes the first few chunks; name a *Folder* to try others.

A prompt that is good goes into sitetwin.toml as *teacher.prompt*; *sitetwin dataset build* then makes the data set of \
all notes.
"""


def build_rag_chat(registry: Registry) -> Flow:
    """The flow `rag_chat`: Chat Input, retriever, model, cited answer, Chat Output.

    Raises:
        ValueError: the registry lacks a component, or two components no longer fit together.
    """
    description = "Answers a visitor's question from your notes and names the sources."
    flow = _flow(RAG_CHAT_ID, "rag_chat", description, "MessageSquareQuote")
    _add_chat(flow, registry, _CHAT_NOTE, retriever=True)
    return flow


def build_lora_chat(registry: Registry) -> Flow:
    """The flow `lora_chat`: as `rag_chat`, with the promoted adapter and without a retriever.

    Raises:
        ValueError: as for `build_rag_chat`.
    """
    description = "Answers in the voice of your adapter, without looking anything up."
    flow = _flow(LORA_CHAT_ID, "lora_chat", description, "AudioLines")
    _add_chat(flow, registry, _LORA_NOTE, retriever=False)
    _set(flow, "MLXModelComponent-m3dl0", "adapter", "promoted")
    return flow


def build_hybrid_chat(registry: Registry) -> Flow:
    """The flow `hybrid_chat`: as `rag_chat`, with the promoted adapter.

    Raises:
        ValueError: as for `build_rag_chat`.
    """
    description = "Answers in the voice of your adapter, from your notes, and names the sources."
    flow = _flow(HYBRID_CHAT_ID, "hybrid_chat", description, "BookUser")
    _add_chat(flow, registry, _HYBRID_NOTE, retriever=True)
    _set(flow, "MLXModelComponent-m3dl0", "adapter", "promoted")
    return flow


def _add_chat(flow: Flow, registry: Registry, note: str, *, retriever: bool) -> None:
    _add(flow, registry, "ChatInput", "ChatInput-q1vst", x=0, y=320)
    if retriever:
        _add(flow, registry, RETRIEVER, "RetrieverComponent-n2tes", x=440, y=-140)
    _add(flow, registry, MODEL, "MLXModelComponent-m3dl0", x=440, y=520)
    _add(flow, registry, CITED_ANSWER, "CitedAnswerComponent-c4ite", x=900, y=200)
    _add(flow, registry, "ChatOutput", "ChatOutput-a5nsw", x=1360, y=320)
    if retriever:
        _connect(flow, "ChatInput-q1vst", "message", "RetrieverComponent-n2tes", "question")
    _connect(flow, "ChatInput-q1vst", "message", "CitedAnswerComponent-c4ite", "question")
    if retriever:
        _connect(flow, "RetrieverComponent-n2tes", "passages", "CitedAnswerComponent-c4ite", "passages")
    _connect(flow, "MLXModelComponent-m3dl0", "model_output", "CitedAnswerComponent-c4ite", "model")
    _connect(flow, "CitedAnswerComponent-c4ite", "answer", "ChatOutput-a5nsw", "input_value")
    _add_note(flow, "note-w6hat", note, x=-460, y=40)


def build_teach(registry: Registry) -> Flow:
    """The flow `teach`, in which the owner tries a teacher: chunks, teacher, filter.

    Raises:
        ValueError: as for `build_rag_chat`.
    """
    description = "From a folder of notes to pairs of question and answer, reviewed by the filter."
    flow = _flow(TEACH_ID, "teach", description, "GraduationCap")
    _add(flow, registry, NOTE_CHUNKS, "NoteChunksComponent-n7ote", x=0, y=80)
    _add(flow, registry, TEACHER, "TeacherComponent-t4ach", x=440, y=0)
    _add(flow, registry, PAIR_FILTER, "PairFilterComponent-f9ilt", x=900, y=80)
    _connect(flow, "NoteChunksComponent-n7ote", "chunks", "TeacherComponent-t4ach", "chunks")
    _connect(flow, "TeacherComponent-t4ach", "pairs", "PairFilterComponent-f9ilt", "pairs")
    _add_note(flow, "note-h5elp", _TEACH_NOTE, x=-460, y=0)
    return flow


def build_all(registry: Registry) -> dict[str, Flow]:
    """All flows of this folder by endpoint name."""
    builders = (build_rag_chat, build_lora_chat, build_hybrid_chat, build_teach)
    return {flow["endpoint_name"]: flow for flow in (build(registry) for build in builders)}


def to_text(flow: Flow) -> str:
    """A flow as the text of its file: sorted, without secrets and without fields that change at each save."""
    from langflow_sdk.serialization import flow_to_json, normalize_flow

    return str(flow_to_json(normalize_flow(flow)))


def _flow(flow_id: str, name: str, description: str, icon: str) -> Flow:
    return {
        "id": flow_id,
        "name": name,
        "endpoint_name": name,
        "description": description,
        "icon": icon,
        "is_component": False,
        "data": {"nodes": [], "edges": [], "viewport": {"x": 40.0, "y": 120.0, "zoom": 0.75}},
    }


def _set(flow: Flow, node_id: str, field: str, value: str) -> None:
    (node,) = [node for node in flow["data"]["nodes"] if node["id"] == node_id]
    node["data"]["node"]["template"][field]["value"] = value


def _add(flow: Flow, registry: Registry, kind: str, node_id: str, *, x: float, y: float) -> None:
    from lfx.graph.flow_builder.component import add_component

    if kind not in registry:
        raise ValueError(f"Langflow does not know the component {kind}: reinstall sitetwin[langflow], then build again")
    template = copy.deepcopy(registry[kind])
    # The versions of the installed packages are not part of a flow.
    template.get("metadata", {}).pop("dependencies", None)
    add_component(flow, kind, {kind: template}, component_id=node_id)
    flow["data"]["nodes"][-1]["position"] = {"x": x, "y": y}


def _connect(flow: Flow, source: str, output: str, target: str, field: str) -> None:
    from lfx.graph.flow_builder.connect import add_connection

    add_connection(flow, source, output, target, field)


def _add_note(flow: Flow, node_id: str, text: str, *, x: float, y: float) -> None:
    size = {"width": 400, "height": 580}
    flow["data"]["nodes"].append(
        {
            "id": node_id,
            "type": "noteNode",
            "position": {"x": x, "y": y},
            **size,
            "style": size,
            "measured": size,
            "data": {
                "id": node_id,
                "type": "note",
                "node": {
                    "description": text,
                    "display_name": "",
                    "documentation": "",
                    "template": {"backgroundColor": "neutral"},
                },
            },
        }
    )
