"""The tables of sitetwin.toml that say what is answered, by what, and to whom. Every default stands here."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pipeline import parts

Visibility = Literal["public", "private"]
Mode = Literal["base", "rag", "lora", "hybrid"]
Retrieval = Literal["hybrid", "dense", "keyword"]
Fusion = Literal["scores", "ranks"]
ContentKindName = Annotated[str, AfterValidator(parts.CONTENT_KINDS.known)]
Unsupported = Literal["mark", "drop", "quote"]
Rewriter = Literal["rules", "model"]
ChunkerName = Annotated[str, AfterValidator(parts.CHUNKERS.known)]
Think = bool | Literal["low", "medium", "high"]
FLOW_MODES: dict[str, Mode] = {"rag_chat": "rag", "lora_chat": "lora", "hybrid_chat": "hybrid"}
"""The flows that visitors may talk to, by endpoint name, and the mode in which each answers."""
Port = Annotated[int, Field(ge=0, le=65535)]


class SettingsSection(BaseModel):
    """A table of sitetwin.toml. An unknown key in it is an error."""

    model_config = ConfigDict(extra="forbid")


class SiteSettings(SettingsSection):
    """What the assistant calls itself, and what a visitor sees before the first message."""

    name: str = "sitetwin"
    description: str = ""
    questions: list[str] = Field(
        default_factory=list, description="suggested before the first message; none: made from the titles"
    )


class ContentSource(SettingsSection):
    """One folder of Markdown."""

    path: Path = Field(description="relative to sitetwin.toml, or absolute")
    kind: ContentKindName = "markdown"
    url: str = Field(
        "",
        description="pattern of a document's address: {slug}, {path}, {stem}, {title}, {categories}, {year}, {month}, {day}; empty: no link",
    )
    visibility: Visibility | None = Field(
        None,
        description="the visibility of documents that state none; none: private for obsidian and markdown, else public",
    )
    private: list[str] = Field(
        default_factory=list, description="glob patterns, relative to path, of files that are always private"
    )
    exclude: list[str] = Field(
        default_factory=list, description="glob patterns, relative to path, of files that are not read"
    )
    max_bytes: int = Field(5_000_000, gt=0, description="a larger file is reported and left out")

    @property
    def default_visibility(self) -> Visibility:
        """The visibility of documents that do not state one."""
        of_kind: Visibility = parts.CONTENT_KINDS.load(self.kind).default_visibility
        return self.visibility or of_kind


class ModelSettings(SettingsSection):
    """Which models answer, embed and rerank. `demo` names the weights that come from the package index."""

    chat: str = Field(
        "demo",
        description="demo, a hub id or a folder for MLX, or ollama:NAME; with engine.url the server's name for its model",
    )
    think: Think = Field(
        False,
        description="whether a model on a server thinks before it answers, if it can: false, true, low, medium, high",
    )
    embedder: str = Field(
        "demo",
        description="demo for English, demo-multilingual for other languages, ollama:NAME, openai:NAME, or a folder with config.json, tokenizer.json and model.safetensors in BERT's layout",
    )
    embedder_url: str = Field(
        "", description="that server's address; empty: OLLAMA_HOST or Ollama's usual address for ollama:NAME"
    )
    embedder_api_key: str = Field("", description="that server's key; better set as SITETWIN_MODELS__EMBEDDER_API_KEY")
    embedder_query_prefix: str | None = Field(
        None, description="put before each question; none: the one known for the model's name"
    )
    embedder_document_prefix: str | None = Field(
        None,
        description="put before each chunk; none: the one known for the model's name; a change needs `sitetwin index --rebuild`",
    )
    reranker: str = Field(
        "", description="a folder with a cross-encoder in the layout of cross-encoder/ms-marco-MiniLM-L6-v2"
    )


class EngineSettings(SettingsSection):
    """The model server: sitetwin's own on MLX, or any OpenAI-compatible one."""

    url: str = Field(
        "",
        description="an OpenAI-compatible server, e.g. http://127.0.0.1:8000/v1; empty: sitetwin's own engine, or for an "
        "ollama:NAME OLLAMA_HOST or Ollama's usual address",
    )
    api_key: str = Field("", description="that server's key; better set as SITETWIN_ENGINE__API_KEY")
    int8: bool = Field(
        True,
        description="whether the weights are held in 8 bits, on a Linux x86-64 CPU that multiplies bytes (VNNI); elsewhere they never are",
    )
    threads: int = Field(0, ge=0, description="CPU threads of a matrix product; 0: chosen by the number of cores")
    idle_minutes: float = Field(15, gt=0, description="an engine that nobody uses ends itself after so many minutes")
    timeout_seconds: float = Field(120, gt=0, description="the longest wait for a next token")


