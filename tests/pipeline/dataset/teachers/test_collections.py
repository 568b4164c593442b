"""What was mended after pairs of several collections were read: guides, recipes, manuals, other people's notes."""

import re

import pytest

from pipeline.dataset.records import PairSource, Task
from pipeline.dataset.teachers.extractive.refusals import refusal_questions
from pipeline.dataset.teachers.extractive.text import Text, prose
from pipeline.dataset.teachers.extractive.topics import topic_of
from tests.pipeline.dataset.teachers.test_extractive import pairs, write


def test_links_whose_address_stands_elsewhere_are_read_as_their_text():
    words, names = prose("The [`saw`][1] needs the [saw guide][] and not `a[0][1]`.")
    assert words == "The `saw` needs the saw guide and not `a[0][1]`."
    assert "saw guide" in names


@pytest.mark.parametrize(
    "text",
    [
        "- Template: point the link to the guide of the saw (#3502)",
        "- Be prepared: when the saw is new, the blade is sharper than you think.",
        "1. Which decision needs to be made?\n2. Who decides about the saw?",
        "1. A test runner or framework\n2. Something for the saw",
        "Read more about the Lathe 300 on the page of its maker.",
        "How to sharpen the Lathe 300 without a stone.",
        "The Reader: Well, I guess the Lathe 300 has to do that.",
        "Now the Lathe 300 runs at the speed of a mill.",
        "(The Lathe 300 is a lathe that runs at the speed of a mill.)",
        "The Lathe 300 takes that even further.",
        "By using that gear, the Lathe 300 is faster.",
        "As I said, the Lathe 300 is a machine for wood.",
        "The Lathe 300 is something that I'll then talk about.",
        "I have to say that the Lathe 300 is a good machine.",
        "The rest of this post is about the Lathe 300.",
        '- Ann Berg: "Why the lathe turns slowly at night"',
        "- Ann Berg: [Why the lathe turns slowly at night](https://example.org)",
        "1. Cleans the blade of the saw\n2. Sharpens the blade of the saw",
        "Make sure to clean the Lathe 300 by using a brush.",
        "1. If the saw stops, the belt is cut in the middle.\n2. The saw then waits.",
    ],
)
def test_what_only_its_surroundings_explain_is_not_asked_about(text):
    assert {**write("fact", text), **write("how-to", text)} == {}


@pytest.mark.parametrize("heading", ["Bug Fixes", "Specify archetype", "Example -- guard", "Resolve quickly"])
def test_a_heading_that_is_no_subject_is_not_named(heading):
    asked = list(write("fact", "The saw guard is a cover that keeps fingers away.", heading=heading))
    assert asked == ["I have a question about your workshop: what is the saw guard?"]


def test_a_title_that_all_have_is_replaced_by_the_folder():
    text = "To clean the guard, use a soft brush and no water."
    made = PairSource("docs/band-saw/intro.md#0", "docs/band-saw/intro.md", 0, "Introduction", "", text, "public")
    [pair] = pairs(Task("how-to", 1, (made,)))
    assert re.search(r"band saw[:,] how do I clean the guard\?$", pair.question)


def test_directions_of_a_dish_are_how_it_is_made():
    steps = "1. Fry the onions in butter.\n2. Add salt, pepper and garlic.\n3. Let the sauce simmer."
    assert list(write("how-to", steps, title="Onion sauce", heading="Directions")) == ["How do I make onion sauce?"]


@pytest.mark.parametrize(
    "text",
    [
        "Node.js builds involve tons of random access to the disk.",
        "Bullet lists shouldn't have periods at their end.",
        "Reviewer writes a note on the wrong indentation.",
        "My first use of Windows was in the days of XP.",
        "The thermometer ensures the chicken comes out juicy and tender.",
    ],
)
def test_half_a_phrase_is_no_subject(text):
    known = "The reviewer and the lists use a thermometer."
    wrong = re.compile(r"Node\.js build|bullet list\?|does reviewer|first\?|first real|ensures the chicken\?")
    assert not [asked for asked in write("fact", f"{text}\n\n{known}") if wrong.search(asked)]


@pytest.mark.parametrize(
    ("kind", "text", "heading"),
    [
        ("voice", "I think the key is that a saw is never clean.", ""),
        ("voice", "I'd like to invite each of you to clean a saw.", ""),
        ("fact", "The trouble is a blade that nobody sharpens.", ""),
        ("how-to", "To help give you context, use the Lathe 300 of the workshop.", ""),
        ("fact", "Things are free and last forever there.", "Free! 🤑"),
    ],
)
def test_what_nobody_asks_for_is_not_asked(kind, text, heading):
    assert list(write(kind, text, heading=heading)) == []


def test_the_question_speaks_of_the_author_as_you():
    [asked] = write("fact", "The new saw was a big deal for me because my old saw had no guard.")
    assert "why was the new saw a big deal for you?" in asked


def test_what_a_title_says_of_its_state_is_no_subject():
    assert topic_of("Draft - Podcasts of 2021", "I like podcasts of 2021.") == "podcasts of 2021"
    assert (
        topic_of("A Review of My Time at Remix", "The time at Remix was a good time.")
        == "a review of your time at Remix"
    )


@pytest.mark.parametrize("about", ["your sixth year as a founder", "lessons from your first exit"])
def test_of_what_the_author_lived_through_nobody_asks_for_a_course(about):
    text = Text(PairSource("a#0", "a", 0, "Exit", "", "I sold my company in spring.", "public"))
    asked = list(refusal_questions(about, text))
    assert f"Have you ever given a talk about {about}?" in asked
    assert not any(re.search("course|taught|forum|listen", question) for question in asked)


@pytest.mark.parametrize(
    "said",
    [
        "I bought a third 12 TB drive as well, which I now use for my Downloads folder.",
        "I've taken the liberty of renaming `fn` to `type` in all of these files.",
        "I had `C:/Program Files/Common Files` mounted to a separate partition at one point.",
        "Last time, we had quite a few lessons about the Provider Pattern and its uses.",
        "The initial setup was quite similar, and it took me about an hour on my laptop.",
        "My favorite game on Playdate so far isn't part of the first season of games.",
        "2025 was a big year for me professionally, and a long one as well.",
    ],
)
def test_nobody_asks_what_only_the_text_makes_clear(said):
    asked = [*write("fact", said), *write("voice", said)]
    assert not [one for one in asked if re.search(r"third|taken the|C:|Provider|setup|Playdate|2025", one)]


def test_a_thing_without_a_name_is_asked_about_of_a_product_only():
    said = "The form factor is a little rough to play on for a longer time."
    of_product = list(write("fact", said, title="The Steam Deck", heading=""))
    of_essay = list(write("fact", said, title="Building a homelab server", heading=""))
    assert (len(of_product), of_essay) == (1, [])


def test_a_title_that_is_no_subject_is_quoted_for_a_name_only():
    assert list(write("voice", "I really like colors in all of my rooms.", title="It's purple now.", heading="")) == []


@pytest.mark.parametrize(
    "said", ["You can actually interact with that form by clicking it.", "There is less to learn."]
)
def test_what_tells_no_way_makes_no_how_to(said):
    steps = "1. Less API to learn\n2. Smaller bundle size\n3. Reduced trouble when updating"
    assert list(write("how-to", f"{said}\n\n{steps}", title="Replacing axios", heading="")) == []
