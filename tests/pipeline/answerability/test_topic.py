import pytest

from pipeline.answerability.topic import without_topic
from pipeline.index.vocabulary import Vocabulary


@pytest.mark.parametrize(
    ("question", "language", "expected"),
    [
        ("Wie verbinde ich Lampion mit meinem Kühlschrank?", "de", "Wie verbinde ich mit meinem Kühlschrank?"),
        ("Lampion 支持哪些打印机？", "zh", "支持哪些打印机？"),
        ("Was ist Lampion?", "de", "Was ist Lampion?"),
        ("Wo liegt in Lampion der Lampionladen?", "de", "Wo liegt in der Lampionladen?"),
        ("Wie verbinde ich den Kühlschrank?", "de", "Wie verbinde ich den Kühlschrank?"),
    ],
)
def test_the_words_that_the_whole_collection_is_about(question, language, expected):
    assert without_topic(question, language, Vocabulary(100, {"lampion": 60, "verbind": 14, "打印": 2})) == expected


def test_a_few_notes_have_no_topic():
    assert without_topic("Was kostet Lampion?", "de", Vocabulary(6, {"lampion": 5})) == "Was kostet Lampion?"
