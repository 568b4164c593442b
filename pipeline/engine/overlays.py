"""The adapters of one folder, as the engine holds them in memory.

Import this after `blas.preload()`.
"""

from collections import OrderedDict
from functools import cached_property
from pathlib import Path
from weakref import WeakValueDictionary

import mlx.core as mx

from pipeline.adapters import Adapter, adapters_in, base_hash, find_adapter_in, other_base
from pipeline.engine.lora import Overlay, Stamp
from pipeline.engine.overlaid import OverlaidModel
from pipeline.engine.reading import load_overlay, stamp_of
from pipeline.errors import ModelError
from pipeline.weights.locating import weights_folder

KEPT = 4
"""How many adapters stay in memory beside those that are answering. The least recently used one is dropped first."""


class Overlays:
    """The adapters of one folder, each loaded when it is first asked for. Only the thread that generates may call `get`.

    Args:
        directory: the folder of adapters.
        model: the base, whose layers get wrapped.
        base: the base's folder or hub id.
        base_name: the name by which requests call the base.
    """

    def __init__(self, directory: Path, model: OverlaidModel, base: str, base_name: str) -> None:
        self._directory = directory
        self._model = model
        self._base = base
        self._base_name = base_name
        self._layers = model.base_layers()
        self._prepared: set[str] = set()
        self._loaded: OrderedDict[str, Overlay] = OrderedDict()
        self._answering: WeakValueDictionary[tuple[str, Stamp], Overlay] = WeakValueDictionary()
        """All overlays that are still in memory. A batch holds those of its rows, even after they were dropped here."""

    def usable(self) -> list[Adapter]:
        """The adapters on disk that were made for this base, sorted by name. Any thread may call it."""
        return [one for one in adapters_in(self._directory) if one.base_hash in ("", self._base_hash)]

    def get(self, name: str | None) -> Overlay | None:
        """The overlay of the adapter `name`; None for the base.

        Raises:
            ModelError: there is no such adapter (any more), it is broken, or it was made for another base.
        """
        if name is None:
            return None
        try:
            adapter = find_adapter_in(self._directory, name)
            stamp = stamp_of(adapter.folder)
            if (overlay := self._answering.get((name, stamp))) is None:
                if adapter.base_hash not in ("", self._base_hash):
                    raise ModelError(other_base(adapter, self._base_name))
                overlay = load_overlay(adapter, stamp, self._layers)
                self._model.prepare(overlay.layers.keys() - self._prepared)
                self._prepared |= overlay.layers.keys()
                self._answering[name, stamp] = overlay
        except (ModelError, OSError) as error:
            # Answers that use the overlay go on; its memory is freed when they end.
            self._loaded.pop(name, None)
            if isinstance(error, OSError):
                raise ModelError(f"the adapter {name!r} vanished ({error}): name another one") from None
            raise
        self._loaded[name] = overlay
        self._loaded.move_to_end(name)
        if len(self._loaded) > KEPT:
            self._loaded.popitem(last=False)
            mx.clear_cache()  # MLX would keep the freed memory for later arrays
        return overlay

    @cached_property
    def _base_hash(self) -> str:
        return base_hash(weights_folder(self._base))
