import subprocess
import sys

import pytest

from pipeline.text.detecting import (
    count_languages,
    identify,
    is_english,
    language_among,
    language_of,
    main_language,
    may_be_english,
    without_spaces,
)
from pipeline.text.languages.tables import known_codes, table

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


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("How old is the cat?", "en"),
        ("Wie alt ist die Katze?", "de"),
        ("Quel âge a le chat ?", "fr"),
        ("¿Cuántos años tiene el gato?", "es"),
        ("Quantos anos tem o gato?", "pt"),
        ("Quanti anni ha il gatto?", "it"),
        ("Hoe oud is de kat?", "nl"),
        ("Сколько лет кошке?", "ru"),
        ("猫は何歳ですか？", "ja"),
        ("猫几岁了？", "zh"),
        ("고양이는 몇 살인가요?", "ko"),
        ("كم عمر القطة؟", "ar"),
        ("बिल्ली कितने साल की है?", "hi"),
        ("Con mèo bao nhiêu tuổi?", "vi"),
        ("แมวอายุเท่าไร", "th"),
        ("Can visitors comment on a note's page?", ""),
        ("wireguard port", ""),
    ],
)
def test_a_questions_words_tell_its_language(text: str, code: str) -> None:
    assert main_language(text) == code


def test_where_a_question_does_not_tell_the_notes_do() -> None:
    assert language_among("Festplatte Server", {"de": 5, "en": 2}) == "de"
    assert language_among("Which disk is in the server?", {"de": 5}) == "en"
    assert language_among("Festplatte Server", {}) == ""
    assert language_among("Can visitors comment on a note's page?", {"en": 3}) == "en"


def test_notes_are_counted_by_language() -> None:
    assert count_languages([GERMAN, GERMAN, ENGLISH, "`x`"]) == {"de": 2, "en": 1}


def test_every_table_has_what_the_rules_ask_for() -> None:
    with_words = [code for code in known_codes() if table(code).is_known]
    assert set(with_words) == set("en de fr es pt it nl ru ja zh ko ar hi vi".split())
    for code in with_words:
        rules = table(code)
        assert rules.refusal
        assert len(rules.function_words) > 60, code
        assert set(rules.asks) >= {"person", "amount", "time"}
        assert rules.follow_ups.pointers
        assert len(rules.pseudo_questions.foreign) > 20


def test_a_language_without_a_table_has_no_words_of_its_own() -> None:
    assert not table("sv").is_known
    assert table("sv").asked_kind("Vem är det?") is None


def test_a_question_whose_words_tell_needs_no_model_of_letters() -> None:
    """Loading it takes a second, and the first question of a site would wait for it."""
    code = (
        "import sys; from pipeline.text.detecting import language_among; "
        "assert language_among('Which disk is in the server?', {'de': 5}) == 'en'; sys.exit('py3langid' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
