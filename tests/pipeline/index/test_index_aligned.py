"""A search that compares the words of the question with those of the best passages."""

from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.embedding.token_vectors import TokenVectors
from pipeline.text.words import WORD
from tests.pipeline.index.conftest import HashedWords


class WordMeanings(HashedWords):
    """As MiniLM it tells a vector of each token; here of each word, and `autumn` means the same as `fall`."""

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        found = []
        for text in texts:
            words = list(WORD.finditer(text))
            spans = np.array([word.span() for word in words]).reshape(-1, 2)
            meant = [word[0].lower().replace("autumn", "fall") for word in words]
            found.append(TokenVectors(spans, self.embed(meant)))
        return found


@pytest.fixture
def garden(site):
    site.embedder = WordMeanings("all-MiniLM-L6-v2-test")
    site.write("a.md", "# Apples\n\nApples that are planted in the garden keep well in the cellar of the house.\n")
    site.write("b.md", "# Apples\n\nApples are best planted in autumn, says the neighbour across the quiet street.\n")
    site.write("diary.md", "---\nprivate: true\n---\n# Apples\n\nApples planted in the fall, and a secret.\n")
    site.index.sync()
    return site


def test_a_word_that_is_met_in_meaning_lifts_a_passage(garden):
    question = "Are apples planted in the fall?"
    explained = garden.index.search(question, 2, visibility="public", explain=True, align=True).explanation
    places = {passage.document: passage.aligned for passage in explained.passages}
    assert places["notes/b.md"].rank == 1
    assert places["notes/a.md"].rank == 2
    assert "notes/diary.md" not in places
    best, other = garden.index.search(question, 2, visibility="public", align=True).passages
    assert best.document == "notes/b.md"
    assert 1 >= best.score > other.score > 0


@pytest.mark.parametrize("change", ["setting", "mode", "language", "embedder"])
def test_elsewhere_no_words_are_compared(garden, change):
    question, mode = "Are apples planted in the fall?", "hybrid"
    if change == "setting":
        garden.settings.retrieval.align = False
    elif change == "mode":
        mode = "keyword"
    elif change == "language":
        question = "Werden die Äpfel im Herbst gepflanzt oder erst im Frühling?"
    else:
        garden.embedder.name = garden.embedder.spec = "another"
        garden.index.sync(rebuild=True)
    found = garden.open(mode=mode).search(question, 2, explain=True, align=True)
    assert found.passages
    assert all(passage.aligned is None for passage in found.explanation.passages)
