"""Tokens to text, with mlx-lm's own detokenizer and state machine around small tokenizers."""

import pytest

from pipeline.weights import blas

blas.preload(1)

from mlx_lm.tokenizer_utils import BPEStreamingDetokenizer, TokenizerWrapper  # noqa: E402

from pipeline.engine.answer import Completion, CompletionPiece  # noqa: E402
from tests.tiny_llama import byte_tokenizer  # noqa: E402

END = 2


@pytest.fixture(scope="module")
def plain() -> TokenizerWrapper:
    return TokenizerWrapper(byte_tokenizer(), BPEStreamingDetokenizer)


@pytest.fixture(scope="module")
def thinking() -> TokenizerWrapper:
    """As Qwen 3's: thoughts and calls of tools."""
    tokenizer = byte_tokenizer(("<think>", "</think>", "<tool_call>", "</tool_call>"))
    return TokenizerWrapper(
        tokenizer, BPEStreamingDetokenizer, tool_call_start="<tool_call>", tool_call_end="</tool_call>"
    )


def make(tokenizer: TokenizerWrapper, **changed: object) -> Completion:
    options = {"thinks": False, "stops": [], "max_tokens": 1000, "calls_tools": False, **changed}
    return Completion(tokenizer, **options)  # type: ignore[arg-type]


def hear(answer: Completion, tokens: list[int]) -> list[CompletionPiece]:
    """All that the answer says, neighbours of one kind joined; ends with the token that ends a turn."""
    pieces: list[CompletionPiece] = []
    for token in [*tokens, END]:
        pieces += answer.take(token, "stop" if token == END else None)
        if answer.finish:
            break
    joined: list[CompletionPiece] = []
    for piece in pieces:
        if joined and joined[-1].kind == piece.kind != "tool":
            joined[-1] = CompletionPiece(piece.kind, joined[-1].text + piece.text)
        else:
            joined.append(piece)
    return joined


def test_an_answer_ends_with_its_turn(plain: TokenizerWrapper) -> None:
    answer = make(plain)
    assert hear(answer, plain.encode("Grüße aus Köln")) == [CompletionPiece("content", "Grüße aus Köln")]
    assert (answer.finish, answer.tokens, answer.thought_tokens) == ("stop", 18, 0)


def test_a_stop_string_ends_it_in_the_midst_of_words(plain: TokenizerWrapper) -> None:
    answer = make(plain, stops=["d f"])
    assert hear(answer, plain.encode("A red fox.")) == [CompletionPiece("content", "A re")]
    assert answer.finish == "stop"
    assert answer.tokens == len("A red f")


def test_what_might_have_been_a_stop_string_is_said_at_the_end(plain: TokenizerWrapper) -> None:
    answer = make(plain, stops=["fox!!"])
    assert hear(answer, plain.encode("A fox!")) == [CompletionPiece("content", "A fox!")]


def test_too_long_an_answer_is_cut(plain: TokenizerWrapper) -> None:
    answer = make(plain, max_tokens=5, stops=["longer"])
    assert hear(answer, plain.encode("A long story")) == [CompletionPiece("content", "A lon")]
    assert answer.finish == "length"


def test_a_thought_is_apart_and_counts_apart(thinking: TokenizerWrapper) -> None:
    answer = make(thinking, max_tokens=6, stops=["now"])
    said = hear(answer, thinking.encode("<think>I know.</think>\n\nParis, of course"))
    assert said == [CompletionPiece("reasoning", "I know."), CompletionPiece("content", "Pari")]
    assert answer.finish == "length"
    assert (answer.tokens, answer.thought_tokens) == (15, 9)
    opened = make(thinking, thinks=True)
    assert hear(opened, thinking.encode("Hm.</think>Yes")) == [
        CompletionPiece("reasoning", "Hm."),
        CompletionPiece("content", "Yes"),
    ]
    assert opened.thought_tokens == 4  # with the mark that closes it
    assert hear(make(thinking, thinks=True), thinking.encode("For ever")) == [CompletionPiece("reasoning", "For ever")]


def test_calls_of_tools_are_apart_where_tools_were_offered(thinking: TokenizerWrapper) -> None:
    text = 'Wait.<tool_call>{"name": "a"}</tool_call><tool_call>{"name": "b"}</tool_call>'
    answer = make(thinking, calls_tools=True)
    assert hear(answer, thinking.encode(text)) == [
        CompletionPiece("content", "Wait."),
        CompletionPiece("tool", '{"name": "a"}'),
        CompletionPiece("tool", '{"name": "b"}'),
    ]
    assert answer.finish == "tool_calls"
    assert hear(make(thinking), thinking.encode("<tool_call>x</tool_call>")) == [CompletionPiece("content", "x")]
