import pytest

from pipeline.chat.grounds import Grounds
from pipeline.index.passages import Passage

TEXT = "The gateway of Ada listens on port 8765. See https://example.org/docs. Since March 2019 it has twelve doors."
PASSAGE = Passage(
    id="a#1", document="a.md", title="Gateway", url="/docs/gateway", heading="Ports", text=TEXT, score=1,
    visibility="public",
)  # fmt: skip
GROUNDS = Grounds([PASSAGE], "Does it run on a Mac?", ["Zed"])


@pytest.mark.parametrize(
    ("sentence", "lacking"),
    [
        ("The gateway listens on port 8765.", []),
        ("Its port is 9999.", ["9999"]),
        ("It has 12 doors since March 2019.", []),
        ("It has fifteen doors.", ["fifteen"]),
        ("On a Mac it runs, and in Zed.", []),
        ("The gateway was made by Grace Hopper.", ["Grace", "Hopper"]),
        ("Set `gateway.doors` in it.", []),
        ("Set `gateway.colour` in it.", ["colour"]),
        ("See https://example.org/docs and https://evil.example/x.", ["https://evil.example/x"]),
        ("Read [the guide](/docs/gateway) and [more](/docs/more).", ["/docs/more"]),
        ("Das Gateway hat seit März 2019 zwölf Türen und eine Klingel.", []),
    ],
)
def test_what_stands_nowhere(sentence: str, lacking: list[str]) -> None:
    assert GROUNDS.lacking(sentence) == lacking


def test_copies_and_the_question_are_known() -> None:
    assert GROUNDS.is_copied("The gateway of **Ada** listens on port 8765")
    assert not GROUNDS.is_copied("Ada listens on her port.")
    assert GROUNDS.is_question("does it run on a mac")
