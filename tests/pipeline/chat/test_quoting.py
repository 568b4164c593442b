import pytest

from pipeline.chat.quoting import best_quotes
from pipeline.index.passages import Passage

BETWEEN = " ".join(["Some tools in it belong to a neighbour who lent them long ago."] * 8)
SHED = f"The shed has a red door and a red roof. {BETWEEN} Its key hangs behind the rain gauge."


def test_the_quotation_is_of_what_this_turn_asks() -> None:
    """Equal cosines, so that the words alone decide."""
    passage = Passage(id="a", document="a", title="", url="", heading="", text=SHED, score=1,
                      visibility="public")  # fmt: skip
    question = "Has the shed a red door or roof? And the rain gauge and key?"

    def similarity(question: str, texts: list[str]) -> list[float]:
        return [0.5] * len(texts)

    joined = best_quotes(question, [passage], similarity, most=1)
    asked = best_quotes(question, [passage], similarity, most=1, asked="And the rain gauge and key?")
    assert joined[0].text.startswith("The shed has a red door")
    assert "key" not in joined[0].text
    assert asked[0].text.endswith("Its key hangs behind the rain gauge.")


TOOLS = """The shed holds tools of three kinds.

| Tool | Place | Owner |
| --- | --- | --- |
| Saw | upper shelf | Ida |
| Rake | left wall | Jonas |

All of them are older than the house. Nobody remembers who built the shelves."""
STEPS = """Before you leave:

1. Lock the door:

   ```sh
   shed lock
   ```
2. Hang the key behind the rain gauge.

The rest of this note is about the roof. It leaked in the spring."""


def _quoted(text: str, question: str) -> str:
    passage = Passage(id="a", document="a", title="", url="", heading="", text=text, score=1,
                      visibility="public")  # fmt: skip
    return best_quotes(question, [passage], lambda _, texts: [0.5] * len(texts), most=1)[0].text


def test_a_row_grows_by_its_table_alone() -> None:
    assert _quoted(TOOLS, "Where is the rake?") == (
        "- Tool: Saw — Place: upper shelf — Owner: Ida\n- Tool: Rake — Place: left wall — Owner: Jonas"
    )


def test_a_step_keeps_its_code_and_the_line_that_introduces_it() -> None:
    quoted = _quoted(STEPS, "How do I lock the door of the shed?")
    assert quoted.startswith("Before you leave:\n1. Lock the door:\n\n")
    assert "shed lock" in quoted
    assert quoted.endswith("2. Hang the key behind the rain gauge.")


def test_a_sentence_before_a_list_may_grow_into_it() -> None:
    assert _quoted(TOOLS, "How many kinds of tools does the shed hold?").startswith(
        "The shed holds tools of three kinds."
    )


def test_the_quotation_holds_the_kind_of_thing_that_is_asked_for() -> None:
    text = "Der Rabatt für Studenten lohnt sich. Einen Rabatt bekommt, wer studiert. Studenten zahlen 40 % weniger.\n\nSonst nichts."
    long = text.replace("Sonst", "So viel steht hier, damit keine zwei Sätze beisammen bleiben. " * 8 + "Sonst")
    passages = [
        Passage(id="a", document="a", title="Rabatt", url="", heading="", text=long, score=1.0, visibility="public")
    ]
    quotes = best_quotes("Wie viel Rabatt bekommen Studenten?", passages, lambda question, texts: [0.5] * len(texts))
    assert "40 %" in quotes[0].text


SETTINGS = """| key | default | meaning |
| --- | --- | --- |
| `gateway.host` | `"127.0.0.1"` | address the gateway listens on |
| `gateway.port` | `8765` | port of the page and the chat |
| `gateway.origins` | `[]` | sites that may embed the chat |"""


def test_the_row_whose_key_is_asked_for_stands_alone() -> None:
    prose = "The gateway listens on 127.0.0.1 by default, so nobody else reaches the port that it listens on."
    passages = [
        Passage(id=str(n), document=str(n), title="", url="", heading="", text=text, score=1, visibility="public")
        for n, text in enumerate([prose, SETTINGS])
    ]
    quotes = best_quotes("Which port does the gateway listen on?", passages, lambda _, texts: [0.5] * len(texts))
    assert quotes[0].text == "- key: `gateway.port` — default: `8765` — meaning: port of the page and the chat"
    assert quotes[0].n == 2


