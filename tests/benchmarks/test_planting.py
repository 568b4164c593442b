import random

from benchmarks import planting
from pipeline.dataset.records import Candidate, Pair, PairSource

TEXT = "In 2019 I built my bench out of beech for 300 dollars. The old bench was too low for my back and for my knees."
SOURCE = PairSource("a.md#0", "a.md", 0, "Bench", "", TEXT, "public")


def candidate() -> Candidate:
    pair = Pair(
        question="When did you build the bench?", answer=TEXT.split(". ")[0] + ".", kind="fact", source="a.md", chunk_index=0,
        chunks=("a.md#0",), accuracy=9, style=9,
    )  # fmt: skip
    return Candidate(pair, (SOURCE,))


def test_each_fault_of_form_is_planted_once_and_changes_the_pair():
    one = candidate()
    found = dict(planting.planted([one], random.Random(1)))
    assert set(planting.OF_FORM) - {"label in the notes' language"} <= set(found)
    assert all(fault.pair != one.pair for fault in found.values())
    assert "euros" in found["unit"].pair.answer
    assert " I " not in found["third person"].pair.answer
    assert one.pair.answer.startswith(found["cut off"].pair.answer.rstrip(".").removesuffix(" and")[:20])


def test_a_label_is_planted_in_the_notes_language_too():
    text = "Im Jahr 2019 habe ich meine Werkbank aus Buche gebaut. Die alte war zu niedrig für meinen Rücken."
    source = PairSource("a.md#0", "a.md", 0, "Werkbank", "", text, "public")
    pair = candidate().pair.model_copy(update={"answer": text.split(". ")[0] + "."})
    found = dict(planting.planted([Candidate(pair, (source,))], random.Random(1)))
    label = found["label in the notes' language"].pair.answer.removesuffix(pair.answer).strip("*#:： \n")
    assert label.lower() in {"antwort", "frage", "a", "f"}


def test_what_is_too_short_is_left_alone():
    draw = random.Random(1)
    assert (planting.cut("Twelve.", draw), planting.repeated("Twelve.", draw), planting.with_other_unit("Twelve.")) == (
        "",
        "",
        "",
    )
