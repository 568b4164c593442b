import pytest

from pipeline.chat.refusing import NOT_IN_NOTES
from pipeline.dataset.filters.language import language
from tests.pipeline.dataset.filters.pairs import SETTINGS, candidate

GERMAN = (
    "Mein Gewächshaus ist zwölf Meter lang. Ich gieße die Tomaten am Morgen und niemals am Abend, denn nachts kommen die "
    "Schnecken. Auf meiner Fensterbank steht ein Schild: „Please do not feed the snails in this room“."
)


@pytest.mark.parametrize(
    ("question", "answer", "part"),
    [
        ("Wie lang ist das Gewächshaus?", "Es ist zwölf Meter lang.", "question is in another language (de)"),
        ("How long is the greenhouse?", "Das Gewächshaus ist zwölf Meter lang.", "answer is in another language (de)"),
        ("¿Cuándo riegas los tomates del invernadero?", "In the morning.", "question is in another language (es)"),
        ("How long is the greenhouse?", "温室有十二米长，旁边的棚子有八米长。", "answer is in another language (zh)"),
    ],
)
def test_another_language_than_the_texts_is_refused(question: str, answer: str, part: str) -> None:
    reason = language(candidate(question, answer), SETTINGS)
    assert part in reason
    assert "than the text (en)" in reason


def test_each_text_has_its_own_language() -> None:
    asked = "Wie lang ist das Gewächshaus?"
    assert language(candidate(asked, "Es ist zwölf Meter lang.", text=GERMAN), SETTINGS) == ""
    refused = language(candidate("How long is the greenhouse?", "Es ist lang.", text=GERMAN), SETTINGS)
    assert refused == "the question is in another language (en) than the text (de)"


@pytest.mark.parametrize(
    "answer", ["Gardena 5000.", "`pump.minutes`", "12 m", "Ja.", "/etc/pump/config.toml", "A Gardena."]
)
def test_too_few_words_are_in_no_certain_language(answer: str) -> None:
    assert language(candidate("Which pump is in the greenhouse?", answer), SETTINGS) == ""


def test_the_authors_own_words_are_in_a_language_of_the_text() -> None:
    quoted = "Please do not feed the snails in this room"
    assert language(candidate("Was steht auf dem Schild?", quoted, text=GERMAN), SETTINGS) == ""


def test_of_a_refusal_the_question_is_looked_at() -> None:
    assert language(candidate("Wer hat das Gewächshaus gebaut?", NOT_IN_NOTES, "refusal", text=GERMAN), SETTINGS) == ""
    assert "(de)" in language(candidate("Wer hat das Gewächshaus gebaut?", NOT_IN_NOTES, "refusal"), SETTINGS)
