"""The flows of this folder, built from the components' current templates."""

from flows import canvas
from flows.drawing import add, add_note, connect, connect_tool, new_flow, set_value
from flows.files import Flow
from flows.registry import Registry
from pipeline.chat.prompt import RULE, TUNED_RULE

RETRIEVER = "ext:site_twin:RetrieverComponent@official"
MODEL = "ext:site_twin:MLXModelComponent@official"
CITED_ANSWER = "ext:site_twin:CitedAnswerComponent@official"

NOTE_CHUNKS = "ext:site_twin:NoteChunksComponent@official"
TEACHER = "ext:site_twin:TeacherComponent@official"
PAIR_FILTER = "ext:site_twin:PairFilterComponent@official"
COMPARE = "ext:site_twin:CompareComponent@official"
SYNC_NOTES = "ext:site_twin:SyncNotesComponent@official"
ADAPTER_TRAINING = "ext:site_twin:AdapterTrainingComponent@official"
NAME_SOURCES = "ext:site_twin:NameSourcesComponent@official"
ASK_NOTES = "ext:site_twin:AskNotesComponent@official"

RAG_CHAT_ID = "6f1d2c8e-7b54-4c1f-9a3e-2d5b8c7e4f10"
LORA_CHAT_ID = "0d9c5a71-3e48-4b6a-8f27-c15e90b4a6d3"
HYBRID_CHAT_ID = "e2b87f04-95ac-4d13-b6e8-47a1c03f5d92"
TEACH_ID = "b3a0c7d4-91e6-4f2b-8c5d-7e1f60a2d938"
COMPARE_ID = "5c2e91fb-0a64-4e7d-b1c9-38d7f2e6a045"
RETRAIN_ID = "9ad4370e-6f18-4b53-8e02-c7b5914d2f6a"
AGENT_ID = "47e8b02d-c5f9-4a31-9d76-1b80e3fc6a52"
"""The ids are fixed, so that a rebuilt flow stays the same flow. They are UUIDs of version 4: Langflow refuses others."""


def build_rag_chat(registry: Registry) -> Flow:
    """The flow `rag_chat`: Chat Input, retriever, model, cited answer, Chat Output.

    Raises:
        ValueError: the registry lacks a component, or two components no longer fit together.
    """
    description = "Answers a visitor's question from your notes and names the sources."
    flow = new_flow(RAG_CHAT_ID, "rag_chat", description, "MessageSquareQuote")
    _add_chat(flow, registry, canvas.CHAT, retriever=True)
    set_value(flow, "CitedAnswerComponent-c4ite", "rule", RULE)
    return flow


def build_lora_chat(registry: Registry) -> Flow:
    """The flow `lora_chat`: as `rag_chat`, with the promoted adapter and without a retriever.

    Raises:
        ValueError: as for `build_rag_chat`.
    """
    description = "Answers in the voice of your adapter, without looking anything up."
    flow = new_flow(LORA_CHAT_ID, "lora_chat", description, "AudioLines")
    _add_chat(flow, registry, canvas.LORA, retriever=False)
    set_value(flow, "MLXModelComponent-m3dl0", "adapter", "promoted")
    return flow


def build_hybrid_chat(registry: Registry) -> Flow:
    """The flow `hybrid_chat`: as `rag_chat`, with the promoted adapter.

    Raises:
        ValueError: as for `build_rag_chat`.
    """
    description = "Answers in the voice of your adapter, from your notes, and names the sources."
    flow = new_flow(HYBRID_CHAT_ID, "hybrid_chat", description, "BookUser")
    _add_chat(flow, registry, canvas.HYBRID, retriever=True)
    set_value(flow, "CitedAnswerComponent-c4ite", "rule", TUNED_RULE)
    set_value(flow, "MLXModelComponent-m3dl0", "adapter", "promoted")
    return flow


def _add_chat(flow: Flow, registry: Registry, note: str, *, retriever: bool) -> None:
    add(flow, registry, "ChatInput", "ChatInput-q1vst", x=0, y=320)
    if retriever:
        add(flow, registry, RETRIEVER, "RetrieverComponent-n2tes", x=440, y=-140)
    add(flow, registry, MODEL, "MLXModelComponent-m3dl0", x=440, y=520)
    add(flow, registry, CITED_ANSWER, "CitedAnswerComponent-c4ite", x=900, y=200)
    add(flow, registry, "ChatOutput", "ChatOutput-a5nsw", x=1360, y=320)
    if retriever:
        connect(flow, "ChatInput-q1vst", "message", "RetrieverComponent-n2tes", "question")
    connect(flow, "ChatInput-q1vst", "message", "CitedAnswerComponent-c4ite", "question")
    if retriever:
        connect(flow, "RetrieverComponent-n2tes", "passages", "CitedAnswerComponent-c4ite", "passages")
    connect(flow, "MLXModelComponent-m3dl0", "model_output", "CitedAnswerComponent-c4ite", "model")
    connect(flow, "CitedAnswerComponent-c4ite", "answer", "ChatOutput-a5nsw", "input_value")
    add_note(flow, "note-w6hat", note, x=-460, y=40)


