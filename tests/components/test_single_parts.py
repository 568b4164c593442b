"""A chat of single parts, and the owner's components, built as Langflow builds them on a real index and engine."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from lfx.base.models.model import LCModelComponent
from lfx.schema.data import Data
from lfx.schema.dataframe import DataFrame
from lfx.schema.message import Message

from components.audience import visit
from components.passages import from_input
from components.sitetwin.adapter_choice import AdapterChoiceComponent
from components.sitetwin.adapter_training import AdapterTrainingComponent
from components.sitetwin.ask_notes import AskNotesComponent
from components.sitetwin.compare import CompareComponent
from components.sitetwin.evaluate import EvaluateComponent
from components.sitetwin.mlx_model import MLXModelComponent
from components.sitetwin.ollama_teacher import OllamaTeacherComponent
from components.sitetwin.persona_prompt import PersonaPromptComponent
from components.sitetwin.reranker import RERANKER, RerankerComponent
from components.sitetwin.retriever import RetrieverComponent
from components.sitetwin.sync_notes import SyncNotesComponent
from pipeline.adapters import rollback
from pipeline.engine.promoting import promote
from pipeline.errors import ModelError, SettingsError, SitetwinError
from pipeline.settings import Settings, load_settings
from pipeline.site import Site
from tests.demo_adapter import make_adapter
from tests.notes_site import BREAD, FEW_NOTES, indexed_site

pytestmark = pytest.mark.slow

PERSONA = """
[persona]
name = "Ada"
prompt = "Speak drily."
"""
QUESTION = "How long does the dough rise?"
GOLDEN = (
    '{"question": "How long does the dough rise?", "kind": "fact", "fact": ["two hours"], "page": ["notes/bread.md"]}\n'
    '{"question": "Which paint is on the fence?", "kind": "unanswerable", "why": "outside"}\n'
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with indexed_site(tmp_path_factory.mktemp("parts"), FEW_NOTES, PERSONA) as settings:
        yield settings


@pytest.fixture(autouse=True)
def _configured(site: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITETWIN_CONFIG", str(site.root / "sitetwin.toml"))


def passages() -> DataFrame:
    return asyncio.run(RetrieverComponent(question=QUESTION).retrieve())


def prompt(**inputs: Any) -> Message:
    return asyncio.run(PersonaPromptComponent(question=Message(text=QUESTION), **inputs).prompt())


class OtherVendorComponent(LCModelComponent):
    """Any vendor's model of Langflow stands on this class; this one repeats what it is told."""

    display_name = "Other"
    name = "OtherVendor"
    inputs = LCModelComponent.get_base_inputs()

    def build_model(self) -> Any:
        return Repeating(responses=[""])


class Repeating(FakeListChatModel):
    def _call(self, messages: Any, *args: Any, **kwargs: Any) -> str:
        return "\n".join(f"{message.type}: {message.content}" for message in messages)


def test_any_vendor_s_model_gets_persona_passages_and_question_as_messages() -> None:
    component = OtherVendorComponent(input_value=prompt(passages=[passages()], rule="Answer in rhyme {x}."))
    said = asyncio.run(component.text_response()).text
    assert said.startswith("system: Your name is Ada. Speak drily.\nhuman: <passages>\nBaking bread > First rise\n")
    assert said.endswith(f"</passages>\n\nAnswer in rhyme {{x}}.\n\nQuestion: {QUESTION}")


def test_a_note_with_braces_is_no_template() -> None:
    note = DataFrame([{"text": "Use {{ page.title }} and {x}.", "title": "Jekyll"}])
    said = asyncio.run(OtherVendorComponent(input_value=prompt(passages=[note])).text_response()).text
    assert "Use {{ page.title }} and {x}." in said


def test_our_model_answers_a_prompt_of_parts() -> None:
    model = MLXModelComponent(input_value=prompt(passages=[passages()]), max_tokens=30, temperature=0.0)
    assert "two" in asyncio.run(model.text_response()).text.lower()


def test_a_prompt_without_passages_is_persona_and_question() -> None:
    assert prompt().text == f"Your name is Ada. Speak drily.\n\n{QUESTION}"


def test_a_prompt_without_a_question_says_what_to_connect() -> None:
    with pytest.raises(ValueError, match="connect Chat Input"):
        asyncio.run(PersonaPromptComponent(question=Message(text=" ")).prompt())


def test_the_reranker_sorts_what_several_retrievers_found() -> None:
    other = [Data(data={"text": "Paint dries in a day.", "title": "Paint"}), Data(data={"text": BREAD, "title": "B"})]
    component = RerankerComponent(question=QUESTION, passages=[other[0], passages(), other[1]], most=2)
    best = from_input(asyncio.run(component.rank()))
    assert len(best) == 2
    assert all("two hours" in one.text for one in best)
    assert best[0].score >= best[1].score


def test_a_reranker_that_is_not_there_names_the_setting() -> None:
    with pytest.raises(ModelError, match=r"set \[models\] reranker"):
        asyncio.run(RerankerComponent(question=QUESTION, passages=[passages()], model=RERANKER).rank())
    with pytest.raises(ValueError, match="connect Notes Retriever"):
        asyncio.run(RerankerComponent(question=QUESTION, passages=None).rank())


