"""How the cosines of an embedding model are spread."""

import re

_E5 = re.compile(r"(?:multilingual-)?e5-(?:small|base|large)")


def unrelated_cosine(embedder: str) -> float:
    """The cosine, about, of texts that have nothing to do with each other; 0 if the model of this name is not known.

    The E5 models were trained at a temperature of .01, so their cosines lie between .7 and 1 (their model cards). .78 was
    measured: with it multilingual-e5-small and the words together found most (docs/languages.md).
    """
    return 0.78 if _E5.search(embedder.lower()) else 0.0
