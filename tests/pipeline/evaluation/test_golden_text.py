import pytest

from pipeline.errors import SitetwinError
from pipeline.evaluation.golden import GoldenQuestion
from pipeline.evaluation.golden_text import as_text, from_text

QUESTIONS = [
    {
        "question": "When?",
        "fact": ["2013", "two thousand thirteen"],
        "page": ["a.md", "b.md"],
        "reference": "In 2013:\nreally.",
    },
    {"question": "How?", "kind": "voice", "must_not": ["as an AI"]},
    {"question": "Which?", "kind": "changed", "facts": [["8765"]], "stale": ["8080"], "page": "a.md"},
    {"question": "Why?", "answerable": False, "why": "false_premise", "facts": [["never", "not once"]], "page": "a.md"},
]


@pytest.mark.parametrize("keys", QUESTIONS)
def test_what_is_written_is_read_again(keys) -> None:
    question = GoldenQuestion.model_validate(keys)
    again = from_text(question.question, as_text(question))
    assert again.groups == question.groups
    same = {"fact", "facts", "reference"}
    assert again.model_dump(exclude=same) == question.model_dump(exclude=same)
    assert again.reference.split() == question.reference.split()


def test_a_person_may_write_loosely() -> None:
    found = from_text("When?", "\n fact:2013|two thousand thirteen \n\npage: moved: to Utah.md\n")
    assert (found.groups, found.page, found.kind) == (
        (("2013", "two thousand thirteen"),),
        ("moved: to Utah.md",),
        "fact",
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("fakt: 2013", "“fakt: 2013” begins with no known key: begin it with kind, why"),
        ("fact: 2013", "an answerable question has a fact and a page"),
        ("kind: weather", "Input should be 'fact'"),
        ("fact: |\npage: a.md", "a group is empty"),
    ],
)
def test_what_is_not_whole_is_refused_with_the_reason(text, reason) -> None:
    with pytest.raises(SitetwinError) as error:
        from_text("When?", text)
    assert reason in str(error.value)
