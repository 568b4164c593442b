"""Promotes an adapter once it is certain that the engine accepts it."""

from pathlib import Path

from pipeline.adapters import Adapter, base_hash, find_adapter, other_base, put_to_use
from pipeline.errors import ModelError
from pipeline.settings import Settings
from pipeline.weights import blas
from pipeline.weights.locating import weights_folder


def promote(settings: Settings, name: str) -> Adapter:
    """Makes `name` the adapter that answers from now on, beginning with the next request that names none.

    Raises:
        ModelError: there is no such adapter, or the engine would refuse it: it is broken, it was made for another base, or
            it is a full fine-tune.
    """
    adapter = find_adapter(settings, name)
    if adapter.remote:
        put_to_use(settings, name)
        return adapter
    # The import below loads MLX.
    blas.preload(settings.engine.threads)
    from pipeline.engine.reading import check_adapter

    base = _local_base(settings)
    if base and adapter.base_hash not in ("", base_hash(base)):
        raise ModelError(other_base(adapter, settings.models.chat))
    check_adapter(adapter, base)
    put_to_use(settings, name)
    return adapter


def _local_base(settings: Settings) -> Path | None:
    """The base's folder; None if another server holds the base, or it was not fetched yet."""
    if settings.engine.url:
        return None
    try:
        return weights_folder(settings.models.chat)
    except ModelError:
        return None  # the engine will fetch it, and check the adapter then
