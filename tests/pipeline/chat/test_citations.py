import pytest

from pipeline.chat.citations import SUPPORTED, checked_marks, citations, cited_numbers, support, supporting_passage
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
    ("pieces", "expected"),
    [
        (["Yes [1]."], "Yes [1]."),
        (["Yes [", "2", "]", "."], "Yes [2]."),
        (["No [7] and [0]."], "No  and ."),
        (["Both [1, 2]."], "Both [1][2]."),
        (["Both [1,", " 9]."], "Both [1]."),
        (["list[int] and [x](y) ["], "list[int] and [x](y) ["),
    ],
)
def test_marks_are_checked_across_pieces(pieces: list[str], expected: str) -> None:
    assert "".join(checked_marks(pieces, passages=2)) == expected


def test_text_before_an_open_mark_is_not_held_back() -> None:
    assert list(checked_marks(["Port 8765 ", "[", "1]"], 1)) == ["Port 8765 ", "[1]"]


def test_cited_numbers_in_order_of_first_naming() -> None:
    assert cited_numbers("b [2], a [1], again [2]") == [2, 1]


def test_citations_quote_the_sentence_that_says_it() -> None:
    passages = [passage("Nothing here."), passage("The sky is blue. The gateway listens on port 8765. Tea is hot.")]
    (citation,) = citations("The gateway uses port 8765 [2].", passages)
    assert citation.n == 2
    assert citation.quote == "The gateway listens on port 8765."


def test_a_wrong_number_supports_nothing() -> None:
    assert support("The gateway listens on port 9999.", "The gateway listens on port 8765.") == 0
    assert support("The gateway listens on port 8765.", "The gateway listens on port 8765.") == 1


def test_the_best_supporting_passage_or_none() -> None:
    passages = [passage("Cats sleep."), passage("Chroma keeps the vectors.")]
    assert supporting_passage("The vectors are kept by Chroma.", passages) == 2
    assert supporting_passage("Bananas ripen in Peru.", passages) is None
    assert supporting_passage("anything", []) is None


def test_a_number_supports_itself_however_it_is_written() -> None:
    assert support("The library holds 5,000 maps.", "The library holds 5000 maps.") >= SUPPORTED
    assert support("The library holds 5,000 maps.", "The library holds 500 maps.") == 0.0
