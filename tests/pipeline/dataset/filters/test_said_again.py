import pytest

from pipeline.dataset.filters.evidence import evidence_of
from pipeline.dataset.filters.said_again import said_again
from tests.pipeline.dataset.filters.pairs import TEXT, candidate


def found(answer: str, text: str = TEXT) -> str:
    return said_again(answer, evidence_of(candidate("How long?", answer, text=text).sources))


@pytest.mark.parametrize(
    ("answer", "again"),
    [
        ("I fixed the old pump by hand, I fixed the old pump by hand.", "i fixed the old pump"),
        ("I like garlic. It is 12 metres. I like garlic.", "I like garlic."),
        ("Run `pump on`. Run `pump on`.", "Run pump_on."),
        ("Slugs never ate my garlic. Slugs never really ate my garlic.", "Slugs never really ate my garlic."),
        ("Slugs eat lettuce at night. At night slugs eat lettuce.", "At night slugs eat lettuce."),
        (
            "I see no slugs. I see no slugs in the beds now.",
            "I see no slugs in the beds now.",
        ),
        ("I ate five dates on the way and five dates on the way.", "five dates on the way"),
        ("In one sitting of three hours, in one sitting.", "in one sitting"),
        ("Every 300 seconds, so every 300 seconds, every 300 seconds.", "every 300 seconds"),
    ],
)
def test_what_is_said_again_is_found(answer: str, again: str) -> None:
    assert found(answer) == again


@pytest.mark.parametrize(
    "answer",
    [
        "One hose costs 5 euros a month. The other hose costs 6 euros a month.",
        "The course for boats takes a day and has an exam. Whoever has passed it, and is older than ten years, gets a card, "
        "and the course for boats takes no more of them.",
        "- I fixed the old pump by hand\n- I fixed the old pump by hand",
        "Yes. I water the tomatoes in the morning.",
    ],
)
def test_other_words_and_far_ones_pass(answer: str) -> None:
    assert found(answer) == ""


def test_what_the_text_says_twice_passes() -> None:
    assert found("I like it. Truly. I like it.", "I like it. Truly. I like it.") == ""
