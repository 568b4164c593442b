import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.dataset.records import Candidate, Judgement
from pipeline.evaluation.golden import GoldenQuestion
from pipeline.evaluation.golden_check import check, judged
from pipeline.index.passages import Passage
from pipeline.text.words import content_stems

NOTES = {
    "tea.md": "Tea\nGreen tea is brewed at 70 degrees. My kettle is a Bonavita, and it holds one litre.",
    "coffee.md": "Coffee\nI grind 18 grams of beans. The kettle for coffee is a Bonavita too.",
    "2019/boat.md": "Boat\nI sold the boat in spring.",
    "2020/boat.md": "Boat\nThe new boat has a red sail.",
}
TRAINED = ["How hot is green tea brewed?", "How many grams of beans do you grind?"]


def embed(texts: Sequence[str]) -> np.ndarray:
    """One direction for each stem: texts of the same stems have the cosine 1."""
    stems = sorted({stem for text in texts for stem in content_stems(text)} | {"nothing"})
    rows = np.array([[1.0 * (stem in content_stems(text)) for stem in stems] for text in texts])
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def search(question: str) -> list[Passage]:
    wanted = set(content_stems(question))
    passages = [
        Passage(
            id=f"{id}#0", document=id, title=text.split("\n")[0], url="", heading="", text=text.split("\n")[1], score=1,
            visibility="public",
        )
        for id, text in NOTES.items()
    ]  # fmt: skip
    fitting = [passage for passage in passages if wanted & set(content_stems(passage.text))]
    return sorted(fitting, key=lambda passage: -len(wanted & set(content_stems(passage.text))))[:2]


def question(text: str, **keys) -> GoldenQuestion:
    return GoldenQuestion.model_validate({"question": text} | keys)


def faults(*questions: GoldenQuestion) -> list[tuple[int, str]]:
    return [(found.number, found.fault) for found in check(questions, NOTES, TRAINED, embed, search)]


GOOD = [
    question("How much water goes into the kettle for tea?", fact="litre", page="tea.md"),
    question("Which colour has the sail?", fact="red", page="2020/boat"),
    question("How hot may the water for green tea be?", fact="70", page="tea.md", kind="paraphrase"),
    question("Who built the kettle factory?", answerable=False, why="missing_detail"),
    question("Why did you never sell the boat?", answerable=False, why="false_premise", page="2019/boat.md"),
    question("How do you like tea?", kind="voice"),
    question("How many are there?", answerable=False, why="underspecified"),
]


def test_good_questions_have_no_fault():
    assert faults(*GOOD) == []


@pytest.mark.parametrize(
    ("bad", "fault", "reason"),
    [
        (question("How many grams of beans do you grind?", fact="18", page="coffee.md"), "leaked", "trained on"),
        (question("how hot is green tea brewed", fact="70", page="tea.md", kind="paraphrase"), "leaked", "trained on"),
        (question("Which knives are sharp?", fact="all", page="kitchen.md"), "stale", "is gone"),
        (question("How hot is tea?", fact="80", page="tea.md"), "stale", "“80” no longer stands in tea.md"),
        (question("What happened to the old boat?", fact="sold", page="boat"), "ambiguous", "boat names 2 documents"),
        (question("How hot is it?", fact="70", page="tea.md"), "ambiguous", "what “it” is"),
        (question("Is the sail red?", fact="red", page="2020/boat.md"), "ambiguous", "the question itself says “red”"),
        (
            question("Which brand is the kettle?", fact="Bonavita", page="tea.md"),
            "ambiguous",
            "coffee.md seems to answer",
        ),
        (
            question("What is the boat's sail like?", fact="red sail", must_not="red", page="2020/boat.md"),
            "ambiguous",
            "“red” must not be in the answer",
        ),
        (question("Which new boat has a red sail?", answerable=False, why="property"), "answerable", "may answer it"),
        (
            question("Which colour has the sail?", fact="sail", page="2020/boat"),
            "ambiguous",
            "the question itself says",
        ),
    ],
)
def test_each_fault_is_found_with_its_reason(bad, fault, reason):
    found = check([bad], NOTES, TRAINED, embed, search)
    assert [one.fault for one in found] == [fault]
    assert reason in found[0].reason


def test_a_question_asked_twice_is_doubled_at_its_second_place():
    other = question("WHICH colour has the sail", fact="red", page="2020/boat")
    assert faults(*GOOD, other) == [(len(GOOD) + 1, "doubled")]


class StrictJudge:
    name = "strict"

    async def judge(self, candidate: Candidate) -> Judgement:
        faithful = 2 if "Bonavita" in candidate.text and "kettle" in candidate.pair.question else 10
        return Judgement(faithful=faithful, relevant=10, reason="it says Bonavita")


def test_a_judge_finds_what_words_do_not():
    hidden = question("Which company makes your kettle?", answerable=False, why="property")
    unclear = question("Which kettle?", answerable=False, why="underspecified")
    outside = question("Who grows beans?", answerable=False, why="outside")
    assert faults(hidden) == []
    (found,) = asyncio.run(judged([unclear, outside, hidden], StrictJudge(), search))
    assert (found.number, found.fault) == (3, "answerable")
    assert "it says Bonavita" in found.reason
