"""The one model that an engine holds: its weights, tokenizer, chat template and adapters.

Import this after `blas.preload()`.
"""

import logging
import threading
from functools import cached_property
from pathlib import Path

import mlx.core as mx
from mlx_lm.utils import load

from pipeline.engine.guiding import OutputGuides
from pipeline.engine.int8 import can_hold, hold
from pipeline.engine.overlaid import OverlaidModel
from pipeline.engine.overlays import Overlays
from pipeline.engine.room import bytes_of_chat, room
from pipeline.errors import ModelError
from pipeline.weights.chat_template import ChatTemplate
from pipeline.weights.memory import bytes_of, claim, give_back


class Base:
    """Loads the model and holds everything that belongs to it.

    Args:
        path: the model's folder or hub id.
        name: the name by which requests call it.
        adapters: the folder of the adapters that requests may name.
        limit: the most bytes that the graphics processor may hold; None: there is no limit.
        int8: hold the weights in 8 bits, if the model is of a kind that can.

    Raises:
        ModelError: the model can't be loaded, or can't answer several requests at once.
    """

    def __init__(self, path: str, name: str, adapters: Path, limit: int | None = None, *, int8: bool = False) -> None:
        self.name = name
        try:
            model, self.tokenizer = load(path, lazy=True)[:2]
            if int8 and can_hold(model):
                hold(model)
            mx.eval(model.parameters())
            give_back()
        except Exception as error:
            # Each architecture fails in its own way on weights that do not fit it.
            logging.exception("the model can't be loaded")
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ModelError(f"can't load the model {path!r}: {reason}") from None
        self.model = OverlaidModel(model)
        if not all(hasattr(cache, "merge") for cache in self.model.make_cache()):
            raise ModelError(f"can't load the model {path!r}: mlx-lm can't batch its chats; serve it with Ollama")
        self.overlays = Overlays(adapters, self.model, path, name)
        # MLX computes nothing here, because shapes are known before values. A model in 8 bits computes one token.
        caches = self.model.make_cache()
        self.words: int = self.model(mx.array([[0]]), cache=caches).shape[-1]
        """The width of the logits: the number of tokens that can be chosen."""
        weights, chat = bytes_of(self.model), bytes_of_chat(caches[:-1])
        self.room = room(limit, weights, chat)
        claim(weights + self.room.rows * chat + self.room.cache_bytes)
        self.guides = OutputGuides(self.tokenizer, self.words)
        self.tokenizing = threading.Lock()
        """Held by a thread that tokenizes, because a tokenizer of transformers serves one thread at a time."""

    @cached_property
    def chats(self) -> ChatTemplate:
        """The model's chat template."""
        return ChatTemplate(self.tokenizer)

    @cached_property
    def newline(self) -> list[int]:
        """The tokens of a line feed."""
        return list(self.tokenizer.encode("\n"))

    def text_of(self, token: int) -> str:
        """The text of one token, as log-probabilities name it."""
        return str(self.tokenizer.decode([token]))

    def adapter_of(self, model: str | None, adapter: str | None) -> str | None:
        """The name of the adapter to answer with; None for the base.

        As in vLLM, an adapter can be named as a model. The field `adapters` names one too.

        Args:
            model: the request's field `model`.
            adapter: the request's field `adapters`.

        Raises:
            LookupError: there is no model of that name.
            ValueError: the two fields name different adapters.
        """
        if model in (None, self.name, "default_model"):
            return adapter
        known = [one.name for one in self.overlays.usable()]
        if model not in known:
            also = f" and the adapters {', '.join(known)}" if known else ""
            raise LookupError(
                f"this engine holds {self.name!r}{also}, not {model!r}: set [models] chat, or name one of them"
            )
        if adapter not in (None, model):
            raise ValueError(f"model and adapters name two adapters, {model!r} and {adapter!r}: name one")
        return model
