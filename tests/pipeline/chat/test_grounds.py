import pytest

from pipeline.chat.grounds import Grounds
from pipeline.index.passages import Passage

TEXT = "The gateway of Ada listens on port 8765. See https://example.org/docs. Since March 2019 it has twelve doors."


def passage(title: str, text: str, heading: str = "", url: str = "") -> Passage:
    return Passage(
        id=title, document="a.md", title=title, url=url, heading=heading, text=text, score=1, visibility="public"
    )


GROUNDS = Grounds([passage("Gateway", TEXT, "Ports", "/docs/gateway")], "Does it run on a Mac?", ["Zed"])


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
        ("Run `gateway --ports` there.", ["--ports"]),
        ("Run `twelve_doors.py -x` there.", ["twelve_doors.py", "-x", "py"]),
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


POEMS = Grounds(
    [
        passage("E. E. Cummings", "Cummings was an American poet. He wrote approximately 2900 poems and four plays."),
        passage(
            "Andrew Carnegie", "Before his death on August 11, 1919, Carnegie had donated $350,695,654 for causes."
        ),
        passage("Apple Music", "It started in 113 countries. A trial takes three months."),
    ],
    "How many poems did Cummings write?",
)


@pytest.mark.parametrize(
    ("sentence", "misplaced"),
    [
        ("E. E. Cummings wrote about 2,900 poems.", []),
        ("The poems of Cummings were translated into 2900 languages.", ["2900"]),
        ("2,900 poems.", []),
        ("Andrew Carnegie donated $350,695,654.", []),
        ("The house of Carnegie in Lenox cost $350,695,654.", ["350695654"]),
        ("Cummings wrote 2900 poems, and Carnegie donated $350,695,654.", []),
        ("Apple Music has a trial of 3 months.", []),
        ("113", ["113"]),
        ("It began in 7 countries.", []),  # 7 stands nowhere: `lacking` says so
        ("Die Gedichte wurden in 2900 Sprachen gedruckt und gelesen.", []),
    ],
)
def test_numbers_that_stand_for_something_else(sentence: str, misplaced: list[str]) -> None:
    assert POEMS.misplaced(sentence) == misplaced


def test_a_sum_of_money_says_itself_that_it_is_a_price() -> None:
    card = Grounds([passage("Card", "It annoyed me after spending $650 on a GTX 980.")], "What did the GTX 980 cost?")
    assert card.misplaced("The GTX 980 cost $650.") == []
    assert card.misplaced("The GTX 980 cost 650.") == ["650"]


def test_a_number_in_code_of_a_passage_is_of_that_code() -> None:
    grounds = Grounds(
        [passage("Control", "The supported idiom is this one:\n\n```\nawait sleep(0)\n```")], "What yields?"
    )
    assert grounds.misplaced("The idiomatic way to yield control to the event loop is `await sleep(0)`.") == []
    assert grounds.misplaced("The event loop yields 0 times to other tasks.") == ["0"]


def test_what_leads_to_a_code_block_is_around_what_follows_it() -> None:
    text = (
        "After you have installed the command line tools for Catalina:\n\n```\nselect\n```\n\nIt will run Python 3.7.3."
    )
    grounds = Grounds([passage("Python on a Mac", text)], "Which version ships with the command line tools?")
    assert grounds.misplaced("Python 3.7.3 ships with the command line tools of Catalina.") == []