class IndexSettings(SettingsSection):
    """How documents are cut into chunks."""

    chunker: ChunkerName = Field(
        "structure",
        description="structure: by headings, paragraphs and blocks; fixed: by length, overlapping; semantic: by what "
        "neighbouring sentences speak of",
    )
    chunk_chars: int = Field(
        900, ge=100, le=20_000, description="the longest chunk, in characters; a code block may be longer"
    )
    chunk_overlap: int = Field(
        100, ge=0, le=10_000, description="characters that a chunk of the fixed chunker repeats of the one before"
    )


class RetrievalSettings(SettingsSection):
    """How passages are found for a question."""

    mode: Retrieval = "hybrid"
    passages: int = Field(4, ge=1, le=50, description="how many passages a question gets")
    candidates: int = Field(50, ge=1, le=1000, description="how many passages each list gives to the fusion")
    fusion: Fusion = Field("scores", description="which numbers of the two lists are added up: scores, or ranks")
    align: bool = Field(
        True,
        description="whether a search, not an answer, orders the best five passages anew by how well each word of the question is met in meaning; with the embedder demo, for English questions; with an E5 model, whether searches and answers order the best eight by their nearest sentence",
    )
    rerank: bool = Field(False, description="whether a reranker reads the best candidates and orders them anew")
    rerank_candidates: int = Field(20, ge=1, le=100, description="how many candidates the reranker reads")


class ChatSettings(SettingsSection):
    """How the assistant answers."""

    max_tokens: int = Field(400, ge=1)
    temperature: float = Field(0.0, ge=0)
    quote_first: bool | None = Field(
        None, description="answer with the best sentences of the notes, word for word; none: yes for the demo model"
    )
    decline_below: float | None = Field(
        None,
        ge=0,
        le=1,
        description="below this answerability a question is declined; none: learnt from the notes",
    )
    history_turns: int = Field(4, ge=0, description="how many earlier turns the model sees")
    rewrite: Rewriter = Field("rules", description="what makes a follow-up question stand alone")
    window: int = Field(4096, ge=512, description="tokens that the model can read, prompt and answer together")
    passages: int | None = Field(
        None,
        ge=1,
        description="how many of the passages found the model reads; none: all, and a small one the best quotations of them",
    )
    unsupported: Unsupported = Field(
        "drop", description="what becomes of a sentence with a name, number or link that no passage holds"
    )
    refusals: dict[str, str] = Field(
        default_factory=dict, description="what is said when the notes do not answer, by language code"
    )


class PersonaSettings(SettingsSection):
    """The voice in which the assistant speaks."""

    name: str = ""
    prompt: str = Field("", description="how the assistant speaks; a standing instruction before every chat")
    samples: list[str] = Field(default_factory=list, description="sentences that show the voice")

    @property
    def instruction(self) -> str:
        """The instruction that says for whom the model speaks, the same in training and in chat; "" if nothing is set."""
        name = f"Your name is {self.name}." if self.name else ""
        samples = " ".join(f"“{sample}”" for sample in self.samples)
        examples = f"Examples of how you write: {samples}" if samples else ""
        return " ".join(filter(None, (name, self.prompt, examples)))


class LangflowSettings(SettingsSection):
    """Langflow's editor, and the flow that answers visitors."""

    enabled: bool = True
    port: Port = 7860
    flow: str = Field(
        "rag_chat", description="the flow that visitors talk to, by endpoint name; without Langflow its mode is used"
    )
    stdio_servers: bool = Field(
        False, description="whether flows may start programs on this machine as MCP servers (stdio)"
    )
    visitors_kept_days: int = Field(
        7,
        ge=1,
        description="visitors' conversations are deleted from the editor so many days after their last question",
    )


class GatewaySettings(SettingsSection):
    """The only port that visitors reach."""

    host: str = "127.0.0.1"
    port: Port = 8765
    origins: list[str] = Field(
        default_factory=list, description="sites that may embed the chat, e.g. https://example.org"
    )
    questions_per_minute: int = Field(20, ge=1, description="the most questions of one visitor")
    max_question_chars: int = Field(2000, ge=1)
    concurrent_chats: int = Field(8, ge=1)
    compare: bool = Field(
        False, description="whether visitors may compare ways to answer at /compare; the owner always may"
    )

    @property
    def own_url(self) -> str:
        """The gateway's address for a browser on this machine."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return f"http://{host}:{self.port}"
