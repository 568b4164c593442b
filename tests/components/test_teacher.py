"""Notes to Chunks, Teacher and Pair Filter built as Langflow builds them; the teacher asks no model, or a real Ollama."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from lfx.schema.dataframe import DataFrame

from components.sitetwin.note_chunks import NoteChunksComponent
from components.sitetwin.pair_review import PairFilterComponent
from components.sitetwin.teacher import TeacherComponent
from components.teaching import AS_IN_SETTINGS
from pipeline.errors import ModelError, SitetwinError
from pipeline.processes.endpoint import free_port
from tests.ollama_server import MODEL

CONFIG = """\
[[content]]
path = "notes"
visibility = "public"

[dataset]
kinds = ["fact", "voice"]
"""
BREAD = (
    "# Baking bread\n\n## First rise\n\nI let the dough rise for two hours at 24 degrees. A warmer place makes the bread "
    "taste of nothing. Rye needs three hours, and I never hurry it.\n\n## Oven\n\nI bake the loaf for 35 minutes at 240 "
    "degrees. Steam in the first ten minutes gives the crust its gloss. I bought the Rofco B20 in 2021, because my old oven "
    "lost its heat. The Rofco B20 holds six loaves at once.\n"
)
DIARY = "---\nprivate: true\n---\n# Diary\n\n" + "The spare key is under the blue flower pot, beside the old gate. " * 4


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "bread.md").write_text(BREAD, encoding="utf-8")
    (tmp_path / "notes" / "diary.md").write_text(DIARY, encoding="utf-8")
    (tmp_path / "sitetwin.toml").write_text(CONFIG, encoding="utf-8")
    monkeypatch.setenv("SITETWIN_CONFIG", str(tmp_path / "sitetwin.toml"))
    return tmp_path


def chunks(**inputs: Any) -> DataFrame:
    return asyncio.run(NoteChunksComponent(**inputs).chunks())


def pairs(**inputs: Any) -> DataFrame:
    return asyncio.run(TeacherComponent(chunks=chunks(), **inputs).write_pairs())


def refreshed(url: str) -> list[str]:
    """The choices after a click on Refresh list below Model."""
    config = {"model": {"options": [], "value": AS_IN_SETTINGS}, "base_url": {"value": url}}
    asyncio.run(TeacherComponent().update_build_config(config, AS_IN_SETTINGS, "model"))
    return list(config["model"]["options"])


@pytest.mark.parametrize("visibility", ["public", "both", ""])
def test_a_private_note_is_cut_by_the_owners_choice_only(visibility: str) -> None:
    assert set(chunks(visibility=visibility)["document"]) == {"notes/bread.md"}
    assert set(chunks(visibility="public and private")["document"]) == {"notes/bread.md", "notes/diary.md"}


def test_the_number_of_chunks_has_a_limit() -> None:
    assert list(chunks(limit=1)["heading"]) == ["First rise"]
    assert list(chunks(limit=0)["heading"]) == ["First rise", "Oven"]


def test_from_a_folder_to_a_reviewed_table_without_a_model() -> None:
    """As in sitetwin.toml, which names no teacher: the extractive one."""
    written = pairs()
    assert set(written["source"]) == {"notes/bread.md"}
    assert set(written["kind"]) <= {"fact", "voice"}
    component = PairFilterComponent(pairs=written)
    reviewed = asyncio.run(component.reviewed())
    assert set(reviewed["question"]) == set(written["question"])
    accepted, rejected = asyncio.run(component.accepted()), asyncio.run(component.rejected())
    assert len(accepted) + len(rejected) == len(reviewed)
    assert len(accepted)
    assert all(accepted["accepted"])


def test_a_choice_in_the_node_stands_above_the_settings() -> None:
    assert set(pairs(kinds=["refusal"])["kind"]) == {"refusal"}
    written = pairs()
    assert len(asyncio.run(PairFilterComponent(pairs=written, min_score=1, stages=["score"]).rejected())) == 0
    written["style"] = 9
    refused = asyncio.run(PairFilterComponent(pairs=written, min_score=10, stages=["score"]).rejected())
    assert len(refused) == len(written)
    assert all(reason.startswith("score: ") and "style 9 of 10" in reason for reason in refused["reason"])


def test_a_judge_that_no_model_can_be_is_told() -> None:
    with pytest.raises(ValueError, match=r"no model judges: set teacher\.judge"):
        asyncio.run(PairFilterComponent(pairs=pairs(), judge=True).reviewed())


def test_a_folder_without_text_is_an_error_that_names_it() -> None:
    with pytest.raises(SitetwinError, match="drafts"):
        chunks(folder="drafts")


def test_the_extractive_teacher_is_no_language_model() -> None:
    with pytest.raises(ValueError, match="extractive is not a model of Ollama: choose one under Model"):
        TeacherComponent().build_model()


def test_without_a_server_refresh_list_says_what_to_do() -> None:
    with pytest.raises(ModelError, match=r"no Ollama answers at http://127.0.0.1:\d+: run `ollama serve`"):
        refreshed(f"http://127.0.0.1:{free_port()}")


def test_an_engines_address_is_not_ollamas(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (site / "sitetwin.toml").write_text(
        f'{CONFIG}[teacher]\nmodel = "openai:big"\nurl = "https://api.example.org/v1"\n', encoding="utf-8"
    )
    monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{free_port()}")
    with pytest.raises(ModelError, match=r"no Ollama answers at 127.0.0.1:\d+"):
        TeacherComponent(model="ollama:gemma3:27b").build_model()


@pytest.mark.parametrize(("named", "key"), [("", "secret"), ("http://127.0.0.1:10", "")])
def test_a_key_goes_to_no_server_but_its_own(site: Path, named: str, key: str) -> None:
    (site / "sitetwin.toml").write_text(
        f'{CONFIG}[teacher]\nmodel = "ollama:big"\nurl = "http://127.0.0.1:9"\napi_key = "secret"\n', encoding="utf-8"
    )
    assert TeacherComponent(model="ollama:gemma3:27b", base_url=named)._settings().teacher.api_key == key


@pytest.mark.ollama
def test_refresh_list_shows_what_the_server_has(ollama: str) -> None:
    options = refreshed(ollama)
    assert options[:2] == [AS_IN_SETTINGS, "extractive"]
    assert f"ollama:{MODEL}:latest" in options[2:]


@pytest.mark.slow
@pytest.mark.ollama
def test_the_language_model_speaks_to_the_chosen_model(ollama: str) -> None:
    chosen = TeacherComponent(model=f"ollama:{MODEL}:latest", base_url=ollama, max_tokens=5).build_model()
    assert chosen is not None
    assert chosen.invoke("Say hello.").text


@pytest.mark.ollama
def test_a_model_that_is_missing_says_what_to_pull(ollama: str) -> None:
    with pytest.raises(ModelError, match="ollama pull gemma3:27b"):
        TeacherComponent(model="ollama:gemma3:27b", base_url=ollama).build_model()


@pytest.mark.slow
@pytest.mark.ollama
def test_a_model_of_ollama_writes_by_the_nodes_prompt(ollama: str, site: Path) -> None:
    by_model = {"model": f"ollama:{MODEL}:latest", "base_url": ollama, "kinds": ["fact"], "pairs_per_chunk": 1}
    component = TeacherComponent(chunks=chunks(limit=1), prompt="You ask like a poet.", **by_model)
    written = asyncio.run(component.write_pairs())
    assert set(written["source"]) == {"notes/bread.md"}
    (said,) = [str(log.message) for log in component._logs if "pairs by" in str(log.message)]
    assert f"ollama:{MODEL}" in said
    assert ", own " in said
