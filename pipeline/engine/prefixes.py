"""What was read and said before, kept so that a chat's next question is answered sooner.

Import this after `blas.preload()`.
"""

from typing import Any, Literal

import mlx.core as mx
from mlx_lm.models.cache import LRUPromptCache, can_trim_prompt_cache, trim_prompt_cache

from pipeline.engine.lora import Overlay
from pipeline.engine.overlaid import OverlaidModel
from pipeline.weights.memory import give_back

PROMPT_CACHES = 64
"""The most that are kept."""


class Prefixes:
    """Kept apart by adapter. What one adapter computed carries it along, and is never found for another.

    Args:
        most_bytes: of all that is kept.
    """

    def __init__(self, model: OverlaidModel, most_bytes: int) -> None:
        self._model = model
        self._kept = LRUPromptCache(PROMPT_CACHES, most_bytes)
        self._most_bytes = most_bytes

    @property
    def nbytes(self) -> int:
        return int(self._kept.nbytes)

    def find(self, overlay: Overlay | None, tokens: list[int]) -> tuple[list[Any], int]:
        """The caches to go on with, new ones if nothing fits, and how many of `tokens` they hold: never all."""
        fresh = self._model.make_cache_for(overlay)
        caches, rest = self._kept.fetch_nearest_cache(_key(overlay), tokens)
        if caches is None:
            return fresh, 0
        if not rest:
            # mlx-lm wants a last token to start from.
            if not can_trim_prompt_cache(caches):
                return fresh, 0
            trim_prompt_cache(caches, 1)
        return [*caches, fresh[-1]], len(tokens) - max(1, len(rest))

    def keep(self, tokens: list[int], caches: list[Any], kind: Literal["system", "user", "assistant"]) -> None:
        """Keeps what one request has computed for `tokens`.

        Args:
            kind: what they end with; of answers most are dropped first.
        """
        # Stored without the overlay, so that what is kept keeps no adapter in memory.
        *caches, rows = caches
        (overlay,) = rows.overlays
        # MLX computes late: a request's part of its batch would hold the arrays of the whole batch until it is used
        # again, many times the bytes that are counted.
        mx.eval([cache.state for cache in caches])
        self._kept.insert_cache(_key(overlay), tokens, caches, cache_type=kind)
        if kind == "assistant":
            give_back()

    def leave_room(self, nbytes: int) -> None:
        """Drops what was not used for longest, so that `nbytes` of the bound are free."""
        self._kept.trim_to(n_bytes=self._most_bytes - nbytes)


def _key(overlay: Overlay | None) -> Any:
    return overlay and (overlay.name, overlay.stamp)
