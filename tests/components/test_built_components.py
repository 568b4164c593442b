"""The components built as Langflow builds them, on a real index; the chat model is the demo engine."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from lfx.schema.message import Message

from components import wire
from components.audience import PUBLIC_AND_PRIVATE, visit
from components.passages import from_input, to_table
from components.sitetwin.cited_answer import CitedAnswerComponent
from components.sitetwin.mlx_model import MLXModelComponent
from components.sitetwin.note_chunks import NoteChunksComponent
from components.sitetwin.retriever import RetrieverComponent
from pipeline.adapters import rollback
from pipeline.chat import Answer
from pipeline.engine.promoting import promote
from pipeline.errors import ModelError
from pipeline.settings import Settings
from tests.demo_adapter import make_adapter
from tests.notes_site import FEW_NOTES, indexed_site

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with indexed_site(tmp_path_factory.mktemp("components"), FEW_NOTES) as settings:
        yield settings


@pytest.fixture(autouse=True)
def _configured(site: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITETWIN_CONFIG", str(site.root / "sitetwin.toml"))


def test_the_retriever_finds_public_passages() -> None:
    table = asyncio.run(RetrieverComponent(question="How long does the dough rise?", k=1).retrieve())
    (passage,) = from_input(table)
    assert (passage.document, passage.url) == ("notes/bread.md", "/notes/bread#first-rise")


@pytest.mark.parametrize("visibility", ["public", "both", ""])
def test_a_private_note_is_found_by_the_owners_choice_only(visibility: str) -> None:
    def found(choice: str) -> list[str]:
        component = RetrieverComponent(question="Where is the spare key?", visibility=choice)
        return [passage.document for passage in from_input(asyncio.run(component.retrieve()))]

    assert "notes/diary.md" not in found(visibility)
    assert "notes/diary.md" in found("public and private")


@pytest.mark.parametrize(
    "build",
    [
        lambda: asyncio.run(RetrieverComponent(question="Where?", visibility=PUBLIC_AND_PRIVATE).retrieve()),
        lambda: MLXModelComponent(adapter="diary", visibility=PUBLIC_AND_PRIVATE).build_model(),
        lambda: asyncio.run(NoteChunksComponent(visibility=PUBLIC_AND_PRIVATE).chunks()),
    ],
)
def test_for_a_visitor_nothing_private_is_opened(build: Callable[[], object]) -> None:
    with visit(), pytest.raises(ValueError, match=r"visitors are refused: .* set its Visibility to public"):
        build()


def test_the_retriever_is_a_tool_for_an_agent() -> None:
    (tool,) = asyncio.run(RetrieverComponent().to_toolkit())
    assert list(tool.args) == ["question"]


def test_an_empty_question_says_what_to_connect() -> None:
    with pytest.raises(ValueError, match="connect Chat Input"):
        asyncio.run(RetrieverComponent(question=" ").retrieve())


def test_the_answer_rests_on_the_passages_and_carries_its_record() -> None:
    passages = asyncio.run(RetrieverComponent(question="How long does the dough rise?").retrieve())
    model = MLXModelComponent(max_tokens=20, temperature=0.0).build_model()
    question = Message(text="How long does the dough rise?")
    message = asyncio.run(CitedAnswerComponent(question=question, passages=[passages], model=model).answer())
    record = wire.unpack(message.session_metadata)
    assert isinstance(record, Answer)
    assert "two hours" in record.answer
    assert record.model == "demo"
    assert record.timings.retrieve_ms > 0
    assert str(message.text).startswith(record.answer)
    assert "[Baking bread › First rise](http://127.0.0.1:8765/notes/bread#first-rise)" in str(message.text)


def test_a_retriever_that_found_nothing_is_declined_without_the_model() -> None:
    nothing = to_table([], 1.0)
    message = asyncio.run(
        CitedAnswerComponent(question="What is the moon made of?", passages=[nothing], model=None).answer()
    )
    record = wire.unpack(message.session_metadata)
    assert isinstance(record, Answer)
    assert record.refused
    assert record.citations == []


@pytest.fixture(scope="module")
def trained(site: Settings) -> Settings:
    make_adapter(site, "mine")
    make_adapter(site, "diary", "private")
    return site


def test_an_adapter_before_any_was_promoted_names_the_next_step() -> None:
    with pytest.raises(ModelError, match="sitetwin promote RUN"):
        MLXModelComponent(adapter="promoted").build_model()


def test_the_list_of_adapters_is_refreshed(trained: Settings) -> None:
    config = {"adapter": {"options": ["base", "promoted"]}}
    refreshed = MLXModelComponent().update_build_config(config, "base", "adapter")
    assert refreshed["adapter"]["options"] == ["base", "promoted", "diary", "mine"]


@pytest.mark.parametrize("visibility", ["public", "both", ""])
def test_a_private_adapter_answers_by_the_owners_choice_only(trained: Settings, visibility: str) -> None:
    with pytest.raises(ModelError, match="name one of mine"):
        MLXModelComponent(adapter="diary", visibility=visibility).build_model()
    model = MLXModelComponent(adapter="diary", visibility="public and private").build_model()
    assert model.client.adapter == "diary"


@pytest.mark.parametrize(("grounded", "mode"), [(False, "lora"), (True, "hybrid")])
def test_the_promoted_adapter_answers(trained: Settings, grounded: bool, mode: str) -> None:
    promote(trained, "mine")
    try:
        model = MLXModelComponent(adapter="promoted", max_tokens=8).build_model()
    finally:
        rollback(trained)
    question = Message(text="How long does the dough rise?")
    passages = [asyncio.run(RetrieverComponent(question=question.text).retrieve())] if grounded else None
    message = asyncio.run(CitedAnswerComponent(question=question, passages=passages, model=model).answer())
    record = wire.unpack(message.session_metadata)
    assert isinstance(record, Answer)
    assert (record.mode, record.adapter, record.model) == (mode, "mine", "demo")
    # With this model and without an adapter the answer would be a quotation.
    assert record.answer
    assert not record.answer.startswith(">")