def test_in_german_the_row_whose_first_cell_is_asked_for_stands_alone() -> None:
    prose = "Ein einzelner Prozess des Servers belegt bis zu 350 MiB RAM, bevor er geleert wird."
    needs = """| Ressource | Anforderung |
| --- | --- |
| CPU | 1 GHz |
| RAM | 6 GiB und 1 GiB Swap |
| Festplatte | 20 GiB |"""
    passages = [
        Passage(id=str(n), document=str(n), title="", url="", heading="", text=text, score=1, visibility="public")
        for n, text in enumerate([prose, needs])
    ]
    quotes = best_quotes("Wie viel RAM braucht der Server?", passages, lambda _, texts: [0.5] * len(texts))
    assert quotes[0].text == "- Ressource: RAM — Anforderung: 6 GiB und 1 GiB Swap"


def test_a_row_that_is_named_by_a_question_for_something_else_grows_as_ever() -> None:
    assert "gateway.origins" in _quoted(SETTINGS, "How do visitors reach the chat through the port?")


def test_a_label_is_shown_below_the_heading_that_says_of_what() -> None:
    text = "- Type: `boolean`\n- Default: `false`\n\nWhen set to `true`, the trailing `.html` is removed from URLs."
    passage = Passage(id="a", document="a", title="", url="", heading="Routing > cleanUrls", text=text, score=1,
                      visibility="public")  # fmt: skip
    [quote] = best_quotes("What is the default of cleanUrls?", [passage], lambda _, texts: [0.5] * len(texts), most=1)
    assert quote.text == "**cleanUrls**\n\n- Default: `false`"


ABOVE = "The first commit of a repository has no parents. Ask for those without."


def _program(lines: int) -> str:
    return "```sh\n" + "git rev-list --max-parents=0 HEAD\n" * lines + "```"


def test_how_something_is_done_is_quoted_with_the_code_that_follows() -> None:
    text = f"{ABOVE}\n\n{_program(12)}\n\nThat is all."
    assert _quoted(text, "How do I find the first commit of a repository?").endswith(_program(12))


def test_when_it_was_needs_no_code_and_a_whole_program_is_left_out() -> None:
    assert "rev-list" not in _quoted(f"{ABOVE}\n\n{_program(12)}", "When was the first commit of the repository?")
    assert "rev-list" not in _quoted(f"{ABOVE}\n\n{_program(30)}", "How do I find the first commit of a repository?")


@pytest.mark.parametrize(
    ("question", "answer", "other"),
    [
        ("Wie lange kann ich ein Postfach zurückholen?", "Das geht 5 Tage lang.", "Das Postfach liegt in Ordner 1629."),
        ("Wie groß darf ein Postfach sein?", "Bis zu 4 GB sind frei.", "Ein Postfach hat 3 Ordner."),
        ("Wie oft wird das Postfach gesichert?", "Das geschieht täglich.", "Das Postfach hat 3 Ordner."),
        ("Mit welchem Befehl leere ich das Postfach?", "Nimm `mail purge` dafür.", "Das Postfach leert sich nie."),
    ],
)
def test_in_german_the_answer_has_the_shape_that_is_asked_for(question: str, answer: str, other: str) -> None:
    between = "Davon weiß niemand mehr, warum es so ist, und es stört auch keinen. " * 6
    quoted = _quoted(f"{other} {between}{answer}", question)
    assert answer in quoted
    assert other not in quoted


def test_a_verb_that_the_question_takes_apart_is_found_in_one_word() -> None:
    between = "Davon weiß niemand mehr, warum es so ist, und es stört auch keinen. " * 6
    quoted = _quoted(
        f"Ich schalte gern. {between}Das Ausschalten des Lichts geht am Kasten.", "Wie schalte ich das Licht aus?"
    )
    assert "Kasten" in quoted


def test_a_verb_is_met_in_another_form() -> None:
    texts = ("Das alte Postfach wird behalten.", "Das alte Postfach wird gelöscht.")
    passages = [
        Passage(id=text, document=text, title="", url="", heading="", text=text, score=1, visibility="public")
        for text in texts
    ]
    quoted = best_quotes("Wie lösche ich das alte Postfach?", passages, lambda _, windows: [0.5] * len(windows))
    assert quoted[0].text == "Das alte Postfach wird gelöscht."
