"""`sitetwin.toml` and the SITETWIN_* variables. Every default stands here.

A variable takes precedence over the file. Two underscores join nested keys: `SITETWIN_ENGINE__URL` is `[engine] url`.
"""

import difflib
import fcntl
import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from pipeline import parts
from pipeline.errors import SettingsError

FILE_NAME = "sitetwin.toml"
STATE_DIRECTORY = ".sitetwin"
OLLAMA_PORT = 11434

Visibility = Literal["public", "private"]
Mode = Literal["base", "rag", "lora", "hybrid"]
Retrieval = Literal["hybrid", "dense", "keyword"]
Fusion = Literal["scores", "ranks"]
ContentKindName = Annotated[str, AfterValidator(parts.CONTENT_KINDS.known)]
Unsupported = Literal["mark", "drop", "quote"]
ChunkerName = Annotated[str, AfterValidator(parts.CHUNKERS.known)]
PairKind = Literal["fact", "how-to", "synthesis", "voice", "refusal"]
FilterStage = Annotated[str, AfterValidator(parts.FILTER_STAGES.known)]
VoiceFormat = Literal["auto", "mastodon", "twitter", "newsletter", "mbox", "whatsapp", "telegram"]
NEEDS_AUTHOR: tuple[VoiceFormat, ...] = ("mbox", "whatsapp", "telegram")
"""Exports in which several people speak."""
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


