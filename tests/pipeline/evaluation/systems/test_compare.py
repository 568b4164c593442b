import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.chat import Answer, Citation
from pipeline.errors import ModelError
from pipeline.evaluation.systems import OpenSystem, find_system
from pipeline.evaluation.systems.compare import Answered, Event, Failed, Piece, Waits, compare
from pipeline.settings import ContentSource, RetrievalSettings, Settings, SystemSettings
from pipeline.site import Site

LIMIT = 20
"""Seconds to wait for what must happen at once."""


class Model:
    """Says what it is told to; between two words it waits for `go` if there is one."""

    def __init__(self, says: str, go: threading.Event | None = None) -> None:
        self.says, self.go, self.closed = says, go, threading.Event()

    def generate(self, messages: list[dict[str, str]], **_: object) -> Iterator[str]:
        try:
            for word in self.says.split():
                yield f"{word} "
                assert self.go is None or self.go.wait(LIMIT)
        finally:
            self.closed.set()


class Broken:
    def generate(self, messages: list[dict[str, str]], **_: object) -> Iterator[str]:
        raise ModelError("the model is gone: start it")


@pytest.fixture
def notes(tmp_path: Path) -> Settings:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "moved.md").write_text("# Moved\n\nI moved to Utah in 2013.\n", encoding="utf-8")
    settings = Settings(
        root=tmp_path,
        content=[ContentSource(path=Path("notes"), visibility="public")],
        retrieval=RetrievalSettings(mode="keyword"),
    )
    with Site(settings).index() as index:
        index.sync()
    return settings


def opened(settings: Settings, name: str, model: Model | Broken) -> OpenSystem:
    return OpenSystem(settings, find_system(settings, name), "public", lambda adapter: model)


def last(events: list[tuple[str, Event]], name: str) -> Event:
    return [event for system, event in events if system == name][-1]


def test_each_system_s_pieces_come_in_order_and_its_answer_last(notes: Settings) -> None:
    question = "When did I move to Utah?"
    events = list(compare([opened(notes, "base", Model("In 1999.")), opened(notes, "rag", Model("unused"))], question))
    for name, said in (("base", "In 1999."), ("rag", "I moved to Utah in 2013.")):
        own = [event for system, event in events if system == name]
        assert said in "".join(event.text for event in own if isinstance(event, Piece))
        assert isinstance(own[-1], Answered)
        assert said in own[-1].answer.answer
    base, rag = last(events, "base"), last(events, "rag")
    assert isinstance(base, Answered)
    assert isinstance(rag, Answered)
    assert (base.passages, base.decline_below, base.written) == ([], None, 3)
    assert [passage.document for passage in rag.passages] == ["notes/moved.md"]
    assert rag.decline_below


def test_one_is_heard_while_another_still_thinks(notes: Settings) -> None:
    go = threading.Event()
    slow, quick = opened(notes, "persona", Model("one two", go)), opened(notes, "base", Model("done"))
    seen = []
    for name, event in compare([slow, quick], "Who?"):
        seen.append((name, type(event)))
        if (name, type(event)) == ("base", Answered):
            assert ("persona", Answered) not in seen
            go.set()
    assert seen[-1] == ("persona", Answered)


def test_a_refusal_says_why(notes: Settings) -> None:
    question = "How deep is the Mariana Trench?"
    answers = [opened(notes, "base", Model("I'm sorry, I don't know.")), opened(notes, "rag", Model("unused"))]
    events = list(compare(answers, question))
    base, rag = last(events, "base"), last(events, "rag")
    assert isinstance(base, Answered)
    assert isinstance(rag, Answered)
    assert base.answer.refused
    assert rag.answer.refused
    assert base.reason == "The model says so itself: no passages were looked up."
    assert rag.reason == "Nothing in the notes is about this question."


def test_weak_passages_are_a_reason_with_its_figures(notes: Settings) -> None:
    events = list(compare([opened(notes, "rag", Model("unused"))], "Which car did I drive when I moved to Ohio?"))
    rag = last(events, "rag")
    assert isinstance(rag, Answered)
    assert rag.answer.refused
    assert f"{rag.answer.answerability:.0%}" in rag.reason
    assert f"below {rag.decline_below:.0%}" in rag.reason


def test_a_system_that_fails_leaves_the_others_alone(notes: Settings) -> None:
    events = list(compare([opened(notes, "persona", Broken()), opened(notes, "base", Model("fine"))], "Who?"))
    assert last(events, "persona") == Failed(text="the model is gone: start it")
    assert isinstance(last(events, "base"), Answered)


def test_a_fault_of_ours_is_raised_where_it_is_read(notes: Settings) -> None:
    class Faulty:
        def generate(self, messages: list[dict[str, str]], **_: object) -> Iterator[str]:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(compare([opened(notes, "base", Faulty())], "Who?"))  # type: ignore[arg-type]


def test_whoever_stops_reading_ends_the_answers(notes: Settings) -> None:
    model = Model("one two three")
    events = compare([opened(notes, "base", model)], "Who?")
    assert isinstance(next(events)[1], Piece)
    events.close()
    assert model.closed.wait(LIMIT)
    for thread in threading.enumerate():
        if thread.name.startswith("compare"):
            thread.join(LIMIT)
            assert not thread.is_alive()


def test_whoever_is_over_does_not_wait_for_a_model_that_says_nothing_yet(notes: Settings) -> None:
    model, is_over, asked, loaded = Model("one two"), threading.Event(), threading.Event(), threading.Event()

    def connect(adapter: str | None) -> Model:
        asked.set()
        assert loaded.wait(LIMIT)
        return model

    events = compare([OpenSystem(notes, find_system(notes, "base"), connect=connect)], "Who?", is_over)
    with ThreadPoolExecutor(1) as pool:
        heard = pool.submit(list, events)
        assert asked.wait(LIMIT)
        is_over.set()
        assert heard.result(LIMIT) == []
    assert not model.closed.is_set()
    loaded.set()
    assert model.closed.wait(LIMIT)


def test_a_model_that_must_be_loaded_is_announced(notes: Settings) -> None:
    cold = OpenSystem(notes.with_chat_model("none.gguf", "", ""), find_system(notes, "base"))
    events = list(compare([cold], "Who?"))
    assert events[0] == ("base", Waits(text="the model none.gguf is loaded"))
    assert isinstance(events[-1][1], Failed)


def test_a_flow_that_cites_private_notes_is_not_heard_by_visitors(
    notes: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(settings: Settings, flow: str, question: str) -> Iterator[str | Answer]:
        citation = Citation(n=1, document="d.md", title="", url="", heading="", quote="rye", visibility="private")
        yield Answer(question=question, mode="rag", answer="rye", citations=[citation], refused=False, model="m")

    monkeypatch.setattr("pipeline.evaluation.systems.asking.FLOW_ASKERS.find", lambda kind: ask)
    notes.evaluation.systems["flow"] = SystemSettings(flow="mine")
    told = {}
    for visibility in ("public", None):
        system = OpenSystem(notes, find_system(notes, "flow"), visibility)  # type: ignore[arg-type]
        told[visibility] = list(compare([system], "Who?"))[-1][1]
    assert isinstance(told["public"], Failed)
    assert "cited private notes" in told["public"].text
    assert isinstance(told[None], Answered)
