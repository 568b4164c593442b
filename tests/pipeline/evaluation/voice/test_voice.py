"""Planted systems again: a voice is how things are said, and nothing of what is said."""

import random

import numpy as np
import pytest

from pipeline.evaluation.voice.features import form, function_words, rates
from pipeline.evaluation.voice.measuring import Voices, measure_voices
from pipeline.evaluation.voice.texts import Text, installed_authors, masked, pieces, prose

THINGS = "server bread bike house garden printer camera letter window kettle novel map boat lamp radio".split()
NAMES = "Utah Provo Tuomi Debian NixOS Surly Oregon Helsinki Mikkola".split()


def author_sentence(rng: random.Random) -> str:
    """Short, in the first person, with dashes."""
    a, b, name = rng.choice(THINGS), rng.choice(THINGS), rng.choice(NAMES)
    return rng.choice([
        f"I like my {a} - it is not much, but I had it from {name}.",
        f"Well, I did not want the {a}. I got it anyway!",
        f"So I sat down with my {b}, and I was glad.",
        f"I am not sure about {name}; my {a} is, though.",
    ])  # fmt: skip


def other_sentence(rng: random.Random) -> str:
    """Long, without a person."""
    a, b, name = rng.choice(THINGS), rng.choice(THINGS), rng.choice(NAMES)
    return rng.choice([
        f"The {a} of {name} can be used with any {b} that has been made for it, as has been described in the text above.",
        f"There are several ways in which the {a} may be combined with other parts of the {b}, such as those by {name}.",
        f"It should be noted that each {a} will be replaced by the {b} when it is no longer needed by the owner of the {b}.",
    ])  # fmt: skip


def texts(kind: str, write: object, count: int, seed: int) -> list[Text]:
    rng = random.Random(seed)
    return [Text(f"{kind}{n}", tuple(write(rng) for _ in range(30))) for n in range(count)]  # type: ignore[operator]


def answers(write: object, seed: int) -> dict[str, str]:
    rng = random.Random(seed)
    return {f"q{n}": f"{write(rng)} {write(rng)}" for n in range(20)}  # type: ignore[operator]


OWN, HELD_OUT = texts("own", author_sentence, 6, 1), texts("held", author_sentence, 3, 2)
OTHERS = texts("other", other_sentence, 8, 3)
# The liar has the author's voice; its facts are made up. The oracle knows all and writes like anyone. The memoriser says what
# the author once wrote. The refuser says nothing.
SYSTEMS = {
    "oracle": answers(other_sentence, 4),
    "liar": answers(author_sentence, 5),
    "parrot": {f"q{n}": text.sentences[n % 30] + " " + text.sentences[(n + 1) % 30] for n, text in enumerate(OWN * 4)},
    "memoriser": {
        f"q{n}": f"{text.sentences[(n + 7) % 30]} {text.sentences[(n + 11) % 30]}"
        for n, text in enumerate(texts("old", author_sentence, 6, 6) * 4)
    },
    "refuser": {},
}


@pytest.fixture(scope="module")
def found() -> Voices:
    return measure_voices(SYSTEMS, OWN, HELD_OUT, OTHERS, base="oracle")


def value(found: Voices, system: str, measure: str) -> float:
    return found.figures[system][measure].all.value


def test_the_liar_sounds_like_the_author_and_the_oracle_like_anyone(found: Voices) -> None:
    assert value(found, "oracle", "voice") == pytest.approx(0, abs=0.25)
    assert value(found, "liar", "voice") == pytest.approx(1, abs=0.25)
    assert value(found, "parrot", "voice") == pytest.approx(1, abs=0.25)
    assert value(found, "memoriser", "voice") == pytest.approx(1, abs=0.25)
    assert "refuser" not in found.figures


@pytest.mark.parametrize("measure", ["voice_words", "voice_form", "voice_ngrams"])
def test_each_measure_stands_between_its_floor_and_its_ceiling(found: Voices, measure: str) -> None:
    liar, oracle = found.figures["liar"][measure], found.figures["oracle"][measure]
    assert liar.floor == oracle.floor
    assert liar.ceiling is not None
    assert liar.floor is not None
    assert abs(liar.all.value - liar.ceiling) < abs(liar.all.value - liar.floor)
    assert abs(oracle.all.value - oracle.floor) < abs(oracle.all.value - liar.ceiling)
    assert liar.all.low <= liar.all.value <= liar.all.high


def test_the_difference_of_two_voices_is_shown_and_that_of_equal_ones_is_not(found: Voices) -> None:
    by_pair = {(a, b): gap for a, b, measure, gap in found.differences if measure == "voice"}
    assert by_pair["oracle", "liar"].p < 0.05
    assert by_pair["liar", "parrot"].p > 0.05


def test_the_classifier_s_own_accuracy_is_said(found: Voices) -> None:
    (note,) = (note for note in found.notes if "taken for the author" in note)
    assert "tells the author's from others' in 100%" in note
    assert not any("no part of the voice" in note for note in found.notes)


def test_a_measure_that_can_not_tell_the_author_from_others_has_no_say() -> None:
    found = measure_voices({"liar": SYSTEMS["liar"]}, OWN, HELD_OUT, texts("like", author_sentence, 8, 9))
    assert sum("no part of the voice" in note for note in found.notes) == 3
    assert "voice" not in found.figures["liar"]
    assert found.figures["liar"]["voice_words"].floor is not None


def test_facts_do_not_raise_a_voice() -> None:
    right = {"q": "I moved to Utah in 2013, and I like my bread."}
    wrong = {"q": "I moved to Oregon in 1987, and I like my kettle."}
    assert masked(right["q"]) == masked(wrong["q"]) == "i * to * in #, and i like my *."
    for count in (function_words, form):
        assert np.array_equal(count(right["q"]), count(wrong["q"]))


def test_too_little_text_has_no_voice() -> None:
    found = measure_voices({"liar": {"q": "I did."}}, OWN, HELD_OUT, OTHERS)
    assert not found.figures
    assert "too little prose" in found.notes[0]


def test_form_counts_sentences_and_signs() -> None:
    words_a_sentence, short, long, dash, comma, *_ = rates(form("I came, I saw. I went - and so on."))
    assert (words_a_sentence, short, long) == (4.5, 1, 0)
    assert (dash, comma) == (pytest.approx(1 / 9), pytest.approx(1 / 9))


def test_prose_is_what_is_neither_code_nor_link_nor_table() -> None:
    text = "# Title\n\nI like this house very much.\n\n```\ncode of the house\n```\n\nSee https://example.org for all of it.\n\n| a | b |\n|---|---|\n| it | is so |\n"
    assert prose("a", text).sentences == ("I like this house very much.",)


def test_pieces_are_whole_sentences_of_at_least_a_length() -> None:
    found = list(pieces(OWN[0], 20))
    assert all(len(piece.split()) >= 20 for piece in found)
    assert " ".join(OWN[0].sentences).startswith(" ".join(found))


def test_many_authors_are_on_every_machine() -> None:
    found = installed_authors()
    assert len(found) > 20
    assert len({text.author for text in found}) == len(found)
