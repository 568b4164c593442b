import pytest

from pipeline.embedding.choosing import advice, fitting_embedder, named


@pytest.mark.parametrize(
    ("languages", "embedder"),
    [
        ({}, "demo"),
        ({"en": 40}, "demo"),
        ({"en": 40, "de": 2}, "demo"),
        ({"en": 40, "de": 12}, "demo-multilingual"),
        ({"zh": 3}, "demo-multilingual"),
    ],
)
def test_the_embedder_fits_the_notes(languages: dict[str, int], embedder: str) -> None:
    assert fitting_embedder(languages) == embedder


def test_only_the_english_embedder_is_advised_against() -> None:
    said = advice("demo", {"de": 12, "en": 3})
    assert said.startswith("the notes are in German (12), English (3), and the embedder reads English: ")
    assert 'embedder = "demo-multilingual"' in said
    assert (
        advice("demo", {"en": 3}) == advice("ollama:bge-m3", {"de": 12}) == advice("demo-multilingual", {"de": 1}) == ""
    )


def test_many_languages_are_not_all_named() -> None:
    assert (
        named({"de": 9, "sv": 8, "fr": 3, "it": 2, "es": 1})
        == "German (9), Swedish (8), French (3), Italian (2), others"
    )
