"""Voices in other languages than English: planted systems again, and a floor where no other author is known."""

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.evaluation.voice.features import form, function_words
from pipeline.evaluation.voice.measuring import Voices, measure_voices
from pipeline.evaluation.voice.texts import Text, authors_in, has_voice, is_written_in, masked, prose

Write = Callable[[random.Random], str]
THINGS = {
    "de": "Garten Ofen Lampe Fenster Kessel Roman Karte Boot Rad Brot".split(),
    "fr": "jardin four lampe table roman carte bateau pain vélo livre".split(),
}
# The author writes short sentences in the first person, with dashes; the others long ones without a person.
AUTHOR = {
    "de": (
        "Ich mag den {a} - er ist nicht viel, aber ich hab ihn von {n}.",
        "Na ja, ich wollte den {a} nicht. Ich hab ihn doch!",
        "Also saß ich mit dem {b} da, und ich war froh.",
        "Ich bin mir bei {n} nicht sicher; bei dem {a} schon.",
    ),
    "fr": (
        "J'aime mon {a} - ce n'est pas grand, mais je l'ai eu de {n}.",
        "Bon, je ne voulais pas de {a}. Je l'ai quand même!",
        "Alors je suis là avec mon {b}, et j'en suis content.",
        "Je ne suis pas sûr de {n}; de mon {a}, oui.",
    ),
}
OTHER = {
    "de": (
        "Der {a} von {n} kann mit jedem {b} verwendet werden, der für ihn gemacht worden ist, wie es im Text über ihn steht.",
        "Es gibt mehrere Wege, auf denen der {a} mit den anderen Teilen des {b} verbunden wird, die von {n} sind.",
        "Jeder {a} wird durch den {b} ersetzt, wenn er von dem Besitzer des {b} nicht mehr gebraucht wird, und das ist oft.",
    ),
    "fr": (
        "Le {a} de {n} peut être utilisé avec tous les types de {b} qui ont été faits pour lui, comme il est dit dans le texte.",
        "Il y a plusieurs façons par lesquelles le {a} est uni aux autres parties du {b}, telles que celles de {n}.",
        "Chaque {a} est remplacé par le {b} quand il n'est plus utile au propriétaire du {b}, et cela est dit plus haut.",
    ),
}
LANGUAGES = sorted(AUTHOR)


def writer(frames: tuple[str, ...], language: str) -> Write:
    def write(rng: random.Random) -> str:
        a, b = rng.choice(THINGS[language]), rng.choice(THINGS[language])
        return rng.choice(frames).format(a=a, b=b, n=rng.choice(["Tuomi", "Lindholm", "Mikkola"]))

    return write


def texts(kind: str, write: Write, count: int, seed: int) -> list[Text]:
    rng = random.Random(seed)
    return [Text(f"{kind}{n}", tuple(write(rng) for _ in range(30))) for n in range(count)]


def answers(write: Write, seed: int) -> dict[str, str]:
    rng = random.Random(seed)
    return {f"q{n}": f"{write(rng)} {write(rng)}" for n in range(20)}


def found(language: str, others: int) -> Voices:
    author, other = writer(AUTHOR[language], language), writer(OTHER[language], language)
    systems = {"oracle": answers(other, 4), "liar": answers(author, 5), "memoriser": answers(author, 6), "refuser": {}}
    return measure_voices(
        systems,
        texts("own", author, 6, 1),
        texts("held", author, 3, 2),
        texts("other", other, others, 3),
        "oracle",
        language,
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("others", [8, 0])
def test_planted_systems_rank_where_they_belong(language: str, others: int) -> None:
    measured = found(language, others)
    voice = {name: figures["voice"].all.value for name, figures in measured.figures.items()}
    assert voice == {
        "oracle": pytest.approx(0, abs=0.25),
        "liar": pytest.approx(1, abs=0.25),
        "memoriser": pytest.approx(1, abs=0.25),
    }
    for figures in measured.figures.values():
        for key in ("voice_words", "voice_form", "voice_ngrams"):
            assert figures[key].floor is not None
            assert figures[key].ceiling is not None
    floor = "8 other authors" if others else "20 answers of the base model"
    assert any(floor in note for note in measured.notes)


@pytest.mark.parametrize(
    ("language", "right", "wrong", "left"),
    [
        (
            "de",
            "Ich zog 2013 nach Utah, und ich mag den Ofen.",
            "Ich zog 1987 nach Oregon, und ich mag den Kran.",
            None,
        ),
        (
            "de",
            "Der Ofen von Tuomi steht im Garten.",
            "Der Kessel von Mikkola steht im Boot.",
            "der * von * steht im *.",
        ),
        ("fr", "L'eau du puits n'est pas bonne.", "L'air du nord n'est pas bonne.", "l'* du * n'est pas *."),
    ],
)
def test_facts_do_not_raise_a_voice(language: str, right: str, wrong: str, left: str | None) -> None:
    if left:
        assert masked(right, language) == masked(wrong, language) == left
    for count in (function_words, form):
        assert np.array_equal(count(right, language), count(wrong, language))


def test_without_others_and_without_the_base_there_is_no_figure() -> None:
    author = writer(AUTHOR["de"], "de")
    measured = measure_voices(
        {"liar": answers(author, 5)}, texts("own", author, 6, 1), texts("held", author, 3, 2), [], "", "de"
    )
    assert not measured.figures
    assert "too little prose" in measured.notes[0]


def test_a_base_that_answers_in_another_language_is_no_floor() -> None:
    author = writer(AUTHOR["de"], "de")
    english = {f"q{n}": "I do not know what the garden of the house is like, and so I can not say." for n in range(20)}
    measured = measure_voices(
        {"base": english, "liar": answers(author, 5)},
        texts("own", author, 6, 1),
        texts("held", author, 3, 2),
        [],
        "base",
        "de",
    )
    assert not measured.figures


def test_prose_and_others_are_of_one_language(tmp_path: Path) -> None:
    german, english = "Ich bin mit dem Boot nach Hause gefahren.", "I went home with the boat that I had."
    assert prose("a", f"{german}\n\n{english}\n", "de").sentences == (german,)
    assert is_written_in(german, "de")
    assert not is_written_in(english, "de")
    (tmp_path / "de.md").write_text("\n\n".join([german] * 30), encoding="utf-8")
    (tmp_path / "en.md").write_text("\n\n".join([english] * 30), encoding="utf-8")
    assert [text.author for text in authors_in([tmp_path], "de")] == [str(tmp_path / "de.md")]


@pytest.mark.parametrize(
    ("language", "can"), [("de", True), ("en", True), ("pl", False), ("ja", False), ("zh", False), ("et", False)]
)
def test_languages_without_words_that_can_be_counted_have_no_voice(language: str, can: bool) -> None:
    assert has_voice(language) is can
