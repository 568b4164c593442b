from benchmarks.voice import Row, ranks, with_facts
from pipeline.evaluation.voice.texts import Text, masked


def test_a_stranger_with_the_author_s_facts_differs_in_facts_alone() -> None:
    said = {"q": "Der Ofen steht im Garten, und ich mag ihn nicht."}
    changed = with_facts(said, Text("a", ("Winnetou ritt nach Osten.",)), "de")
    assert changed["q"] != said["q"]
    assert masked(changed["q"], "de") == masked(said["q"], "de")


def test_only_rows_with_a_voice_are_ranked() -> None:
    def row(author: float | None, stranger: float | None) -> Row:
        return Row("de", "a", "other authors", {}, {"author": author, "stranger": stranger})

    assert ranks([row(0.9, 0.1), row(0.1, 0.2), row(None, None)]) == [True, False]
