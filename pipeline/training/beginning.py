"""A run that goes on from an adapter that is there: it keeps the adapter's shape and begins with its weights."""

import json
from typing import Any

from pipeline.adapters import CONFIG, Adapter
from pipeline.errors import SitetwinError
from pipeline.settings import Visibility
from pipeline.training.config import Values, merge


def check_beginning(adapter: Adapter, base_hash: str, visibility: Visibility) -> None:
    """Checks whether a run may go on from `adapter`.

    Args:
        adapter: where to begin.
        base_hash: of the base that is trained.
        visibility: of the adapter to be.

    Raises:
        SitetwinError: it belongs to another base, or has seen private notes and the new adapter is for visitors.
    """
    if adapter.base_hash and adapter.base_hash != base_hash:
        raise SitetwinError(
            f"the adapter {adapter.name!r} was trained on {adapter.base}, other weights than those of [models] chat: "
            "name another with --from, or set [models] chat to that model"
        )
    if visibility == "public" and adapter.visibility == "private":
        raise SitetwinError(
            f"the adapter {adapter.name!r} was trained on private notes, and a public adapter may never see one: "
            "train with --visibility private, or begin from a public adapter"
        )


def with_shape(adapter: Adapter, values: Values) -> Values:
    """The configuration's `values` with the shape of `adapter`: its kind, layers, rank, scale and keys.

    Raises:
        SitetwinError: `values` ask for another shape.
    """
    if adapter.remote:
        raise SitetwinError(f"{adapter.name!r} is a model at {adapter.remote.url}: name an adapter with weights here")
    found: dict[str, Any] = json.loads((adapter.folder / CONFIG).read_text(encoding="utf-8"))
    lora = found.get("lora_parameters") or {}
    shape: Values = {
        "fine_tune_type": found.get("fine_tune_type", "lora"),
        "num_layers": found.get("num_layers", -1),
        "use_rslora": False,
        "lora_parameters": {key: lora[key] for key in ("rank", "scale", "keys") if key in lora},
    }
    for name, asked, has in _both(values, shape):
        if asked != has:
            raise SitetwinError(
                f"the adapter {adapter.name!r} has {name} {has}, which a run that begins from it can't change: "
                f"leave {name} out, or train a new adapter without --from"
            )
    return merge(values, shape)


def _both(values: Values, shape: Values, place: str = "") -> list[tuple[str, Any, Any]]:
    """The keys that both have, each with its two values."""
    found: list[tuple[str, Any, Any]] = []
    for key in values.keys() & shape.keys():
        if isinstance(shape[key], dict) and isinstance(values[key], dict):
            found += _both(values[key], shape[key], f"{key}.")
        else:
            found.append((place + key, values[key], shape[key]))
    return sorted(found, key=lambda one: one[0])
