import pytest

from pipeline.dataset.filters.leftovers import left_over
from tests.pipeline.dataset.filters.pairs import candidate

QUESTION = "How long is the greenhouse?"
ANSWER = "It is 12 metres long."


@pytest.mark.parametrize(
    ("question", "answer", "rest"),
    [
        (QUESTION, f"Response: {ANSWER}", "“Response:” is left over in the answer"),
        (QUESTION, f"### Response:\n{ANSWER}", "“### Response:” is left over in the answer"),
        (QUESTION, f"**Answer:** {ANSWER}", "“**Answer:” is left over in the answer"),
        (QUESTION, f"<think>12?</think> {ANSWER}", "“<think>” is left over in the answer"),
        (QUESTION, f"{ANSWER}<|im_end|>", "“<|im_end|>” is left over in the answer"),
        (QUESTION, f"{ANSWER}\nQuestion: And the shed?", "“Question:” is left over in the answer"),
        (f"Q1: {QUESTION}", ANSWER, "“Q1:” is left over in the question"),
        (QUESTION, f"Answer - {ANSWER}", "“Answer -” is left over in the answer"),
        (QUESTION, f"<answer>{ANSWER}</answer>", "“<answer>” is left over in the answer"),
        (QUESTION, f"Sure! Here is the answer: {ANSWER}", "“Sure! Here is the answer:” is left over in the answer"),
        (QUESTION, f'{{"answer": "{ANSWER}"}}', '“{"answer":” is left over in the answer'),
        (f"User: {QUESTION}", ANSWER, "“User:” is left over in the question"),
        (f"1. {QUESTION}", ANSWER, "“1.” is left over in the question"),
        ("(1) “Der Garten” ist wie groß?", ANSWER, "“(1)” is left over in the question"),
        ("1. 《花园》讲了什么？", ANSWER, "“1.” is left over in the question"),
        ("1. ¿Qué largo tiene?", ANSWER, "“1.” is left over in the question"),
        (f"{QUESTION} Answer: 12 metres", ANSWER, "“Answer:” is left over in the question"),
        (f"{QUESTION} (Answer: 12 metres)", ANSWER, "“(Answer:” is left over in the question"),
        (f"{QUESTION} Correct answer: 12", ANSWER, "“Correct answer:” is left over in the question"),
        (f"{QUESTION} -> 12", ANSWER, "“? ->” is left over in the question"),
        (f"2) About the garden: {QUESTION}", ANSWER, "“2)” is left over in the question"),
        (f"{QUESTION} (fact)", ANSWER, "“(fact)” is left over in the question"),
        (f"[Q] {QUESTION}", ANSWER, "“[Q]” is left over in the question"),
        (f"Fact question: {QUESTION}", ANSWER, "“Fact question:” is left over in the question"),
        (QUESTION, f"### Answer\n{ANSWER}", "“### Answer” is left over in the answer"),
        (QUESTION, f"{ANSWER}\n### End of response", "“### End of response” is left over in the answer"),
        (QUESTION, f"{ANSWER} [END]", "“[END]” is left over in the answer"),
        (QUESTION, f"A: {ANSWER}", "“A:” is left over in the answer"),
        (f"Pair 2: {QUESTION}", ANSWER, "“Pair 2:” is left over in the question"),
        (f"Question (fact): {QUESTION}", ANSWER, "“Question (fact):” is left over in the question"),
        (QUESTION, f"Okay, here's a pair: {ANSWER}", "“Okay, here's a pair:” is left over in the answer"),
        (QUESTION, "Gerne! Hier ist die Antwort: 12.", "“Gerne! Hier ist die Antwort:” is left over in the answer"),
        (QUESTION, f'```json\n{{"answer": "{ANSWER}"}}\n```', '“{"answer":” is left over in the answer'),
        (QUESTION, f'{ANSWER}", "accuracy": 9', '“, "accuracy":” is left over in the answer'),
        (QUESTION, f"{ANSWER} I hope this helps!", "“I hope this helps!” is left over in the answer"),
        (
            QUESTION,
            f"{ANSWER}\n\nNote: This is from the text.",
            "“Note: This is from the text.” is left over in the answer",
        ),
    ],
)
def test_labels_and_marks_of_a_prompt_are_refused(question: str, answer: str, rest: str) -> None:
    assert left_over(candidate(question, answer)) == rest


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What does the Q1 report say?", "The Q1 report says: 12 metres."),
        ("What does the server send?", "It sends this:\n\n```\nResponse: 200\n<think>\n```"),
        ("Which line ends a page?", "The line `Answer: yes` does."),
        ("What is on the sign?", "It says “Answer: yes”."),
        ("Is there a response?", "Yes. In response: two letters."),
        ("How do I write a question?", "Begin with a verb; the answer follows."),
    ],
)
def test_the_same_words_in_code_quotes_and_titles_pass(question: str, answer: str) -> None:
    assert left_over(candidate(question, answer)) == ""


def test_a_label_of_the_text_itself_passes() -> None:
    assert left_over(candidate(QUESTION, "Answer: 12.", text="Quiz night. Answer: 12.")) == ""
