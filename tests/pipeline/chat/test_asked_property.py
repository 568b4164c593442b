import pytest

from pipeline.chat.asked_property import KEY_WEIGHT, KEY_WEIGHT_ELSEWHERE, SHAPE_WEIGHT, AskedProperty


@pytest.mark.parametrize(
    ("question", "piece", "heading", "share"),
    [
        ("Which port does the gateway listen on?", "- key: `gateway.port` — default: `8765`", "", 1.0),
        ("Which port does the gateway listen on?", "- key: `langflow.port` — default: `7860`", "", 0.5),
        ("Which port does the gateway listen on?", "- key: `gateway.host` — meaning: address and port", "", 0.0),
        ("Which flag sets the port?", "- `--port <number>`: the port", "", 0.0),
        ("What is the default port?", "- `--port <number>`: the port", "", 1.0),
        ("What is the default of assetsInlineLimit?", "- `assetsInlineLimit`: bytes", "", 0.0),
        ("What is the default title of a site?", "- Default: `Site`", "title", 1.0),
        ("What is the default title of a site?", "- Default: `:title`", "titleTemplate", 2 / 3),
        ("What does overfitting look like?", "- preset: `overfit` — what it does: five epochs", "", 0.0),
        ("Which port does the gateway listen on?", "The `port` is 8765.", "", 0.0),
    ],
)
def test_how_much_of_a_key_the_question_names(question: str, piece: str, heading: str, share: float) -> None:
    assert AskedProperty(question).named_by_key(piece, heading) == pytest.approx(share)


@pytest.mark.parametrize(
    ("question", "piece", "share"),
    [
        ("Wie viel RAM braucht der Server?", "- Ressource: RAM — Minimale Anforderung: 6 GiB", 1.0),
        ("Wie heißt das Plugin für CloudFlare?", "- Anbieter: **CloudFlare** — Plugin: `dns_cf`", 1.0),
        ("Was steht in der theme.xml?", "- Name: theme.xml — Erklärung: alle Datensätze", 1.0),
        ("Combien de RAM faut-il au serveur ?", "- Ressource: RAM — Minimum: 6 GiB", 1.0),
        ("Wie viel RAM braucht der Server?", "- Ressource: RAM der Datenbank — Minimum: 2 GiB", 0.0),
        ("Wie viel RAM braucht der Server?", "- Ressource: CPU — Empfehlung: RAM dazu", 0.0),
        ("Wie viel RAM braucht der Server?", "- Es — das RAM", 0.0),
        ("Wie viel RAM braucht der Server?", "RAM — das ist Arbeitsspeicher.", 0.0),
        ("Wie viel RAM braucht der Server?", "- RAM", 0.0),
        ("How much RAM does the server need?", "- Resource: RAM — Minimum: 6 GiB", 0.0),
    ],
)
def test_a_row_is_known_by_its_first_cell_in_other_languages_than_english(
    question: str, piece: str, share: float
) -> None:
    asked = AskedProperty(question)
    assert asked.named_by_key(piece) == share
    assert asked.weight([piece]) >= share * KEY_WEIGHT_ELSEWHERE


@pytest.mark.parametrize(
    ("question", "held", "lacking"),
    [
        ("Which port does the gateway listen on?", "It listens on 8765.", "It listens on the loopback address."),
        ("Which flag shows the log?", "`--verbose` shows the log.", "The log is shown by a flag."),
        ("Which setting turns it off?", "Set `enabled` to false.", "It can be turned off."),
        (
            "How many chats are answered at once?",
            "It answers 8 chats at the same time.",
            "It answers chats in the order of their questions.",
        ),
        ("How long does it rest?", "It rests for 40 minutes.", "It rests in the cellar."),
    ],
)
def test_what_an_answer_looks_like(question: str, held: str, lacking: str) -> None:
    asked = AskedProperty(question)
    assert asked.has_shape(held)
    assert not asked.has_shape(lacking)
    assert asked.weight([lacking, held]) == SHAPE_WEIGHT


def test_both_weights_add_up() -> None:
    asked = AskedProperty("Which port does the gateway listen on?")
    assert asked.weight(["- key: `gateway.port` — default: `8765`"]) == pytest.approx(KEY_WEIGHT + SHAPE_WEIGHT)
