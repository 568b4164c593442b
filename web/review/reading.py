"""Reads what the review page sends."""

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import ValidationError
from starlette.exceptions import HTTPException

_Result = TypeVar("_Result")


def read(parse: Callable[[Any], _Result], given: Any) -> _Result:
    """What `parse` makes of `given`.

    Raises:
        HTTPException: 422, if it can't be read.
    """
    try:
        return parse(given)
    except ValidationError as error:
        raise HTTPException(422, error.errors()[0]["msg"]) from None


def number(text: str) -> int | None:
    """The number in `text`; None if it is empty.

    Raises:
        HTTPException: 422, if it is none.
    """
    if text and not text.isdecimal():
        raise HTTPException(422, "version is a number")
    return int(text) if text else None
