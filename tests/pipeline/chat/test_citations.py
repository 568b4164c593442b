from collections.abc import Sequence

import pytest

from pipeline.chat.citations import (
    SUPPORTED,
    citations,
    cited_numbers,
    mark,
    marked,
    marks_of,
    support,
    supporting_passages,
    without_marks,
)
from pipeline.index.passages import Passage


def passage(text: str, title: str = "Title") -> Passage:
    return Passage(
        id=f"{title}#1",
        document=f"{title}.md",
        title=title,
        url=f"/{title}",
        heading="",
        text=text,
        score=1,
        visibility="public",
    )


@pytest.mark.parametrize(
    ("sentence", "numbers", "bare"),
    [
        ("Yes [1].", [1], "Yes."),
        ("Both [1, 2].", [1, 2], "Both."),
        ("Both [1][7] of them", [1, 7], "Both of them"),
        ("[1] Yes", [1], " Yes"),
        ("Take `rows[1]` and [1](/docs).", [], "Take `rows[1]` and [1](/docs)."),
        ("```\nrows[1]\n```", [], "```\nrows[1]\n```"),
    ],
)
def test_the_marks_of_a_model(sentence: str, numbers: list[int], bare: str) -> None:
    assert marks_of(sentence) == numbers
    assert without_marks(sentence) == bare


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Yes. ", "Yes [1][2]. "),
        ("- port 8765\n", "- port 8765 [1][2]\n"),
        ("Do this:\n", "Do this:\n"),
        ("| a | b |\n", "| a | b |\n"),
        ("```\nmake up\n```\n", "```\nmake up\n```\n[1][2]\n"),
    ],
)
def test_where_a_mark_stands(sentence: str, expected: str) -> None:
    assert marked(sentence, ["[1]", "[2]"]) == expected


def test_cited_numbers_in_order_of_first_naming() -> None:
    assert cited_numbers("b [2], a [1], again [2]") == [2, 1]


def test_citations_quote_the_sentence_that_says_it() -> None:
    passages = [passage("Nothing here."), passage("The sky is blue. The gateway listens on port 8765. Tea is hot.")]
    (citation,) = citations("The gateway uses port 8765 [2].", passages)
    assert citation.n == 2
    assert citation.quote == "The gateway listens on port 8765."


def test_a_quoted_paragraph_is_cited_by_the_sentence_that_was_asked_for() -> None:
    text = "My bread takes 340 ml of water. The dough rests. It bakes for 50 minutes. My bread takes ages, says Ann."
    quotation = "> My bread takes 340 ml of water. The dough rests. It bakes for 50 minutes. [1]"
    (citation,) = citations(quotation, [passage(text)], "How much water does my bread take?")
    assert citation.quote == "My bread takes 340 ml of water."
    (citation,) = citations(quotation, [passage(text)], "What does Ann say of bread?")
    assert citation.quote == "My bread takes 340 ml of water."


def test_a_wrong_number_supports_nothing() -> None:
    assert support("The gateway listens on port 9999.", "The gateway listens on port 8765.") == 0
    assert support("The gateway listens on port 8765.", "The gateway listens on port 8765.") == 1


def by_title(question: str, texts: Sequence[str]) -> list[float]:
    """A stand-in for meaning: the second title means it."""
    return [0.9 if text.startswith("Second") else 0.1 for text in texts]


def test_a_sentence_rests_on_the_passage_that_holds_its_words() -> None:
    passages = [passage("Cats sleep."), passage("Chroma keeps the vectors.")]
    assert supporting_passages("The vectors are kept by Chroma.", passages, by_title) == [2]
    assert supporting_passages("Bananas ripen in Peru.", passages, by_title) == []
    assert supporting_passages("anything", [], by_title) == []


def test_where_words_tie_or_are_other_ones_meaning_decides() -> None:
    passages = [passage("Chroma keeps the vectors."), passage("Chroma keeps the vectors.", "Second")]
    assert supporting_passages("Chroma keeps the vectors.", passages, by_title) == [2]
    assert supporting_passages("Embeddings live there.", passages, by_title) == [2]
    assert supporting_passages("Embeddings live on port 9.", passages, by_title) == []


def test_words_that_stand_together_hold_a_short_answer_before_the_same_words_apart() -> None:
    passages = [passage("It needs 8 GB in 4 bits, and 3.4 GB to fetch."), passage("It needs about 4 GB of free space.")]
    assert supporting_passages("4 GB", passages, lambda _, texts: [0.9, 0.1][: len(texts)]) == [2]
    assert supporting_passages("8 GB.", passages, lambda _, texts: [0.1, 0.9][: len(texts)]) == [1]


def test_a_models_mark_stays_where_it_checks_out() -> None:
    passages = [passage("Chroma keeps the vectors."), passage("Chroma keeps the vectors.", "Second"), passage("Cats.")]
    assert supporting_passages("Chroma keeps the vectors.", passages, by_title, [1]) == [1]
    assert supporting_passages("Chroma keeps the vectors.", passages, by_title, [3, 9]) == [2]


def test_a_number_supports_itself_however_it_is_written() -> None:
    assert support("The library holds 5,000 maps.", "The library holds 5000 maps.") >= SUPPORTED
    assert support("The library holds 5,000 maps.", "The library holds 500 maps.") == 0.0


def test_a_whole_answer_is_marked_sentence_by_sentence() -> None:
    passages = [passage("The dough rises two hours."), passage("Black tea draws four minutes.", "Tea")]
    cosines = lambda sentence, texts: [0.0 for _ in texts]  # noqa: E731
    answer = "Black tea draws four minutes [1].\n- The dough rises two hours.\nI like both!"
    marks = mark(answer, passages, cosines, keeps_marks=True)
    assert marks == "Black tea draws four minutes [2].\n- The dough rises two hours [1].\nI like both!"
    assert mark(answer, [], cosines, keeps_marks=True) == answer.replace(" [1]", "")


def test_a_number_of_the_question_need_not_stand_in_the_passage() -> None:
    notes, asked = (
        [passage("The blog is purple now: we redesigned it.")],
        "What colour is the blog we redesigned in 2021?",
    )
    said = "The blog is purple, redesigned in 2021."
    assert supporting_passages(said, notes, by_title, asked=asked) == [1]
    assert supporting_passages(said, notes, by_title) == []


def test_a_number_may_stand_in_words() -> None:
    assert supporting_passages("He slept 5 hours.", [passage("He slept a full five-hours a night.")], by_title) == [1]
