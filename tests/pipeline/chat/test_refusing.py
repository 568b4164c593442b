import pytest

from pipeline.chat.refusing import (
    LANGUAGES,
    TRANSLATIONS,
    is_refusal,
    question_language,
    refusal_in,
    sounds_like_refusal,
)


def test_a_refusal_is_all_that_is_said() -> None:
    assert is_refusal("That is not in these notes")
    assert is_refusal("Das steht nicht in diesen Notizen.")
    assert is_refusal("No idea!", ["No idea."])
    assert not is_refusal("[1] That is not in these notes.")
    assert not is_refusal("That is not in these notes. The port is 8765.")
    assert not is_refusal("")


@pytest.mark.parametrize(
    ("sentence", "declines"),
    [
        ("The notes do not mention who the mayor is.", True),
        ("The passages don\u2019t explicitly say that.", True),
        ("There is no information about that in the context.", True),
        ("It is not mentioned in the provided text.", True),
        ("The index does not hold private notes.", False),
        ("Notes are not sent to anybody.", False),
    ],
)
def test_a_models_own_words_for_it(sentence: str, declines: bool) -> None:
    assert sounds_like_refusal(sentence) == declines


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("How much disk space should I have free?", "en"),
        ("Wie viel Platz muss auf der Festplatte frei sein?", "de"),
        ("Combien d'espace disque dois-je avoir de libre ?", "fr"),
        ("ディスクの空き容量はどれくらい必要ですか？", "ja"),
        ("VPN?", "en"),
    ],
)
def test_the_language_of_a_question(question: str, language: str) -> None:
    assert question_language(question) == language


def test_the_owners_words_come_first() -> None:
    assert TRANSLATIONS.keys() == LANGUAGES.keys()
    assert refusal_in("de", {}) == TRANSLATIONS["de"]
    assert refusal_in("de", {"de": "Nein."}) == "Nein."
    assert refusal_in("xx", {"en": "No."}) == "No."


def test_where_a_question_does_not_tell_its_language_the_notes_do() -> None:
    notes = ["Der Server hat zwei Festplatten.", "Die Katze ist elf Jahre alt."]
    assert question_language("Festplatte Server", notes) == "de"
    assert question_language("Which disk is it?", notes) == "en"
    assert refusal_in(question_language("चाबी कहाँ है?"), {}) == "यह इन नोट्स में नहीं है।"
