import pytest

from pipeline.embedding.prefixes import EmbeddingPrefixes, known_prefixes

SEARCH = EmbeddingPrefixes("Represent this sentence for searching relevant passages: ")


@pytest.mark.parametrize(
    ("model", "prefixes"),
    [
        ("nomic-embed-text:v1.5", EmbeddingPrefixes("search_query: ", "search_document: ")),
        ("nomic-ai/nomic-embed-text-v1.5", EmbeddingPrefixes("search_query: ", "search_document: ")),
        ("embeddinggemma:300m", EmbeddingPrefixes("task: search result | query: ", "title: none | text: ")),
        ("e5-small-v2", EmbeddingPrefixes("query: ", "passage: ")),
        ("intfloat/multilingual-e5-large", EmbeddingPrefixes("query: ", "passage: ")),
        ("multilingual-e5-large-instruct", EmbeddingPrefixes()),
        ("bge-small-en-v1.5", SEARCH),
        ("bge-large", SEARCH),
        ("bge-base-zh-v1.5", EmbeddingPrefixes()),
        ("bge-m3", EmbeddingPrefixes()),
        ("snowflake-arctic-embed:22m", SEARCH),
        ("snowflake-arctic-embed2", EmbeddingPrefixes("query: ")),
        ("snowflake-arctic-embed-l-v2.0", EmbeddingPrefixes("query: ")),
        ("all-MiniLM-L6-v2", EmbeddingPrefixes()),
        ("text-embedding-3-small", EmbeddingPrefixes()),
    ],
)
def test_a_models_family_is_known_by_its_name(model: str, prefixes: EmbeddingPrefixes) -> None:
    assert known_prefixes(model) == prefixes
