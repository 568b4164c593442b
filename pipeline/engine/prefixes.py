"""Keeps what was computed for earlier prompts and answers, so that a chat's next question is answered sooner.

Import this after `blas.preload()`.
"""

from typing import Any, Literal

import mlx.core as mx
from mlx_lm.models.cache import LRUPromptCache, can_trim_prompt_cache, trim_prompt_cache

from pipeline.engine.lora import Overlay
from pipeline.engine.overlaid import OverlaidModel
from pipeline.weights.memory import give_back

PROMPT_CACHES = 64
"""The most prompt caches that are kept."""


class PromptPrefixes:
    """Prompt caches, kept apart by adapter: what one adapter computed is never used for another.

    Args:
        model: makes new caches.
        most_bytes: the most bytes that are kept in all.
    """

    def __init__(self, model: OverlaidModel, most_bytes: int) -> None:
        self._model = model
        self._kept = LRUPromptCache(PROMPT_CACHES, most_bytes)
        self._most_bytes = most_bytes

    @property
    def nbytes(self) -> int:
        """The bytes that are kept now."""
        return int(self._kept.nbytes)

    def find(self, overlay: Overlay | None, tokens: list[int]) -> tuple[list[Any], int]:
        """The caches to continue with, and how many of `tokens` they already hold. They never hold all of them.

        If nothing fits, the caches are new and hold none.
        """
        fresh = self._model.make_cache_for(overlay)
        caches, rest = self._kept.fetch_nearest_cache(_key(overlay), tokens)
        if caches is None:
            return fresh, 0
        if not rest:
            # mlx-lm needs one last token to start from.
            if not can_trim_prompt_cache(caches):
                return fresh, 0
            trim_prompt_cache(caches, 1)
        return [*caches, fresh[-1]], len(tokens) - max(1, len(rest))

    def keep(self, tokens: list[int], caches: list[Any], kind: Literal["system", "user", "assistant"]) -> None:
        """Keeps what one request has computed for `tokens`.

        Args:
            tokens: the prompt and answer that the caches hold.
            caches: the request's caches, with its `Rows` last.
            kind: whose text the tokens end with. Caches of kind "assistant" are dropped first.
        """
        # They are stored without the overlay, so that no adapter stays in memory because of them.
        *caches, rows = caches
        (overlay,) = rows.overlays
        # MLX is lazy. Unevaluated, a request's part would hold the arrays of the whole batch until its next use, which
        # is many times the bytes that are counted.
        mx.eval([cache.state for cache in caches])
        self._kept.insert_cache(_key(overlay), tokens, caches, cache_type=kind)
        if kind == "assistant":
            give_back()

    def leave_room(self, nbytes: int) -> None:
        """Drops the least recently used caches until `nbytes` of the bound are free."""
        self._kept.trim_to(n_bytes=self._most_bytes - nbytes)


def _key(overlay: Overlay | None) -> Any:
    return overlay and (overlay.name, overlay.stamp)
