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
