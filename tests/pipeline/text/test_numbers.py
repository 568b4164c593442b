import pytest

from pipeline.text.numbers import number_words, numbers


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("5,000,000 people, or 5000000", {"5000000"}),
        ("0.872 and .872, in German 0,87", {".872", ".87"}),
        ("in German 0,872, yet 10,872 and 1,000,872", {".872", "10872", "1000872"}),
        ("8x12 TB", {"8", "12"}),
        ("Python 3.11 on port 8765.", {"3.11", "8765"}),
        ("1. First the oven\n2. then 425 degrees", {"425"}),
        ("at 12:30, release v2", {"12:30"}),
        ("none", set()),
    ],
)
def test_numbers_have_one_way_of_writing(text: str, found: set[str]) -> None:
    assert numbers(text) == found


def test_numbers_in_words_keep_their_word() -> None:
    assert number_words("Twelve eggs, a dozen; one hundred grams") == {"12": "dozen", "1": "one", "100": "hundred"}
