from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.answerability.alignment import Alignment, align
from pipeline.embedding.onnx_embedder import BertEmbedder
from pipeline.embedding.token_vectors import TokenVectors
from pipeline.text.words import WORD
from pipeline.weights.demo import embedding_model

MEANINGS = {
    "huge": (1, 0, 0),
    "large": (0.8, 0.6, 0),
    "how": (0, 1, 0),
    "table": (0, 0, 1),
    "un": (1, 0, 0),
    "known": (0, 1, 0),
}


def read(texts: Sequence[str]) -> list[TokenVectors]:
    """Words of a tiny language, in which `unknown` has two tokens."""
    found = []
    for text in texts:
        places, vectors = [], []
        for word in WORD.finditer(text):
            middle = word.start() + 2
            pieces = [(word.start(), middle), (middle, word.end())] if word[0] == "unknown" else [word.span()]
            places += pieces
            vectors += [MEANINGS[text[start:end]] for start, end in pieces]
        found.append(TokenVectors(np.array(places).reshape(-1, 2), np.array(vectors, np.float32).reshape(-1, 3)))
    return found


def test_a_word_is_met_by_the_nearest_in_meaning() -> None:
    found = align("how huge", ["large table"], {"huge": 2.0}, read)
    assert found == Alignment(subject=pytest.approx(0.8), wording=pytest.approx((0.8 + 0.6) / 2))


def test_rare_words_weigh_more_and_one_passage_has_to_meet_all() -> None:
    found = align("huge table", ["huge", "table"], {"huge": 3.0, "table": 1.0}, read)
    assert found == Alignment(subject=pytest.approx(0.75), wording=pytest.approx(0.5))


def test_what_is_understood_need_not_be_met() -> None:
    assert align("huge table", ["huge"], {"huge": 3.0, "table": 0.0}, read) == Alignment(1, 1)


def test_a_word_of_several_tokens_is_their_mean() -> None:
    found = align("unknown", ["huge"], {"unknown": 1.0}, read)
    assert found is not None
    assert found.subject == pytest.approx(0.5**0.5)


def test_without_words_or_vectors_there_is_nothing_to_compare() -> None:
    assert align("?", ["huge"], {}, read) is None
    assert align("huge", ["?"], {}, read) is None
    assert align("huge", ["huge"], {}, lambda texts: None) is None


def test_minilm_meets_another_word_of_the_same_meaning_and_misses_what_is_not_there() -> None:
    texts = ["Get a quick approximate count of a large table\nPostgres keeps an estimate of the number of rows."]
    words = {"rough": 1.0, "total": 1.0, "huge": 1.0, "table": 1.0, "licence": 1.0, "count": 1.0}
    reading = BertEmbedder(embedding_model(), 1).embed_tokens
    asked = align("How do I get a rough total of a huge table?", texts, words, reading)
    missing = align("Which licence has the count of a table?", texts, words, reading)
    assert asked is not None
    assert missing is not None
    assert asked.wording > missing.wording + 0.1
