import pytest

from pipeline.chat.conversation import retrieval_query
from pipeline.chat.records import Turn


def turns(*questions: str) -> list[Turn]:
    return [
        turn for q in questions for turn in (Turn(role="user", content=q), Turn(role="assistant", content="An answer."))
    ]


@pytest.mark.parametrize("question", ["And what does it cost?", "why?", "How do I stop it?", "what about macOS?"])
def test_a_leaning_question_takes_the_last_one_along(question: str) -> None:
    query = retrieval_query(question, turns("How do I start the gateway?"))
    assert query == f"How do I start the gateway? {question}"


def test_a_question_that_stands_alone_goes_alone() -> None:
    question = "Which port does the Langflow editor listen on?"
    assert retrieval_query(question, turns("How do I start the gateway?")) == question


def test_a_chain_goes_back_to_the_question_that_stood_alone() -> None:
    history = turns("Which port does the Langflow editor listen on?", "can I change it?")
    assert retrieval_query("and why?", history) == "Which port does the Langflow editor listen on? and why?"


def test_a_leaning_question_without_history_stays() -> None:
    assert retrieval_query("why?", []) == "why?"
