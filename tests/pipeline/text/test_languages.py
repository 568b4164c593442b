import pytest

from pipeline.text.languages import identify, is_english, language_of, may_be_english, without_spaces

ENGLISH = "The greenhouse is twelve metres long, and I water the tomatoes in the morning."
GERMAN = "Mein Gewächshaus ist zwölf Meter lang. Ich gieße die Tomaten am Morgen und niemals am Abend."


def test_a_text_of_code_is_of_no_language() -> None:
    assert identify("`a.b`\n```sh\nmake all and everything else too\n```") == {}
    assert language_of("`a`") == ("", 0.0)
    assert may_be_english("`a`")
    assert not is_english("")


@pytest.mark.parametrize(
    ("text", "code"), [(ENGLISH, "en"), (GERMAN, "de"), ("温室有十二米长，旁边的棚子有八米长。", "zh")]
)
def test_prose_has_a_language(text: str, code: str) -> None:
    language, probability = language_of(text)
    assert (language, probability > 0.5) == (code, True)
    assert is_english(text) == (code == "en")
    assert without_spaces(text) == (code == "zh")


def test_what_is_surely_another_language_is_not_taken_for_english() -> None:
    assert may_be_english(ENGLISH)
    assert not may_be_english(GERMAN)
