"""Puts an adapter to use, once it is sure that the engine takes it."""

from pathlib import Path

from pipeline.adapters import Adapter, base_hash, find_adapter, other_base, put_to_use
from pipeline.errors import ModelError
from pipeline.settings import Settings
from pipeline.weights import blas
from pipeline.weights.locating import weights_folder


def promote(settings: Settings, name: str) -> Adapter:
    """Puts `name` to use from now on; the next request that names no adapter gets it.

    Raises:
        ModelError: there is no such adapter, or the engine would refuse it: it is broken, made for another base, or no
            adapter but a full fine-tune.
    """
    adapter = find_adapter(settings, name)
    # It brings MLX.
    blas.preload(settings.engine.threads)
    from pipeline.engine.reading import check_adapter

    base = _local_base(settings)
    if base and adapter.base_hash not in ("", base_hash(base)):
        raise ModelError(other_base(adapter, settings.models.chat))
    check_adapter(adapter, base)
    put_to_use(settings, name)
    return adapter


def _local_base(settings: Settings) -> Path | None:
    """The base's folder; None when a server elsewhere has it, or it was not fetched yet."""
    if settings.engine.url:
        return None
    try:
        return weights_folder(settings.models.chat)
    except ModelError:
        return None  # the engine fetches it, and checks the adapter then
