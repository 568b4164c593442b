"""Thought and answer of a reply, whole and cut at every place."""

import pytest

from pipeline.text.thoughts import MARKS, ThoughtPart, ThoughtSplitter, answers, split_thought

ANSWER = "The bicycle is a Koga Miyata [1]."


def streamed(reply: str, size: int, **how: bool) -> ThoughtPart:
    splitter = ThoughtSplitter(**how)
    parts = [splitter.feed(reply[start : start + size]) for start in range(0, len(reply), size)]
    parts.append(splitter.close())
    return ThoughtPart("".join(part.thought for part in parts), "".join(part.answer for part in parts))


@pytest.mark.parametrize(("opener", "closer"), MARKS.items())
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_a_thought_is_no_answer_wherever_it_is_cut(opener: str, closer: str, size: int) -> None:
    reply = f"\n{opener.upper()}\nWhat does [9] say? <b> i < j\n{closer}\n\n{ANSWER}"
    assert streamed(reply, size) == ThoughtPart("\nWhat does [9] say? <b> i < j\n", ANSWER)


@pytest.mark.parametrize("size", [1, 4, 1000])
@pytest.mark.parametrize(
    ("reply", "thought", "answer"),
    [
        (ANSWER, "", ANSWER),
        ("", "", ""),
        ("  indented", "", "  indented"),
        ("<think>\n\n</think>\n\nYes.", "\n\n", "Yes."),
        ("<think>a</think><think>b</think>Yes.", "ab", "Yes."),
        ("<think>It never ends </thin", "It never ends </thin", ""),
        ("<thi", "", "<thi"),
        ("<table> is a tag", "", "<table> is a tag"),
        ("Qwen writes <think> and </think>.", "", "Qwen writes <think> and </think>."),
        ("<think>x</think>It writes <think> first.", "x", "It writes <think> first."),
    ],
)
def test_parts(reply: str, thought: str, answer: str, size: int) -> None:
    assert streamed(reply, size) == ThoughtPart(thought, answer)
    assert split_thought(reply) == ThoughtPart(thought, answer)


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_a_thought_that_the_prompt_has_opened(size: int) -> None:
    reply = f"Okay, so {{maybe}} this.\n</think>\n\n{ANSWER}"
    thought = "Okay, so {maybe} this.\n"
    assert streamed(reply, size, opened=True) == ThoughtPart(thought, ANSWER)
    assert streamed(reply, size, unsure=True) == ThoughtPart(thought, ANSWER)
    assert split_thought(reply) == ThoughtPart(thought, ANSWER)
    assert streamed(ANSWER, size, unsure=True) == ThoughtPart("", ANSWER)


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_a_stream_that_lacked_the_opening_mark_is_noticed(size: int) -> None:
    splitter = ThoughtSplitter()
    reply = "Okay.\n</think>\nYes."
    for start in range(0, len(reply), size):
        splitter.feed(reply[start : start + size])
    assert splitter.lacks_opener
    other = ThoughtSplitter()
    other.feed("A line with </think> in it.\n")
    assert not other.lacks_opener


def test_pieces_of_the_answer_come_as_soon_as_they_are_certain() -> None:
    pieces = answers(iter(["<thi", "nk>hm", "</think>\n\n", "The", " end", "."]))
    assert next(pieces) == "The"
    assert list(pieces) == [" end", "."]


def test_only_the_first_closing_mark_ends_a_thought_that_was_open() -> None:
    assert split_thought("a\n</think>\nb\n</think>\nc") == ThoughtPart("a\n", "b\n</think>\nc")
