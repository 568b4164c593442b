import pytest

from pipeline.dataset.voice.masking import masked
from pipeline.dataset.voice.pairs import is_of_voice, pairs_of
from pipeline.dataset.voice.said import Said

LONG = "I never trust a backup that I have not restored myself."


def pair_of(*said):
    return [candidate.pair for candidate in pairs_of([("chat.txt", one) for one in said])]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ask Bob about it", "ask ••• about it"),
        ("Bob's dog, and bob miller himself", "•••'s dog, and ••• himself"),
        ("see https://x.test/a?b=1, or www.x.test", "see ••• or •••"),
        ("thanks @carl@social.test and @dora!", "thanks ••• and •••!"),
        ("mail eve@corp.org or call 030 1234567", "mail ••• or call •••"),
        ("order 123456789 from 2025", "order ••• from 2025"),
        ("Bobsled is a sport of 4 people", "Bobsled is a sport of 4 people"),
    ],
)
def test_what_is_others_is_masked(text, shown):
    assert masked(text, {"Bob Miller"}) == shown


def test_what_was_said_before_is_the_question():
    [pair] = pair_of(Said(LONG, "What do you think of backups, Bob?", "c", frozenset({"Bob"})))
    assert (pair.kind, pair.question, pair.answer) == ("voice", "What do you think of backups, •••?", LONG)
    assert is_of_voice(pair)
    assert pair.chunks == ()
    assert "#c" not in pair.source


def test_the_question_of_a_post_is_neutral_and_in_its_language():
    german = "Ich traue keiner Sicherung, die ich nicht selbst zurückgespielt habe."
    hungarian = "Ma reggel kimentem a kertbe, és megöntöztem a paradicsomot, mert nagyon meleg volt."
    assert [pair.question for pair in pair_of(Said(LONG), Said(german), Said(hungarian))] == [
        "What's on your mind?",
        "Was beschäftigt dich gerade?",
    ]


def test_short_messages_repeated_ones_and_those_of_masks_alone_are_left_out():
    said = [Said("ok"), Said("Yes, see you then!!"), Said(LONG), Said(LONG.upper()), Said("https://a.test/long/path")]
    assert [pair.answer for pair in pair_of(*said)] == [LONG]


def test_half_a_character_does_not_stop_a_build():
    [pair] = pairs_of([("\udcff.json", Said(LONG + " \ud83d", "\ud83d why", "\ud83d", frozenset({"\ud83d x"})))])
    assert pair.pair.model_dump_json().encode()
    assert pair.pair.answer == LONG + " ?"


def test_a_long_question_keeps_its_end():
    [pair] = pair_of(Said(LONG, "word " * 200 + "and so?"))
    assert pair.question.endswith("and so?")
    assert 250 < len(pair.question) <= 300
