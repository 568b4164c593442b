import pytest

from pipeline.text.stems import stem
from pipeline.text.verbs import verb_forms, verbs_of


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("lösche", "gelöscht löscht löschen gelöschten Löschung"),
        ("gelöscht", "löschen löscht Löschungen"),
        ("deaktiviere", "deaktiviert deaktivieren Deaktivierung deaktivierte"),
        ("Deaktivierung", "deaktiviert deaktivieren"),
        ("ausschalten", "ausgeschaltet auszuschalten ausgeschalteten"),
        ("abgespielt", "abspielen abzuspielen abspielt"),
        ("verwendet", "verwenden Verwendung"),
        ("eingeben", "eingegeben einzugeben"),
    ],
)
def test_the_forms_of_a_verb(asked, written):
    met = {stem(asked.lower(), "de"), *verb_forms(asked, "de")}
    assert {stem(form.lower(), "de") for form in written.split()} <= met


def test_other_words_have_no_forms():
    assert not verb_forms("Bild", "de")
    assert not verb_forms("v2.17", "de")
    assert not verb_forms("delete", "en")


def test_a_verb_that_the_question_takes_apart_is_the_whole_one():
    verbs = verbs_of("Wie schalte ich das Licht aus?", "de")
    assert {"ausschalt", "ausgeschaltet", "auszuschalt"} & verbs["schalt"] >= {"ausschalt", "auszuschalt"}
    assert "geschaltet" not in verbs["schalt"]
    assert "licht" not in verbs


def test_words_that_any_question_is_made_of_are_left_out():
    assert verbs_of("Kann man das machen?", "de") == {}
    assert verbs_of("How do I delete it?", "en") == {}
