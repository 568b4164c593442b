from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.adapters import put_to_use
from pipeline.chat import Answer
from pipeline.errors import SettingsError
from pipeline.evaluation.systems import OpenSystem, Usage, default_systems, find_system
from pipeline.evaluation.systems.wiring import answering_settings, engine_settings, index_settings
from pipeline.settings import (
    ContentSource,
    ModelSettings,
    PersonaSettings,
    RetrievalSettings,
    Settings,
    SystemSettings,
    load_settings,
)
from pipeline.site import Site
from tests.demo_adapter import make_adapter

PERSONA = PersonaSettings(name="Ada", prompt="You write short sentences.")


class Model:
    """Says what it is told to, and remembers what it read."""

    def __init__(self, says: str) -> None:
        self.says = says
        self.read: list[list[dict[str, str]]] = []

    def generate(self, messages: list[dict[str, str]], **_: object) -> Iterator[str]:
        self.read.append(messages)
        yield from (f"{word} " for word in self.says.split())


def asked(settings: Settings, name: str, model: Model, question: str = "When did I move?") -> Answer:
    opened = OpenSystem(settings, find_system(settings, name), connect=lambda adapter: model)
    *_, answer = opened.ask(question)
    assert isinstance(answer, Answer)
    return answer


@pytest.fixture
def notes(tmp_path: Path) -> Settings:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "moved.md").write_text("# Moved\n\nI moved to Utah in 2013.\n", encoding="utf-8")
    settings = Settings(
        root=tmp_path,
        content=[ContentSource(path=Path("notes"), visibility="public")],
        retrieval=RetrievalSettings(mode="keyword"),
        persona=PERSONA,
    )
    with Site(settings).index() as index:
        index.sync()
    return settings


def test_the_persona_stands_before_the_question_only_in_a_system_that_has_it(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path, persona=PERSONA)
    for name, has_persona in (("base", False), ("persona", True)):
        model = Model("In 2013.")
        asked(settings, name, model)
        assert (PERSONA.prompt in str(model.read)) is has_persona


def test_a_system_that_looks_up_quotes_and_cites(notes: Settings) -> None:
    answer = asked(notes, "rag", Model("unused"))
    assert "2013" in answer.answer
    assert [citation.document for citation in answer.citations] == ["notes/moved.md"]


def test_a_model_alone_that_does_not_know_has_refused(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path)
    assert asked(settings, "base", Model("I'm sorry. The notes do not say that.")).refused
    assert not asked(settings, "base", Model("You moved in 2013. I am sorry for the wait.")).refused


def test_what_the_model_read_and_wrote_is_counted(tmp_path: Path) -> None:
    settings, usage = Settings(root=tmp_path), Usage()
    opened = OpenSystem(settings, find_system(settings, "base"), connect=lambda adapter: Model("In 2013."))
    list(opened.ask("When did I move?", usage=usage))
    assert usage.written == 3
    assert usage.read > 30


def test_only_what_the_site_has_is_compared_by_default(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path)
    assert [system.name for system in default_systems(settings)] == ["base", "rag"]
    settings.persona = PERSONA
    make_adapter(settings, "best-1")
    put_to_use(settings, "best-1")
    settings.evaluation.systems["large"] = SystemSettings(model="large", url="http://127.0.0.1:1/v1")
    names = [system.name for system in default_systems(settings)]
    assert names == ["base", "persona", "rag", "rag+persona", "lora", "hybrid", "large"]


def test_a_run_is_named_behind_the_mode_and_an_unknown_system_gets_the_names_there_are(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path)
    found = find_system(settings, "hybrid:best-1")
    assert (found.name, found.mode, found.adapter) == ("hybrid:best-1", "hybrid", "best-1")
    with pytest.raises(
        SettingsError, match=r"no system 'rga': name one of base, persona, rag, .*\[evaluation.systems.rga\]"
    ):
        find_system(settings, "rga")


def test_another_model_and_another_embedder_are_beside_the_site_s(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path, content=[ContentSource(path=Path("notes"))], models=ModelSettings(chat="a"))
    system = find_system(settings, "rag").model_copy(update={"model": "b", "embedder": "ollama:c"})
    assert answering_settings(settings, system).root == tmp_path
    own = engine_settings(settings, system)
    assert (own.models.chat, own.root == tmp_path) == ("b", False)
    assert (own.state / "adapters").resolve() == tmp_path / ".sitetwin" / "adapters"
    index = index_settings(settings, system)
    assert (index.models.embedder, index.root == tmp_path) == ("ollama:c", False)
    assert index.source_path(index.content[0]) == tmp_path / "notes"
    same = find_system(settings, "rag")
    assert engine_settings(settings, same).root == index_settings(settings, same).root == tmp_path


def test_a_model_of_ollama_is_asked_at_its_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:11500")
    system = find_system(Settings(root=tmp_path), "base").model_copy(update={"model": "ollama:gemma3:4b"})
    answering = answering_settings(Settings(root=tmp_path), system)
    assert (answering.models.chat, answering.engine.url) == ("gemma3:4b", "http://127.0.0.1:11500/v1")
    assert answering.asks_ollama


def test_systems_stand_in_the_settings_and_a_mistyped_key_is_named(tmp_path: Path) -> None:
    file = tmp_path / "sitetwin.toml"
    file.write_text('[evaluation.systems.words]\nretrieval = "keyword"\napi_key = "secret-key"\n', encoding="utf-8")
    system = find_system(load_settings(file), "words")
    assert (system.mode, system.retrieval, system.api_key) == ("rag", "keyword", "secret-key")
    assert "secret-key" not in system.model_dump_json() + repr(system)
    file.write_text('[evaluation.systems.words]\nretreival = "keyword"\n', encoding="utf-8")
    with pytest.raises(SettingsError, match="did you mean 'retrieval'"):
        load_settings(file)


def test_a_flow_without_langflow_s_part_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.evaluation.systems.asking.FLOW_ASKERS.find", lambda kind: None)
    system = find_system(Settings(root=tmp_path), "rag").model_copy(update={"flow": "rag_chat"})
    with pytest.raises(SettingsError, match="Langflow's part is missing"):
        list(OpenSystem(Settings(root=tmp_path), system).ask("Who?"))
