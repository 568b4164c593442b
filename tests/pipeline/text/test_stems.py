import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import snowballstemmer

from pipeline.text.function_words import FUNCTION_WORDS, STOP_WORDS
from pipeline.text.stems import stem


@pytest.fixture
def eager_threads() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_threads_do_not_disturb_each_others_words(eager_threads: None) -> None:
    endings = ("ization", "fulness", "ational", "iveness", "ed", "ing")
    words = [f"{chr(97 + a)}{chr(97 + b)}rn{ending}" for a in range(26) for b in range(26) for ending in endings]
    alone = snowballstemmer.stemmer("english")
    stem.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(stem, words))
    assert found == [alone.stemWord(word) for word in words]


def test_a_searchs_stop_words_are_function_words() -> None:
    assert STOP_WORDS < FUNCTION_WORDS
    assert {"use", "how", "isn't"} <= FUNCTION_WORDS
    assert "use" not in STOP_WORDS
