import pytest

from pipeline.weights import blas

blas.preload(1)

import mlx.core as mx  # noqa: E402

from pipeline.engine.thinking import ThinkingBound  # noqa: E402

PROMPT = [1, 1, 1]
OPEN, CLOSE, WORD, END = 2, 3, 4, 5


def write(bound: ThinkingBound, wanted: list[int]) -> list[int]:
    """What a model writes that would like to say `wanted`, where the bound lets it."""
    tokens = [*PROMPT]
    for token in wanted:
        logits = mx.where(mx.arange(8) == token, 5.0, 0.0)[None]
        tokens.append(int(mx.argmax(bound(mx.array(tokens), logits)).item()))
    return tokens[len(PROMPT) :]


@pytest.mark.parametrize(
    ("opening", "wanted", "expected"),
    [
        ([], [WORD] * 6, [WORD, WORD, WORD, CLOSE, WORD, WORD]),
        ([], [WORD, CLOSE, WORD, WORD, WORD], [WORD, CLOSE, WORD, WORD, WORD]),
        ([OPEN], [OPEN, *[WORD] * 5], [OPEN, WORD, WORD, CLOSE, WORD, WORD]),
        ([OPEN], [WORD] * 6, [WORD] * 6),
    ],
    ids=["too long", "closed in time", "opened by the model", "an answer without a thought"],
)
def test_a_thought_is_closed_at_its_bound(opening: list[int], wanted: list[int], expected: list[int]) -> None:
    assert write(ThinkingBound(3, opening, [CLOSE]), wanted) == expected


def test_closing_marks_of_several_tokens_are_written_whole() -> None:
    assert write(ThinkingBound(1, [], [CLOSE, END]), [WORD] * 5) == [WORD, CLOSE, END, WORD, WORD]
