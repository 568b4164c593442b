"""Who asks: while a visitor's question runs, no node opens private text, whatever its Visibility says."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lfx.custom.custom_component.component import Component

    from pipeline.settings import Visibility

PUBLIC = "public"
PUBLIC_AND_PRIVATE = "public and private"
VISIBILITIES = [PUBLIC, PUBLIC_AND_PRIVATE]
"""The choices under Visibility."""
_is_visit = ContextVar("sitetwin_visit", default=False)


@contextmanager
def visit() -> Iterator[None]:
    """Whatever runs meanwhile, in this task and those that it starts, runs for a visitor."""
    token = _is_visit.set(True)
    try:
        yield
    finally:
        _is_visit.reset(token)


def opens_private(component: "Component") -> bool:
    """Whether the component's Visibility opens private text. Anything unknown counts as public only.

    Raises:
        ValueError: it does, and a visitor asks.
    """
    if component.visibility != PUBLIC_AND_PRIVATE:
        return False
    if _is_visit.get():
        raise ValueError(
            f"visitors are refused: {component.display_name} is open to private text: set its Visibility to public"
        )
    component.log("open to private text: visitors are refused by this flow until Visibility is public")
    return True


def readable(component: "Component") -> "Visibility | None":
    """What the component may read: "public", or None for everything. Raises as `opens_private`."""
    return None if opens_private(component) else "public"


def only_for_the_owner(component: "Component") -> None:
    """Raises ValueError if a visitor asks, also through a flow that another one runs."""
    if _is_visit.get():
        raise ValueError(f"visitors are refused: {component.display_name} is for the site's owner alone")
