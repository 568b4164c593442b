import pytest
from pydantic import BaseModel

from pipeline.errors import UnreadableError
from pipeline.servers.structured import read


class Pair(BaseModel):
    question: str
    accuracy: int


class Pairs(BaseModel):
    pairs: list[Pair]


ONE = '{"pairs": [{"question": "Why?", "accuracy": 7}]}'


@pytest.mark.parametrize(
    "reply",
    [
        ONE,
        f"```json\n{ONE}\n```",
        f"Of course! Here they are:\n\n{ONE}\n\nDo you want more?",
        '[{"question": "Why?", "accuracy": 7}]',
        '{"pairs": [{"question": "Why?", "accuracy": 7,}],}',
        "{'pairs': [{'question': 'Why?', 'accuracy': 7}]}",
        '{"pairs": [{"question": "Why?", "accuracy": "7"}',
    ],
)
def test_json_is_found_and_mended(reply):
    assert read(reply, Pairs) == Pairs(pairs=[Pair(question="Why?", accuracy=7)])


def test_words_without_json_are_unreadable():
    with pytest.raises(UnreadableError, match="no JSON in “I can't do that"):
        read("I can't do that.", Pairs)


def test_what_does_not_fit_the_form_is_named():
    with pytest.raises(UnreadableError, match=r"pairs.0.accuracy: Input should be a valid integer"):
        read('{"pairs": [{"question": "Why?", "accuracy": "high"}]}', Pairs)


@pytest.mark.parametrize("reply", ['{"pairs": [', "{", '{"pairs":'])
def test_a_reply_that_breaks_off_before_it_says_anything_is_not_an_empty_list(reply):
    assert read('{"pairs": []}', Pairs).pairs == []
    with pytest.raises(UnreadableError):
        read(reply, Pairs)