class VoiceSource(SettingsSection):
    """An export of what the owner wrote elsewhere. It teaches how the owner writes, and is never searched or cited."""

    path: Path = Field(description="a file or a folder, relative to sitetwin.toml, or absolute")
    format: VoiceFormat = Field("auto", description="auto: by each file's name and beginning")
    author: str = Field(
        "", description="the owner's name or address, as the export has it; a chat and an mbox need one"
    )
    visibility: Visibility = Field("private", description="public: may also teach an adapter that answers visitors")

    @model_validator(mode="after")
    def _names_the_author(self) -> Self:
        if self.format in NEEDS_AUTHOR and not self.author:
            raise ValueError(f"several people speak in a {self.format} export: add author = your name in it")
        return self


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
        description="whether a search, not an answer, orders the best ten passages anew by how well each word of the question is met in meaning; with the embedder demo, for English questions",
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
    window: int = Field(4096, ge=512, description="tokens that the model can read, prompt and answer together")
    passages: int | None = Field(
        None, ge=1, description="how many of the passages found the model reads; none: 2 for a small one, else all"
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


class TeacherSettings(SettingsSection):
    """Which model writes the question-answer pairs, and which one judges them."""

    model: str = Field(
        "extractive", description="extractive (no model), engine (the chat model), ollama:NAME or openai:NAME"
    )
    judge: str = Field("", description="named as model is, but not extractive; empty: the teacher's model")
    prompt: str = Field("", description="who it is and its rules, put before each text; empty: sitetwin's own words")
    url: str = Field(
        "", description="that server's address; empty: OLLAMA_HOST or Ollama's usual address for ollama:NAME"
    )
    api_key: str = Field("", description="the key for an openai:NAME; better set as SITETWIN_TEACHER__API_KEY")
    concurrency: int = Field(4, ge=1, le=64, description="requests at a time")
    timeout_seconds: float = Field(300, gt=0, description="the longest wait for one answer")


class DatasetSettings(SettingsSection):
    """What becomes a pair, what is thrown away, and how the rest is split."""

    visibility: Visibility = Field(
        "public", description="private: pairs of all notes, for an adapter that answers the owner only"
    )
    kinds: list[PairKind] = Field(["fact", "how-to", "synthesis", "voice", "refusal"], min_length=1)
    pairs_per_chunk: int = Field(
        0, ge=0, le=20, description="0: chosen by the size of the corpus, more for a small one"
    )
    min_score: int = Field(6, ge=1, le=10, description="a lower accuracy or style rejects the pair")
    stages: list[FilterStage] = Field(
        ["score", "length", "form", "language", "grounding", "relevance", "privacy", "duplicates", "judge"],
        description="the stages of the filter that are switched on; judge needs a model",
    )
    with_passages: float = Field(
        0.25, ge=0, le=1, description="share of the pairs that are also asked with passages before the question"
    )
    unanswered: float = Field(
        0.15, ge=0, le=1, description="share of the rows with passages in which no passage holds the answer"
    )
    paraphrases: float = Field(
        0.0, ge=0, le=1, description="share of the pairs that are also asked in other words, where a rule knows some"
    )
    row_passages: int = Field(3, ge=1, le=20, description="passages in a row that has some")
    held_out: float = Field(0.1, gt=0, lt=0.9, description="share of the documents that is not trained on")
    split_by: Literal["document", "pair"] = Field(
        "document", description="pair leaks, because one document may be on both sides"
    )
    seed: int = 0


class SystemSettings(SettingsSection):
    """One way to answer, to be compared with others. What is left out is as the site's own settings say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Mode = "rag"
    persona: bool = Field(True, description="whether the persona's prompt and samples stand before the question")
    model: str = Field("", description="the chat model, named as models.chat is; empty: the site's")
    url: str = Field("", description="an OpenAI-compatible server that has the model; empty: the site's engine")
    api_key: str = Field("", description="that server's key", exclude=True, repr=False)
    retrieval: Retrieval | None = None
    passages: int | None = Field(None, ge=1, le=50, description="how many passages a question gets")
    embedder: str = Field(
        "", description="named as models.embedder is; another than the site's gets an index of its own"
    )
    adapter: str = Field("", description="for lora and hybrid: the adapter of a run; empty: the promoted one")
    quote_first: bool | None = Field(None, description="as chat.quote_first")
    flow: str = Field("", description="a flow in Langflow that is asked over HTTP, by its endpoint name")


class OpenAISettings(SettingsSection):
    """OpenAI's fine-tuning as a service, for `sitetwin train --on openai`."""

    url: str = Field("https://api.openai.com/v1", description="the address of OpenAI, or of a server with its API")
    api_key: str = Field("", description="its key; better set as SITETWIN_OPENAI__API_KEY")
    model: str = Field("gpt-4.1-mini-2025-04-14", description="the model that is fine-tuned")
    price: float = Field(
        0, ge=0, description="what a million training tokens of that model cost, in dollars; 0: unknown"
    )


class EvaluationSettings(SettingsSection):
    """The golden questions, by which adapters and systems are judged, and what is compared on them."""

    questions: Path | None = Field(
        None, description="golden questions, relative to sitetwin.toml; none: golden.jsonl there, if it exists"
    )
    systems: dict[str, SystemSettings] = Field(
        default_factory=dict, description="further systems for `sitetwin eval --systems NAME`"
    )
    other_authors: list[Path] = Field(
        default_factory=list,
        description="folders of Markdown by other people, the floor of the voice measures; none: the READMEs of the "
        "installed packages",
    )


class RetrainSettings(SettingsSection):
    """What a retraining must not make worse."""

    not_worse: list[str] = Field(
        default_factory=lambda: ["accuracy", "completeness", "reference", "refusal_recall"],
        min_length=1,
        description="the measures of `sitetwin eval` in which a new adapter must not be worse to be promoted",
    )


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


class Settings(BaseSettings):
    """All settings of a site. `root` is the folder of sitetwin.toml, and relative paths start there."""

    model_config = SettingsConfigDict(env_prefix="SITETWIN_", env_nested_delimiter="__", extra="forbid")

    root: Path
    site: SiteSettings = SiteSettings()
    content: list[ContentSource] = Field(default_factory=list)
    voice: list[VoiceSource] = Field(default_factory=list)
    models: ModelSettings = ModelSettings()
    engine: EngineSettings = EngineSettings()
    index: IndexSettings = IndexSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    chat: ChatSettings = ChatSettings()
    persona: PersonaSettings = PersonaSettings()
    teacher: TeacherSettings = TeacherSettings()
    dataset: DatasetSettings = DatasetSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    openai: OpenAISettings = OpenAISettings()
    retrain: RetrainSettings = RetrainSettings()
    langflow: LangflowSettings = LangflowSettings()
    gateway: GatewaySettings = GatewaySettings()
    _file: Path | None = PrivateAttr(default=None)
    _asks_ollama: bool = PrivateAttr(default=False)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The sources of values, as pydantic-settings asks for them: environment variables first, then the file's values."""
        return env_settings, init_settings

    @model_validator(mode="after")
    def _ask_ollama(self) -> Self:
        """Turns `ollama:NAME` into a server's address and a name, so that the rest of sitetwin sees a server like any other."""
        self._resolve_ollama()
        return self

    def _resolve_ollama(self) -> None:
        kind, _, name = self.models.chat.partition(":")
        if kind == "ollama":
            self.models = self.models.model_copy(update={"chat": name})
            self.engine = self.engine.model_copy(update={"url": ollama_openai_url(self.engine.url)})
            self._asks_ollama = True

    def with_chat_model(self, model: str, url: str = "", api_key: str = "") -> Self:
        """These settings with another chat model.

        Args:
            model: named as `models.chat` is.
            url: the OpenAI-compatible server that has it; empty: sitetwin's own engine, or Ollama for an `ollama:NAME`.
            api_key: that server's key.
        """
        models = self.models.model_copy(update={"chat": model})
        server = self.engine.model_copy(update={"url": url, "api_key": api_key})
        other = self.model_copy(update={"models": models, "engine": server})
        other._asks_ollama = False
        other._resolve_ollama()
        return other

    @property
    def asks_ollama(self) -> bool:
        """Whether the chat model was named as `ollama:NAME`, so that its server is known to be Ollama."""
        return self._asks_ollama

    @property
    def file(self) -> Path:
        """The file of these settings, for processes that must have the same ones."""
        return self._file or self.root / FILE_NAME

    @property
    def state(self) -> Path:
        """The folder of everything that sitetwin itself writes for this site."""
        return self.root / STATE_DIRECTORY

    @property
    def run_directory(self) -> Path:
        """The folder in which running processes write down their addresses."""
        return self.state / "run"

    @property
    def log_directory(self) -> Path:
        """The folder of the processes' logs."""
        return self.state / "logs"

    @property
    def quotes_first(self) -> bool:
        """Whether answers are quotations: as the settings say, else only with the demo model, which is too small to be trusted."""
        if self.chat.quote_first is not None:
            return self.chat.quote_first
        return self.models.chat == "demo" and not self.engine.url

    def source_path(self, source: ContentSource | VoiceSource) -> Path:
        """The folder or file of `source`, spelled as the disk spells it.

        Raises:
            OSError, RuntimeError: its links form a loop, or it names a user who has no home.
        """
        return on_disk((self.root / source.path.expanduser()).resolve())


def _ask_mac(handle: int) -> bytes:
    return fcntl.fcntl(handle, fcntl.F_GETPATH, bytes(1024))  # type: ignore[attr-defined, unused-ignore]


_ASK = _ask_mac if hasattr(fcntl, "F_GETPATH") else None


def on_disk(path: Path, ask: Callable[[int], bytes] | None = _ASK) -> Path:
    """`path` as the system itself spells it. A Mac opens `~/notes` for `~/Notes`, but reports changes under the second name.

    Args:
        ask: asks the system for the path of an open file, ended by a zero byte; None: a path has only one spelling here.
    """
    if ask is None:
        return path
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:  # it is missing or unreadable, and its reader reports that
        return path
    try:
        return Path(os.fsdecode(ask(handle).split(b"\0")[0]))
    finally:
        os.close(handle)


def ollama_address(url: str = "") -> str:
    """The address of Ollama: `url`, else OLLAMA_HOST, else Ollama's usual address."""
    return url or os.environ.get("OLLAMA_HOST") or f"http://127.0.0.1:{OLLAMA_PORT}"


def ollama_openai_url(url: str = "") -> str:
    """The address at which that Ollama speaks OpenAI's protocol; it ends with `/v1`."""
    named = ollama_address(url).rstrip("/").removesuffix("/v1")
    if "://" not in named:  # OLLAMA_HOST may be a host alone, or a host with a port
        named = f"http://{named}"
        named = named if urlsplit(named).port else f"{named}:{OLLAMA_PORT}"
    return f"{named}/v1"


def find_settings_file(start: Path) -> Path:
    """The nearest sitetwin.toml, in `start` or a folder above it.

    Raises:
        SettingsError: there is none.
    """
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    raise SettingsError(f"no {FILE_NAME} in {start} or above it: run `sitetwin init` in your site's folder")


def load_settings(path: Path | None = None) -> Settings:
    """The settings of the file at `path`, else at SITETWIN_CONFIG, else of the nearest sitetwin.toml here or above.

    Raises:
        SettingsError: the file is missing, it is not TOML, or a key or value is unknown.
    """
    if path is None and (named := os.environ.get("SITETWIN_CONFIG")):
        path = Path(named)
    file = (path or find_settings_file(Path.cwd())).resolve()
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"{file} does not exist: run `sitetwin init` there, or name another file with --config"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is not valid TOML ({error}): mend that line") from None
    try:
        settings = Settings(root=file.parent, **values)
    except ValidationError as error:
        raise SettingsError(f"{file}: {_explain(error)}") from None
    settings._file = file
    return settings


def _explain(error: ValidationError) -> str:
    """The first problem of a settings file in one sentence, with the nearest known key."""
    problem: Any = error.errors()[0]
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] != "extra_forbidden":
        return f"{where}: {problem['msg'].removeprefix('Value error, ')}"
    fields = _fields_at(problem["loc"][:-1])
    near = difflib.get_close_matches(str(problem["loc"][-1]), fields, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known there: {', '.join(fields)}"
    return f"unknown key {where}: {hint}"


def _fields_at(location: tuple[str | int, ...]) -> list[str]:
    """The keys that the section at `location` knows; () is the file itself."""
    if not location:
        return [name for name in Settings.model_fields if name != "root"]
    if location[:2] == ("evaluation", "systems"):
        return list(SystemSettings.model_fields)
    section = Settings.model_fields[str(location[0])].annotation
    blocks: dict[str, Any] = {"content": ContentSource, "voice": VoiceSource}
    model = blocks.get(str(location[0]), section)
    assert isinstance(model, type)
    assert issubclass(model, SettingsSection)
    return list(model.model_fields)
