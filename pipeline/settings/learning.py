"""The tables of sitetwin.toml that say what an adapter learns from, and how adapters and systems are judged."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from pipeline import parts
from pipeline.settings.sections import Mode, Retrieval, SettingsSection, Visibility

PairKind = Literal["fact", "how-to", "synthesis", "voice", "refusal"]
FilterStage = Annotated[str, AfterValidator(parts.FILTER_STAGES.known)]
VoiceFormat = Literal["auto", "mastodon", "twitter", "newsletter", "mbox", "whatsapp", "telegram"]
NEEDS_AUTHOR: tuple[VoiceFormat, ...] = ("mbox", "whatsapp", "telegram")
"""Exports in which several people speak."""


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
        description="folders of Markdown by other people, the floor of the voice measures; none: in English the READMEs of "
        "the installed packages, otherwise the base model's answers",
    )


class RetrainSettings(SettingsSection):
    """What a retraining must not make worse."""

    not_worse: list[str] = Field(
        default_factory=lambda: ["accuracy", "completeness", "reference", "refusal_recall"],
        min_length=1,
        description="the measures of `sitetwin eval` in which a new adapter must not be worse to be promoted",
    )
