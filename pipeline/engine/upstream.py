"""Every private name of mlx-lm that sitetwin uses: an upgrade that changes one breaks here, and its test says so.

tests/pipeline/engine/test_upstream.py holds each of them, and what else of mlx-lm's behaviour the engine relies on.
"""

from mlx_lm.models.cache import _BaseCache

RowCache = _BaseCache
"""A layer's cache without arrays: mlx-lm asks each cache of a model for its state, size and bytes."""