def test_ask_notes_answers_as_the_command_does() -> None:
    message = asyncio.run(AskNotesComponent(question=QUESTION).answer())
    *_, expected = Site(load_settings()).assistant.ask(QUESTION, visibility="public")
    assert message.text.startswith(expected.answer)
    assert "[Baking bread › First rise](http://127.0.0.1:8765/notes/bread#first-rise)" in message.text


def test_an_agent_reads_an_answer_with_its_sources_and_no_private_note() -> None:
    (tool,) = asyncio.run(AskNotesComponent().to_toolkit())
    assert (tool.name, list(tool.args)) == ("ask_notes", ["question"])
    assert "/notes/bread#first-rise" in asyncio.run(tool.ainvoke({"question": QUESTION}))
    assert "flower pot" not in asyncio.run(tool.ainvoke({"question": "Where is the spare key?"}))


def test_the_search_is_a_tool_under_a_name_that_says_what_it_does() -> None:
    (tool,) = asyncio.run(RetrieverComponent().to_toolkit())
    assert tool.name == "search_notes"
    assert "two hours" in asyncio.run(tool.ainvoke({"question": QUESTION}))


def test_a_sync_lists_what_changed_and_an_agent_reads_it(site: Settings) -> None:
    tea = site.root / "notes" / "tea.md"
    tea.write_text("# Tea\n\nGreen tea draws for three minutes.\n", encoding="utf-8")
    try:
        table = asyncio.run(SyncNotesComponent().sync())
        assert [(row["what"], row["document"]) for row in table.to_dict(orient="records")] == [
            ("added", "notes/tea.md")
        ]
        tea.unlink()
        (tool,) = asyncio.run(SyncNotesComponent().to_toolkit())
        assert "removed: notes/tea.md" in asyncio.run(tool.ainvoke({}))
    finally:
        tea.unlink(missing_ok=True)


def test_the_chosen_adapter_is_data_for_others(site: Settings) -> None:
    with pytest.raises(ModelError, match="sitetwin train"):
        asyncio.run(AdapterChoiceComponent().chosen_name())
    make_adapter(site, "mine")
    promote(site, "mine")
    try:
        name = asyncio.run(AdapterChoiceComponent().chosen_name())
        assert name.text == "mine"
        card = asyncio.run(AdapterChoiceComponent(adapter="mine").chosen_card())
        assert (card.data["name"], card.data["visibility"]) == ("mine", "public")
        config: dict[str, Any] = {"adapter": {"options": []}}
        assert AdapterChoiceComponent().update_build_config(config, "", "adapter")["adapter"]["options"] == [
            "promoted",
            "mine",
        ]
    finally:
        rollback(site)


def test_one_question_several_systems_a_table() -> None:
    component = CompareComponent(question=QUESTION, systems=["rag", "lora"])
    text = asyncio.run(component.resolve_output("answers")).text
    assert "### rag" in text
    assert "two hours" in text
    rows = {row["system"]: row for row in asyncio.run(component.table()).to_dict(orient="records")}
    assert "two hours" in rows["rag"]["answer"]
    assert rows["rag"]["sources"] == "notes/bread.md"
    # No adapter is promoted: the others' answers are not lost.
    assert "no adapter is promoted" in rows["lora"]["reason"]


def test_a_system_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingsError, match="there is no system 'nobody'"):
        asyncio.run(CompareComponent(question=QUESTION, systems=["nobody"]).answers())


def test_an_evaluation_gives_the_table_and_the_report(site: Settings) -> None:
    (site.root / "golden.jsonl").write_text(GOLDEN, encoding="utf-8")
    component = EvaluateComponent(systems=["base", "rag"], limit=0)
    rows = {row["measure"]: row for row in asyncio.run(component.resolve_output("figures")).to_dict("records")}
    assert any(row["rag"].startswith("100%") for row in rows.values())
    assert "# Evaluation 1" in asyncio.run(component.report()).text
    config: dict[str, Any] = {"systems": {"options": []}}
    assert "rag" in EvaluateComponent().update_build_config(config, [], "systems")["systems"]["options"]


def test_an_evaluation_without_questions_names_the_next_step() -> None:
    with pytest.raises(SitetwinError, match=r"missing\.jsonl"):
        asyncio.run(EvaluateComponent(questions="missing.jsonl").figures())


def test_a_teacher_on_ollama_without_a_model_says_what_to_click() -> None:
    with pytest.raises(ValueError, match="click Refresh list"):
        asyncio.run(OllamaTeacherComponent(chunks=DataFrame([{"text": "So."}])).write_pairs())


@pytest.mark.parametrize(
    "work",
    [
        AdapterChoiceComponent().chosen_name,
        AdapterChoiceComponent().all_runs,
        AdapterTrainingComponent().report,
        CompareComponent(question=QUESTION).answers,
        EvaluateComponent().figures,
        SyncNotesComponent().sync,
    ],
)
def test_a_visitor_starts_none_of_the_owner_s_work(work: Any, site: Settings) -> None:
    with visit(), pytest.raises(ValueError, match="for the site's owner alone"):
        asyncio.run(work())
    assert not (site.state / "retrain.json").exists()
