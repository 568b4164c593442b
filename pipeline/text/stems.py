"""English words to their stems."""

import functools
import threading

import snowballstemmer

_threads = threading.local()
"""A stemmer keeps state while it works, so threads can't share one."""


@functools.lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The stem of `word`, which is in lower case (Porter 2: `gateways` is `gateway`)."""
    if not hasattr(_threads, "stemmer"):
        _threads.stemmer = snowballstemmer.stemmer("english")
    return str(_threads.stemmer.stemWord(word))
