"""Thinking models from the command line to the answer: settings, engine, client, citations, record."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.processes import engine
from pipeline.settings import load_settings
from tests.pipeline.commands.conftest import run
from tests.scripted_model import make_scripted_model

Ask = Callable[..., dict[str, Any]]
OPENERS = {"qwen3": ("<think>",), "r1": ()}
"""R1's template opens the thought, so the model does not."""
THOUGHT = ("Hm. ", "The key is in the notes? ", "That is not in these notes. ", "Passage [2] says so.")
ANSWER = ("The key of the shed ", "lies under the mat.")
SETTINGS = """
[[content]]
path = "notes"
visibility = "public"
[retrieval]
mode = "keyword"
[engine]
threads = 1
[chat]
decline_below = 0
[models]
think = true
chat = """
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.parametrize("family", OPENERS)]


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Ask]:
    """Asks a model that says a script; gives the answer's record."""
    file = tmp_path / "sitetwin.toml"

    def asked(family: str, script: Sequence[str], *how: str) -> dict[str, Any]:
        make_scripted_model(tmp_path / "model", family, [*OPENERS[family], *script])
        file.write_text(SETTINGS + json.dumps(str(tmp_path / "model")) + "\n", encoding="utf-8")
        for name, text in {"shed": "The key of the shed lies under the mat.", "tea": "Green tea is brewed."}.items():
            (tmp_path / "notes").mkdir(exist_ok=True)
            (tmp_path / "notes" / f"{name}.md").write_text(f"# The {name}\n\n{text}\n", encoding="utf-8")
        run(tmp_path, "index")
        result = run(tmp_path, "ask", "Where is the key of the shed?", "--json", *how)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)  # type: ignore[no-any-return]

    yield asked
    service = engine.service(load_settings(file))
    if endpoint := service.find():
        service.stop(endpoint)


def test_the_thought_is_neither_shown_nor_cited_nor_a_refusal(ask: Ask, family: str) -> None:
    answer = ask(family, [*THOUGHT, "</think>", *ANSWER])
    assert answer["answer"] == f"{''.join(ANSWER)[:-1]} [1]."
    assert (answer["form"], answer["refused"], answer["why_not"]) == ("written", False, "")
    assert [citation["document"] for citation in answer["citations"]] == ["notes/shed.md"]


def test_a_thought_alone_is_answered_by_the_quotation_and_said(ask: Ask, family: str) -> None:
    answer = ask(family, [*THOUGHT, "</think>"])
    assert answer["answer"] == "> The key of the shed lies under the mat. [1]"
    assert (answer["form"], answer["refused"]) == ("quoted", False)
    assert "used all its tokens to think and gave no answer: set models.think = false" in answer["why_not"]
