"""Lets a model that is being trained answer questions, in the process that trains it.

Import this after `blas.preload()`.
"""

from collections.abc import Iterator
from pathlib import Path

import mlx.nn as nn
from mlx_lm.generate import stream_generate
from mlx_lm.utils import load_config, load_tokenizer

from pipeline.weights.chat_template import ChatTemplate


class TrainedModel:
    """A `ChatModel` over the weights as they are now.

    Args:
        model: the model that is trained.
        base: the folder of its base, which has the tokenizer.
    """

    def __init__(self, model: nn.Module, base: Path) -> None:
        self._model = model
        self._tokenizer = load_tokenizer(base, eos_token_ids=load_config(base).get("eos_token_id"))
        self._template = ChatTemplate(self._tokenizer)

    def generate(self, messages: list[dict[str, str]], *, max_tokens: int, temperature: float) -> Iterator[str]:
        """The pieces of the reply: the likeliest token each time, so that equal weights answer alike.

        Args:
            messages: the conversation.
            max_tokens: the most tokens of the reply.
            temperature: not heeded.
        """
        self._model.eval()
        prompt = self._template.prompt(messages)
        for piece in stream_generate(self._model, self._tokenizer, prompt, max_tokens=max_tokens):
            yield piece.text
