import pytest

from pipeline.embedding.prefixes import Prefixes, known_prefixes

SEARCH = Prefixes("Represent this sentence for searching relevant passages: ")


@pytest.mark.parametrize(
    ("model", "prefixes"),
    [
        ("nomic-embed-text:v1.5", Prefixes("search_query: ", "search_document: ")),
        ("nomic-ai/nomic-embed-text-v1.5", Prefixes("search_query: ", "search_document: ")),
        ("embeddinggemma:300m", Prefixes("task: search result | query: ", "title: none | text: ")),
        ("e5-small-v2", Prefixes("query: ", "passage: ")),
        ("intfloat/multilingual-e5-large", Prefixes("query: ", "passage: ")),
        ("multilingual-e5-large-instruct", Prefixes()),
        ("bge-small-en-v1.5", SEARCH),
        ("bge-large", SEARCH),
        ("bge-base-zh-v1.5", Prefixes()),
        ("bge-m3", Prefixes()),
        ("snowflake-arctic-embed:22m", SEARCH),
        ("snowflake-arctic-embed2", Prefixes("query: ")),
        ("snowflake-arctic-embed-l-v2.0", Prefixes("query: ")),
        ("all-MiniLM-L6-v2", Prefixes()),
        ("text-embedding-3-small", Prefixes()),
    ],
)
def test_a_models_family_is_known_by_its_name(model: str, prefixes: Prefixes) -> None:
    assert known_prefixes(model) == prefixes
