"""What both teachers on the canvas do: write pairs, or lend their model."""

import asyncio
from typing import get_args

from lfx.custom.custom_component.component import Component
from lfx.io import DataFrameInput, FloatInput, IntInput, MultilineInput, MultiselectInput, StrInput
from lfx.schema.dataframe import DataFrame

from components.chat_model import EngineChatModel
from components.pairs import chunks_from, pairs_to_table
from pipeline.dataset.teachers.prompts import TEACHER
from pipeline.dataset.trial import write
from pipeline.servers.ollama_chat import OllamaChat, list_models
from pipeline.servers.ollama_client import OllamaClient
from pipeline.settings import PairKind, Settings, ollama_openai_url
from pipeline.site import Site

AS_IN_SETTINGS = "as in sitetwin.toml"
OLLAMA = "ollama:"


def chunks_input() -> DataFrameInput:
    """Chunks."""
    return DataFrameInput(
        name="chunks",
        display_name="Chunks",
        info="From Notes to Chunks, or any table with a column `text`. The Language Model output needs none.",
    )


def base_url_input(*, advanced: bool) -> StrInput:
    """Base URL."""
    return StrInput(
        name="base_url",
        display_name="Base URL",
        info="Of Ollama; empty: as in sitetwin.toml, OLLAMA_HOST, or http://127.0.0.1:11434.",
        advanced=advanced,
    )


def prompt_input(more: str = "") -> MultilineInput:
    """Prompt; `more` is added to what is said of it."""
    return MultilineInput(
        name="prompt",
        display_name="Prompt",
        info="Who the teacher is and what rules it keeps; empty: as in sitetwin.toml. Keep a good one there, as "
        f"teacher.prompt.{more}",
        value=TEACHER,
    )


def kinds_input(*, advanced: bool) -> MultiselectInput:
    """Kinds."""
    return MultiselectInput(
        name="kinds",
        display_name="Kinds",
        info="Of pairs; none chosen: as in sitetwin.toml.",
        options=list(get_args(PairKind)),
        value=[],
        advanced=advanced,
    )


def pairs_per_chunk_input() -> IntInput:
    """Pairs per Chunk."""
    return IntInput(
        name="pairs_per_chunk",
        display_name="Pairs per Chunk",
        info="0: as in sitetwin.toml. Questions over several chunks and unanswerable ones come on top.",
        value=3,
    )


def model_inputs() -> list[FloatInput | IntInput]:
    """Temperature and Max Tokens of the Language Model output."""
    return [
        FloatInput(
            name="temperature",
            display_name="Temperature",
            info="Of the Language Model output only: pairs are asked for at a fixed one.",
            value=0.0,
            advanced=True,
        ),
        IntInput(
            name="max_tokens",
            display_name="Max Tokens",
            info="Of the Language Model output only: its longest answer.",
            value=1000,
            advanced=True,
        ),
    ]


def overridden(settings: Settings, node: Component, model: str | None) -> Settings:
    """The settings of sitetwin.toml, overridden by a teacher's fields and its model; an empty one changes nothing."""
    model = model if model and model != AS_IN_SETTINGS else settings.teacher.model
    teacher = {"model": model}
    if model.startswith(OLLAMA):
        teacher["url"] = ollama_url(settings, node.base_url)
        if teacher["url"] != settings.teacher.url:
            teacher["api_key"] = ""  # a key is sent only to its own server
    if node.prompt.strip():
        teacher["prompt"] = node.prompt
    dataset: dict[str, object] = {"kinds": node.kinds} if node.kinds else {}
    if node.pairs_per_chunk:
        dataset["pairs_per_chunk"] = node.pairs_per_chunk
    return settings.model_copy(
        update={
            "teacher": settings.teacher.model_copy(update=teacher),
            "dataset": settings.dataset.model_copy(update=dataset),
        }
    )


def ollama_url(settings: Settings, named: str | None) -> str:
    """Ollama's address: `named`, or else the settings' `teacher.url` if that belongs to Ollama."""
    return (named or "").strip() or (settings.teacher.url if settings.teacher.model.startswith(OLLAMA) else "")


async def ollama_models(settings: Settings, named: str | None) -> list[str]:
    """The models that the Ollama at this address has.

    Raises:
        ModelError: no Ollama answers there.
    """
    return await asyncio.to_thread(list_models, ollama_url(settings, named))


async def write_pairs(component: Component, settings: Settings, chunks: object) -> DataFrame:
    """A table with one row per pair that the settings' teacher writes from `chunks`.

    Raises:
        ValueError: the table has no chunks.
        SitetwinError: the teacher wrote no pair, or can't be reached.
    """
    sources = chunks_from(chunks)
    teacher = await asyncio.to_thread(Site(settings).teacher)
    component.log(f"{teacher.name} reads {len(sources)} chunks")
    written = await write(sources, teacher, settings)
    component.log(f"{len(written.candidates)} pairs by {teacher.name}, {written.asked} requests")
    for problem in written.unreadable:
        component.log(f"left out: {problem}")
    table = pairs_to_table(written.candidates)
    component.status = table
    return table


def ollama_chat_model(settings: Settings, *, max_tokens: int, temperature: float) -> EngineChatModel:
    """The settings' teacher, a model of Ollama, as LangChain's chat model.

    Raises:
        ModelError: no Ollama answers, or it lacks the model.
    """
    teacher = settings.teacher
    model = OllamaChat(teacher.model.removeprefix(OLLAMA), teacher.url, teacher.api_key)
    _ = model.name  # asks the server whether it has the model
    client = OllamaClient(
        ollama_openai_url(teacher.url),
        model.model,
        api_key=teacher.api_key,
        timeout=teacher.timeout_seconds,
        think=settings.models.think,
    )
    return EngineChatModel(client=client, max_tokens=max_tokens, temperature=temperature)
