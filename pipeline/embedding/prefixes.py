"""What an embedding model wants in front of a question and in front of a text."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EmbeddingPrefixes:
    """The words that are put in front of a question and of a text that is searched."""

    query: str = ""
    document: str = ""


_SEARCH = EmbeddingPrefixes("Represent this sentence for searching relevant passages: ")
# These come from the models' own pages. The first pattern that matches counts.
_KNOWN = [
    (r"nomic-embed-text", EmbeddingPrefixes("search_query: ", "search_document: ")),
    (r"embeddinggemma", EmbeddingPrefixes("task: search result | query: ", "title: none | text: ")),
    (r"qwen3-embedding", EmbeddingPrefixes("Instruct: Given a question, retrieve passages that answer it\nQuery:")),
    (r"(multilingual-)?e5-(small|base|large)(?!.*instruct)", EmbeddingPrefixes("query: ", "passage: ")),
    (r"bge-(small|base|large)(?!-zh)", _SEARCH),
    (r"mxbai-embed-large", _SEARCH),
    (r"snowflake-arctic-embed2|snowflake-arctic-embed-[lm]-v2", EmbeddingPrefixes("query: ")),
    (r"snowflake-arctic-embed", _SEARCH),
]


def known_prefixes(model: str) -> EmbeddingPrefixes:
    """The prefixes of the model family that `model` belongs to; empty ones if it is unknown.

    Args:
        model: the name of a folder, or a server's name for the model.
    """
    name = model.lower().split("/")[-1].split(":")[0]
    return next((prefixes for pattern, prefixes in _KNOWN if re.match(pattern, name)), EmbeddingPrefixes())
