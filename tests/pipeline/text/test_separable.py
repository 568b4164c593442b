import pytest

from pipeline.text.separable import whole_verb


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Wie schalte ich das Licht aus?", ("schalte", "ausschalte")),
        ("Mit welcher Taste benenne ich eine Notiz um?", ("benenne", "umbenenne")),
        ("Wo stelle ich ein, wie groß ein Anhang sein darf?", ("stelle", "einstelle")),
        ("Wann läuft der Vertrag ab?", ("läuft", "abläuft")),
        ("Wie schalte ich das Licht?", None),
        ("Worauf kommt es an?", None),
    ],
)
def test_a_verb_and_its_particle(question, expected):
    assert whole_verb(question, "de") == expected


def test_a_language_without_particles():
    assert whole_verb("How do I turn the light off?", "en") is None
    assert whole_verb("Wie schalte ich das Licht aus?", "") is None
