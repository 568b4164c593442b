"""Reduces English words to their stems."""

import functools
import threading

import snowballstemmer

_threads = threading.local()
"""Each thread has a stemmer of its own, because a stemmer keeps state while it works."""


@functools.lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The stem of `word`, which must be in lower case (Porter 2): `gateways` becomes `gateway`."""
    if not hasattr(_threads, "stemmer"):
        _threads.stemmer = snowballstemmer.stemmer("english")
    return str(_threads.stemmer.stemWord(word))
