from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.embedding.recent import Recent
from pipeline.embedding.token_vectors import TokenVectors
from pipeline.index.aligning import WEIGHT, align, densest_stretch, rarities
from pipeline.text.words import WORD

MEANINGS = {"huge": (1, 0), "large": (0.8, 0.6), "table": (0, 1), "not": (-1, 0), "the": (0, 1)}


def read(texts: Sequence[str]) -> list[TokenVectors]:
    """Words of a tiny language, one token each."""
    words = [list(WORD.finditer(text)) for text in texts]
    return [
        TokenVectors(
            np.array([word.span() for word in held]).reshape(-1, 2),
            np.array([MEANINGS[word[0]] for word in held], np.float32).reshape(-1, 2),
        )
        for held in words
    ]


def test_what_meets_the_words_of_the_question_comes_first() -> None:
    scores = {"a": 0.9, "b": 0.85, "c": 0.1}
    found = align("huge", "en", {"a": "table", "b": "large"}, scores, {"huge": 3.0}, read)
    assert found == pytest.approx(
        {"a": 0.9 / (1 + WEIGHT), "b": (0.85 + WEIGHT * 0.8) / (1 + WEIGHT), "c": 0.1 / (1 + WEIGHT)}
    )
    assert sorted(found, key=lambda id: -found[id]) == ["b", "a", "c"]


def test_rarer_words_weigh_more_and_function_words_nothing() -> None:
    rarity = {"huge": 3.0, "tabl": 1.0, "table": 1.0}
    found = align("the huge table", "en", {"a": "huge", "b": "table"}, {"a": 0.0, "b": 0.0}, rarity, read)
    assert found == pytest.approx({"a": 0.75 * WEIGHT / (1 + WEIGHT), "b": 0.25 * WEIGHT / (1 + WEIGHT)})


def test_what_contradicts_in_meaning_takes_nothing_away() -> None:
    assert align("huge", "en", {"a": "not"}, {"a": 0.7}, {"huge": 1.0}, read) == {"a": 0.7 / (1 + WEIGHT)}


def test_without_words_vectors_or_passages_nothing_changes() -> None:
    assert align("?", "en", {"a": "huge"}, {"a": 0.7}, {}, read) == {}
    assert align("huge", "en", {"a": "huge"}, {"a": 0.7}, {"huge": 1.0}, lambda texts: None) == {}
    assert align("huge", "en", {}, {"a": 0.7}, {"huge": 1.0}, read) == {}


def test_rarity_is_lucenes_idf() -> None:
    assert rarities({"a": 1, "b": 100}, 100) == pytest.approx(
        {"a": np.log(1 + 99.5 / 1.5), "b": np.log(1 + 0.5 / 100.5)}
    )


RARITY = {"gate": 2.0, "rust": 1.0}


@pytest.mark.parametrize(
    ("body", "stretch"),
    [
        ("a b c", "a b c"),
        ("a b c d the gate, then rusts. e f g", "the gate, then rusts"),
        ("a gate b c d e rusted gates f g", "d e rusted gates"),
        ("no word of it at all", "no word of it"),
        ("The self_gate.py file is a gate here", "The self_gate.py file is"),
    ],
)
def test_of_a_long_passage_only_where_the_questions_words_are_densest_is_read(body, stretch) -> None:
    assert densest_stretch(f"Title\n{body}", "en", RARITY, 4) == f"Title\n{stretch}"
    assert densest_stretch(body, "en", RARITY, 4) == body  # a heading alone


def test_what_stands_far_from_the_questions_words_is_not_read() -> None:
    text = "table\nthe the the the huge"
    found = [align("huge", "en", {"a": text}, {"a": 0.0}, {"huge": 1.0}, read, words=words)["a"] for words in (2, None)]
    assert found == pytest.approx([WEIGHT / (1 + WEIGHT)] * 2)
    rarity = {"huge": 1.0, "large": 0.1}  # `large` is of the question's tokens, and draws the stretch to it
    near = align("huge", "en", {"a": "table\nlarge the the the not"}, {"a": 0.0}, rarity, read, words=2)
    assert near == pytest.approx({"a": 0.8 * WEIGHT / (1 + WEIGHT)})


class CountingModel:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        self.seen += texts
        return read(texts)


def test_a_text_that_was_just_read_is_not_read_again() -> None:
    model, recent = CountingModel(), Recent[TokenVectors](most=2)
    first = recent.read("m", ["huge", "large", "huge"], model.embed_tokens)
    assert [one.vectors.tolist() for one in recent.read("m", ["large"], model.embed_tokens)] == [
        first[1].vectors.tolist()
    ]
    assert model.seen == ["huge", "large"]
    recent.read("m", ["table"], model.embed_tokens)
    recent.read("m", ["huge"], model.embed_tokens)
    assert model.seen == ["huge", "large", "table", "huge"]
    recent.read("other", ["huge"], model.embed_tokens)
    assert model.seen[-1] == "huge"
