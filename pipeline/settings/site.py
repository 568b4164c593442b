"""All settings of a site together.

A variable takes precedence over the file. Two underscores join nested keys: `SITETWIN_ENGINE__URL` is `[engine] url`.
"""

from pathlib import Path
from typing import Self

from pydantic import Field, PrivateAttr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from pipeline.settings.learning import (
    DatasetSettings,
    EvaluationSettings,
    OpenAISettings,
    RetrainSettings,
    TeacherSettings,
    VoiceSource,
)
from pipeline.settings.ollama import ollama_openai_url
from pipeline.settings.sections import (
    ChatSettings,
    ContentSource,
    EngineSettings,
    GatewaySettings,
    IndexSettings,
    LangflowSettings,
    Mode,
    ModelSettings,
    PersonaSettings,
    RetrievalSettings,
    SiteSettings,
)
from pipeline.settings.spelling import on_disk

FILE_NAME = "sitetwin.toml"
STATE_DIRECTORY = ".sitetwin"


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

    def quotes(self, mode: Mode) -> bool:
        """Whether answers in `mode` are quotations, for which no model is asked."""
        return mode == "rag" and self.quotes_first

    def source_path(self, source: ContentSource | VoiceSource) -> Path:
        """The folder or file of `source`, spelled as the disk spells it.

        Raises:
            OSError, RuntimeError: its links form a loop, or it names a user who has no home.
        """
        return on_disk((self.root / source.path.expanduser()).resolve())
