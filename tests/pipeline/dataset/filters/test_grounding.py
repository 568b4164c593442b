import pytest

from pipeline.chat.refusing import NOT_IN_NOTES
from pipeline.dataset.filters.grounding import grounding
from tests.pipeline.dataset.filters.pairs import SETTINGS, TEXT, candidate


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How long is the greenhouse?", "Its length is 12 metres."),
        ("How long is the greenhouse?", "Twelve metres."),
        ("When do you water the tomatoes?", "Always in the morning; in the evening I never do."),
        ("Which pump do you have?", "A Gardena 5000."),
        ("Do slugs eat garlic?", "No, they don't eat garlic."),
        ("Which key sets how long the pump runs?", "`pump.minutes`"),
        ("Is compost public?", "Yes, at the Elm Road plot. Seeds are private, though."),
        ("How many buildings are in your garden?", "Two: a greenhouse and a shed."),
        ("When do you water?", "My advice: Water tomatoes in the morning (Never in the evening)."),
        ("How long is the shed?", TEXT.split("\n")[0]),
    ],
)
def test_what_the_text_says_passes_in_other_words_too(question: str, answer: str) -> None:
    assert grounding(candidate(question, answer), SETTINGS) == ""


@pytest.mark.parametrize(
    ("question", "answer", "said"),
    [
        ("How long is the greenhouse?", "It is 14 metres long.", "number 14 is not in the text"),
        ("How long is the greenhouse?", "It is fifteen metres long.", "number fifteen is not in the text"),
        ("Which pump do you have?", "The pump is an Einhell 5000.", "names “Einhell”"),
        ("Which key sets how long it runs?", "The key `pump.seconds` sets it.", "names “seconds”"),
        ("What else grows there?", "A vine climbs along the southern wall since spring.", "is not in the text"),
        ("How long is the greenhouse?", "The greenhouse is 8 metres long.", "8 of something else"),
        ("Which pump do you have?", "The pump is not a Gardena 5000.", "the opposite"),
        ("Do slugs eat garlic?", "Yes, slugs eat garlic.", "the opposite"),
        ("What is public?", "Compost is private at the Elm Road plot.", "the answer says “private”"),
    ],
)
def test_what_the_text_does_not_say_is_refused(question: str, answer: str, said: str) -> None:
    text = TEXT.replace("; seeds stay private", "")
    assert said in grounding(candidate(question, answer, text=text), SETTINGS)


def test_names_in_swapped_places_are_noticed() -> None:
    text = "- The mode `dense` is the search by meaning only.\n- The mode `keyword` is the search by words only."
    asked = "Which mode searches by meaning?"
    assert grounding(candidate(asked, "The mode `dense` searches by meaning only.", text=text), SETTINGS) == ""
    swapped = grounding(candidate(asked, "The mode `keyword` searches by meaning only.", text=text), SETTINGS)
    assert "something else: “The mode `dense`" in swapped


def test_numbers_are_compared_in_one_way_of_writing() -> None:
    text = "A file may have 5,000,000 bytes. Recall is .872. Eight drives are in the pool, 8x12 TB. Wait two minutes."
    asked = "What are the limits of the pool?"
    for answer in ("5000000 bytes.", "Recall is 0.872.", "8 drives of 12 TB.", "2 minutes."):
        assert grounding(candidate(asked, answer, text=text), SETTINGS) == ""
    assert "number 500000 " in grounding(candidate(asked, "500,000 bytes.", text=text), SETTINGS)


def test_a_number_in_words_may_count_what_a_list_holds() -> None:
    text = "My tools:\n\n- spade\n- rake\n- hoe\n- knife\n- saw"
    assert grounding(candidate("How many tools do you have?", "Five tools.", text=text), SETTINGS) == ""
    assert "eleven" in grounding(candidate("How many tools do you have?", "Eleven tools.", text=text), SETTINGS)


def test_title_and_heading_are_part_of_the_text() -> None:
    told = candidate("Where is the pump?", "The pump is in Toledo.", title="A garden in Toledo")
    assert grounding(told, SETTINGS) == ""


def test_german_nouns_are_no_names() -> None:
    text = "Mein Gewächshaus ist zwölf Meter lang, und ich gieße dort jeden Morgen die Tomaten mit Regenwasser."
    asked = "Wie lang ist das Gewächshaus?"
    fine = "Das Gewächshaus hat eine Länge von zwölf Meter."
    assert grounding(candidate(asked, fine, text=text), SETTINGS) == ""
    assert "number 14" in grounding(candidate(asked, "Das Gewächshaus ist 14 Meter lang.", text=text), SETTINGS)


def test_a_refusal_of_what_the_text_answers_is_refused() -> None:
    answered = candidate("How many metres long is the greenhouse?", NOT_IN_NOTES, "refusal")
    assert "the text may answer it: “My greenhouse is 12 metres long" in grounding(answered, SETTINGS)
    near_miss = candidate("How many windows does the greenhouse have?", NOT_IN_NOTES, "refusal")
    assert grounding(near_miss, SETTINGS) == ""
