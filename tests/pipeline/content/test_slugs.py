"""Expected slugs are github-slugger's own answers."""

import pytest

from pipeline.content.slugs import Slugger, plain_text, slugify


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Hello, World!", "hello-world"),
        ("Keyboard/Mouse Usage", "keyboardmouse-usage"),
        ("a  b - c", "a--b---c"),
        ("snake_case & more", "snake_case--more"),
        ("Привет Äpfel", "привет-äpfel"),
        ("日本語 の見出し", "日本語-の見出し"),
        ("I ♥ emoji 😄", "i--emoji-"),
        ("½ tsp ² Ⅷ", "-tsp--ⅷ"),
        ("Ⓐ circled", "ⓐ-circled"),
        ("😄", ""),
    ],
)
def test_slugs_are_those_of_github(text, slug):
    assert slugify(text) == slug


def test_repeated_slugs_are_counted_past_those_that_are_taken():
    slugger = Slugger()
    assert [slugger.slug(text) for text in ("foo", "foo", "foo 1", "Foo", "foo-1")] == [
        "foo",
        "foo-1",
        "foo-1-1",
        "foo-2",
        "foo-1-2",
    ]


def test_plain_text_keeps_words_only():
    assert (
        plain_text("**Use** `x<y>` in [the *docs*](http://a.b 't') &amp; ~~not~~ <b>here</b>")
        == "Use x<y> in the docs & not here"
    )
