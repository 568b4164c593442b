import pytest

from pipeline.engine.stopping import Stops

TEXT = "The quick brown fox jumps over the lazy dog. The end."


def cuts(text: str, width: int) -> list[str]:
    return [text[at : at + width] for at in range(0, len(text), width)]


@pytest.mark.parametrize("width", [1, 2, 3, 7, 100])
@pytest.mark.parametrize(
    ("strings", "expected"),
    [
        (["ox"], "The quick brown f"),
        ([" fox"], "The quick brown"),
        (["n f", "zzz"], "The quick brow"),
        (["lazy", "over"], "The quick brown fox jumps "),
        (["The"], ""),
        (["dog. The end?", "."], "The quick brown fox jumps over the lazy dog"),
        (["the the", "nothing"], TEXT),
        ([], TEXT),
    ],
)
def test_the_text_ends_before_the_string_however_it_is_cut(width: int, strings: list[str], expected: str) -> None:
    stops = Stops(strings)
    shown = "".join(stops.feed(piece) for piece in cuts(TEXT, width))
    if not stops.is_found:
        shown += stops.close()
    assert shown == expected
    assert stops.is_found == (expected != TEXT)
    assert stops.feed("more") == "" or expected == TEXT


def test_no_part_of_a_string_is_shown_before_it_is_known() -> None:
    stops = Stops(["<END>"])
    assert [stops.feed(piece) for piece in ("a<", "E", "ND", "X", "<EN", "D>b")] == ["a", "", "", "<ENDX", "", ""]
    assert stops.is_found


def test_a_string_that_begins_within_itself_is_found() -> None:
    stops = Stops(["aab"])
    assert [stops.feed(piece) for piece in "aaab"] == ["", "", "a", ""]
    assert stops.is_found
