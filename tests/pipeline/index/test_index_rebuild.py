"""A rebuild with another embedder, and what is found meanwhile."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline.embedding.embedder import load_embedder, load_former
from pipeline.errors import StaleIndexError
from pipeline.settings import ModelSettings
from pipeline.weights.demo import embedding_model
from tests.pipeline.index.conftest import HashedWords, Site

QUERY = "How does one cut a plank along the grain?"


class Fewer(HashedWords):
    dimension = 64


@pytest.fixture
def garden(site: Site) -> Site:
    site.write("fruit.md", "# Fruit\n\nAn apple tree needs a cold winter.\n")
    site.write("tools.md", "# Tools\n\nA ripsaw cuts along the grain, for every plank of the shed.\n")
    site.index.sync()
    return site


def test_searches_go_on_with_the_former_embedder(garden: Site) -> None:
    before = garden.index.search(QUERY, retrieval="dense").passages
    found: list[list[tuple[str, float]]] = []
    with garden.open(Fewer("fewer"), former=lambda spec: HashedWords(spec)) as index:

        def look(done: int, total: int, unit: str) -> None:
            if unit == "chunks":  # and garden.index, the process whose settings still name the former one
                for searched in (index, garden.index):
                    passages = searched.search(QUERY, retrieval="dense").passages
                    found.append([(passage.id, passage.score) for passage in passages])

        index.sync(look, rebuild=True)
        after = index.search(QUERY, retrieval="dense").passages
        assert index.embedder_name() == "fewer"
    assert found == [[(passage.id, passage.score) for passage in before]] * len(found)
    assert found
    assert after[0].id == before[0].id
    assert after[0].score != before[0].score


def test_a_former_embedder_that_is_another_one_now_is_refused(garden: Site) -> None:
    with garden.open(Fewer("fewer"), former=lambda spec: HashedWords("exchanged")) as index:

        def look(done: int, total: int, unit: str) -> None:
            with pytest.raises(StaleIndexError, match=r"hashed-words.*exchanged"):
                index.search(QUERY)
            assert index.search(QUERY, retrieval="keyword").passages

        index.sync(look, rebuild=True)
        assert index.search(QUERY).passages


@pytest.mark.parametrize("name", ["hashed-words", "other"])
def test_a_rebuild_that_ends_under_a_search_is_not_noticed(garden: Site, name: str) -> None:
    class Slow(HashedWords):
        """The index is rebuilt, and the one that is searched dropped, between the query's vector and its neighbours."""

        def embed_query(self, text: str) -> np.ndarray:
            vector = super().embed_query(text)
            if not self.seen[1:]:
                with garden.open(HashedWords(name)) as other:
                    other.sync(rebuild=True)
            return vector

    with garden.open(Slow(), former=HashedWords) as index:
        if name == "hashed-words":
            assert index.search(QUERY).passages[0].document == "notes/tools.md"
        else:  # the settings of this process name an embedder that the index no longer has
            with pytest.raises(StaleIndexError, match=r"sitetwin index --rebuild"):
                index.search(QUERY)


@pytest.mark.slow
def test_real_embedders_take_turns(garden: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    minilm, first_token = embedding_model(), tmp_path / "first-token"
    monkeypatch.setenv("SITETWIN_CACHE", str(tmp_path / "cache"))
    shutil.copytree(minilm, first_token)
    pooling = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    (first_token / "1_Pooling" / "config.json").write_text(json.dumps(pooling), encoding="utf-8")

    def named(folder: Path):
        settings = garden.settings.model_copy(update={"models": ModelSettings(embedder=str(folder))})
        return garden.open(load_embedder(settings), former=lambda spec: load_former(spec, settings))

    with named(minilm) as index:
        index.sync(rebuild=True)
        before = index.search(QUERY, retrieval="dense").passages
        assert before[0].document == "notes/tools.md"
    with named(first_token) as index:
        with pytest.raises(StaleIndexError, match=r"mean-256.*, the settings name first-token-.*-cls-256.* --rebuild"):
            index.search(QUERY)

        def look(done: int, total: int, unit: str) -> None:
            assert index.search(QUERY, retrieval="dense").passages == before

        index.sync(look, rebuild=True)
        after = index.search(QUERY, retrieval="dense").passages
        assert index.embedder_name() is not None
        assert "-cls-" in str(index.embedder_name())
    assert after[0].score != before[0].score