def build_teach(registry: Registry) -> Flow:
    """The flow `teach`, in which the owner tries a teacher: chunks, teacher, filter.

    Raises:
        ValueError: as for `build_rag_chat`.
    """
    description = "From a folder of notes to pairs of question and answer, reviewed by the filter."
    flow = new_flow(TEACH_ID, "teach", description, "GraduationCap")
    add(flow, registry, NOTE_CHUNKS, "NoteChunksComponent-n7ote", x=0, y=80)
    add(flow, registry, TEACHER, "TeacherComponent-t4ach", x=440, y=0)
    add(flow, registry, PAIR_FILTER, "PairFilterComponent-f9ilt", x=900, y=80)
    connect(flow, "NoteChunksComponent-n7ote", "chunks", "TeacherComponent-t4ach", "chunks")
    connect(flow, "TeacherComponent-t4ach", "pairs", "PairFilterComponent-f9ilt", "pairs")
    add_note(flow, "note-h5elp", canvas.TEACH, x=-460, y=0)
    return flow


def build_compare(registry: Registry) -> Flow:
    """The flow `compare`, in which the owner asks several systems one question.

    Raises:
        ValueError: as for `build_rag_chat`.
    """
    description = "Asks several systems one question and shows their answers side by side."
    flow = new_flow(COMPARE_ID, "compare", description, "Columns3")
    add(flow, registry, "ChatInput", "ChatInput-q1vst", x=0, y=160)
    add(flow, registry, COMPARE, "CompareComponent-c6mpr", x=440, y=80)
    add(flow, registry, "ChatOutput", "ChatOutput-a5nsw", x=900, y=160)
    connect(flow, "ChatInput-q1vst", "message", "CompareComponent-c6mpr", "question")
    connect(flow, "CompareComponent-c6mpr", "answers", "ChatOutput-a5nsw", "input_value")
    add_note(flow, "note-h5elp", canvas.COMPARE, x=-460, y=0)
    return flow


def build_retrain(registry: Registry) -> Flow:
    """The flow `retrain`, in which the owner retrains the adapter.

    Raises:
        ValueError: as for `build_rag_chat`.
    """
    description = "Reads what is new in the notes, retrains the adapter, and promotes it if it answers no worse."
    flow = new_flow(RETRAIN_ID, "retrain", description, "Dumbbell")
    add(flow, registry, SYNC_NOTES, "SyncNotesComponent-s1ync", x=0, y=160)
    add(flow, registry, ADAPTER_TRAINING, "AdapterTrainingComponent-t8ain", x=440, y=80)
    add(flow, registry, "ChatOutput", "ChatOutput-a5nsw", x=900, y=160)
    connect(flow, "SyncNotesComponent-s1ync", "files", "AdapterTrainingComponent-t8ain", "after")
    connect(flow, "AdapterTrainingComponent-t8ain", "report", "ChatOutput-a5nsw", "input_value")
    add_note(flow, "note-h5elp", canvas.RETRAIN, x=-460, y=0)
    return flow


def build_agent(registry: Registry) -> Flow:
    """The flow `agent`: an agent with searching and asking the notes as tools.

    Raises:
        ValueError: as for `build_rag_chat`.
    """
    description = "An agent that searches your notes and asks them, and names its sources."
    flow = new_flow(AGENT_ID, "agent", description, "Bot")
    add(flow, registry, "ChatInput", "ChatInput-q1vst", x=0, y=440)
    add(flow, registry, RETRIEVER, "RetrieverComponent-n2tes", x=440, y=-260)
    add(flow, registry, ASK_NOTES, "AskNotesComponent-k3now", x=440, y=160)
    add(flow, registry, MODEL, "MLXModelComponent-m3dl0", x=440, y=720)
    add(flow, registry, "Agent", "Agent-g7ent", x=900, y=200)
    # So low that its question's edge runs below the agent.
    add(flow, registry, NAME_SOURCES, "NameSourcesComponent-s0urc", x=1360, y=640)
    add(flow, registry, "ChatOutput", "ChatOutput-a5nsw", x=1820, y=660)
    for tool in ("RetrieverComponent-n2tes", "AskNotesComponent-k3now"):
        connect_tool(flow, tool, "Agent-g7ent", "tools")
    connect(flow, "MLXModelComponent-m3dl0", "model_output", "Agent-g7ent", "model")
    connect(flow, "ChatInput-q1vst", "message", "Agent-g7ent", "input_value")
    connect(flow, "ChatInput-q1vst", "message", "NameSourcesComponent-s0urc", "question")
    connect(flow, "Agent-g7ent", "response", "NameSourcesComponent-s0urc", "reply")
    connect(flow, "NameSourcesComponent-s0urc", "answer", "ChatOutput-a5nsw", "input_value")
    set_value(flow, "MLXModelComponent-m3dl0", "searches_first", True)
    set_value(flow, "Agent-g7ent", "system_prompt", canvas.AGENT_INSTRUCTIONS)
    for other in ("add_current_date_tool", "add_calculator_tool"):
        set_value(flow, "Agent-g7ent", other, False)
    add_note(flow, "note-h5elp", canvas.AGENT, x=-460, y=0)
    return flow


def build_all(registry: Registry) -> dict[str, Flow]:
    """All flows of this folder by endpoint name."""
    builders = (
        build_rag_chat, build_lora_chat, build_hybrid_chat, build_teach, build_compare, build_retrain, build_agent,
    )  # fmt: skip
    return {flow["endpoint_name"]: flow for flow in (build(registry) for build in builders)}
