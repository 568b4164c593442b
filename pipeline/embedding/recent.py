"""Vectors of short texts that were embedded a moment ago: one sentence is read to search, to judge and to quote."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pipeline.embedding.embedder import Embedder

MOST = 512
"""So many vectors are kept: the sentences of some questions' passages, less than a megabyte."""
_known: OrderedDict[tuple[str, str], np.ndarray] = OrderedDict()
_lock = threading.Lock()


def embed_again(embedder: "Embedder", texts: Sequence[str]) -> np.ndarray:
    """The vectors (texts, dimension) of `texts`, as `embedder.embed` gives them. Any thread may call it."""
    name = embedder.name
    with _lock:
        found = {text: _known[name, text] for text in texts if (name, text) in _known}
    missing = [text for text in dict.fromkeys(texts) if text not in found]
    found |= zip(missing, embedder.embed(missing), strict=True) if missing else ()
    with _lock:
        for text in texts:
            _known[name, text] = found[text]
            _known.move_to_end((name, text))
        while len(_known) > MOST:
            _known.popitem(last=False)
    return np.stack([found[text] for text in texts]) if texts else embedder.embed([])
