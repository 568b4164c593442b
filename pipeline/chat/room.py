"""What fits into a model's window: passages, history and question, with room left for the answer."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from pipeline.chat.records import Turn
from pipeline.errors import SitetwinError
from pipeline.index.passages import Passage
from pipeline.text.detecting import without_spaces
from pipeline.text.pieces import join_sentences, split_sentences
from pipeline.weights import demo
from pipeline.weights.size import parameters

CHARS_PER_TOKEN = 3
"""Fewer than most tokenizers make of English, so that prompts in other languages and code fit too."""
SMALL = 3
"""Billions of parameters below which whole passages mislead more than they tell."""
_SIZE = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)([bm])(?![a-z\d])", re.IGNORECASE)
RULES_TOKENS = 250
"""For the rules, the marks of the chat template and the headings."""


def is_small(model: str) -> bool:
    """Whether a model is small, by its name or by its weights in a folder here. Whole passages mislead such a one."""
    found = _SIZE.search(demo.CHAT.title if model == demo.DEMO else model.rpartition("/")[2])
    if found:
        return float(found[1]) / (1 if found[2] in "bB" else 1000) < SMALL
    return 0 < _parameters(model) < SMALL * 1e9


@cache
def _parameters(model: str) -> int:
    """0 if it is no folder here."""
    folder = Path(model).expanduser()
    return parameters(folder) if folder.is_dir() else 0


def tokens(text: str) -> int:
    """About how many tokens a text is, rather too many."""
    return len(text) if without_spaces(text) else -(-len(text) // CHARS_PER_TOKEN)


def fitted(
    question: str, instruction: str, passages: Sequence[Passage], history: Sequence[Turn], window: int, answer: int
) -> tuple[list[Passage], list[Turn]]:
    """The passages, best first, and the latest turns of the history that fit; passages go before history.

    Where not even the best passage fits, its first sentences stay.

    Args:
        instruction: the persona's.
        window: tokens of prompt and answer together.
        answer: tokens that are kept for the answer.

    Raises:
        SitetwinError: there is no room for anything but the question.
    """
    room = window - answer - RULES_TOKENS - tokens(question) - tokens(instruction)
    kept: list[Passage] = []
    for passage in passages:
        size = tokens(passage.text)
        if size <= room:
            kept.append(passage)
        elif not kept and (text := _beginning(passage.text, room)):
            kept.append(passage.model_copy(update={"text": text}))
            size = tokens(text)
        else:
            break
        room -= size
    if passages and not kept:
        raise SitetwinError(
            f"the question and chat.max_tokens fill the model's window of {window} tokens: ask a shorter question, "
            "lower chat.max_tokens, or set chat.window to more if the model can read more"
        )
    turns: list[Turn] = []
    for turn in reversed(history):
        room -= tokens(turn.content)
        if room < 0:
            break
        turns.insert(0, turn)
    # An answer without its question would be no conversation.
    return kept, turns[1:] if turns and turns[0].role == "assistant" else turns


def _beginning(text: str, room: int) -> str:
    kept: list[str] = []
    for sentence in split_sentences(text):
        if tokens(join_sentences([*kept, sentence])) > room:
            break
        kept.append(sentence)
    return join_sentences(kept)
