import random

from pipeline.text.sentences import sentence_spans


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


def test_sentences_stand_without_the_space_around_them():
    text = "  Mr. Smith went home.\nHe slept – für 2.5 hours!  Why?\n\nNobody knows"
    assert sentences(text) == ["Mr. Smith went home.", "He slept – für 2.5 hours!", "Why?", "Nobody knows"]


def test_a_dot_that_begins_a_name_ends_no_sentence():
    text = "The new version of .NET reads .env (.NET 8). .NET is small ... It costs .5 units."
    assert sentences(text) == [
        "The new version of .NET reads .env (.NET 8).",
        ".NET is small ...",
        "It costs .5 units.",
    ]


def test_an_ordinal_ends_no_sentence():
    german = "Am 5. Januar 2024 zog ich um. Im 19. Jahrhundert stand es schon. Es waren 12. Danach kam keiner."
    assert sentences(german) == [
        "Am 5. Januar 2024 zog ich um.",
        "Im 19. Jahrhundert stand es schon.",
        "Es waren 12.",
        "Danach kam keiner.",
    ]
    assert sentences("Den 5. maj regnede. Dne 17. září ne.") == ["Den 5. maj regnede.", "Dne 17. září ne."]
    assert sentences("It costs 5. April is warm.") == ["It costs 5. April is warm."]
    assert sentences("He has 12. She has 2.5. Mine are 1,5. they") == [
        "He has 12.",
        "She has 2.5.",
        "Mine are 1,5.",
        "they",
    ]


def test_an_initial_before_a_no_break_space():
    assert sentences("see plan K\u00a0. Then go.") == ["see plan K\u00a0.", "Then go."]


def test_no_text_is_too_odd():
    rng = random.Random(1)
    letters = "ab .!?\n\t\"'()é日本。！🎉👩‍👧\u2028\u00a0\u0085Mr. 1.5 J.K"
    for _ in range(3000):
        text = "".join(rng.choice(letters) for _ in range(rng.randint(0, 60)))
        assert "".join("".join(sentences(text)).split()) == "".join(text.split())


def test_what_opens_a_sentence_is_not_the_end_of_the_one_before():
    dutch = "Onze kat is negen. 's Ochtends krijgt ze tonijn. 's Avonds kip."
    assert sentences(dutch) == ["Onze kat is negen.", "'s Ochtends krijgt ze tonijn.", "'s Avonds kip."]
    assert sentences('He left. "So?" she said. (Nobody knew.) It was “no.” “Why?”') == [
        "He left.",
        '"So?" she said.',
        "(Nobody knew.) It was “no.”",
        "“Why?”",
    ]
