import pytest

from pipeline.embedding.spread import unrelated_cosine


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("multilingual-e5-small-q4-fa4dcae3f3e2-mean-512-int8 'passage: '", 0.78),
        ("ollama:jeffh/intfloat-multilingual-e5-large", 0.78),
        ("all-MiniLM-L6-v2-0123456789ab-mean-256-int8", 0.0),
        ("e5x", 0.0),
    ],
)
def test_only_of_models_whose_cosines_lie_close(name, expected):
    assert unrelated_cosine(name) == expected
