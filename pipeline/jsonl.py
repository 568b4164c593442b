"""Files of one JSON value a line, as this project and other people's programs write them.

A line ends at "\\n" and nowhere else: JSON leaves U+2028, U+2029 and U+0085 as they are inside a string, where
`str.splitlines` would cut. A byte order mark, "\\r\\n", empty lines and a last line without an end are read.
"""

import codecs
import difflib
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pipeline import files
from pipeline.errors import SitetwinError

Record = TypeVar("Record", bound=BaseModel)
Value = TypeVar("Value")


def read(path: Path, kind: type[Record], mend: str) -> list[Record]:
    """The records of a file.

    Args:
        mend: what to do about a line that is none, as the end of a sentence.

    Raises:
        SitetwinError: a line is no such record; it is named with its number.
        OSError: the file can't be read.
    """
    return list(_parsed(path, kind.model_validate_json, mend, kind.model_fields))


def read_objects(path: Path, mend: str) -> Iterator[dict[str, Any]]:
    """As `read`, for objects of any keys; a large file is not held whole."""
    return _parsed(path, _object, mend)


def write(path: Path, rows: Iterable[BaseModel | dict[str, Any]]) -> None:
    """The file holds `rows`, or what it held before."""
    with files.new_file(path) as draft, draft.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(map(line, rows))


def append(path: Path, rows: Iterable[BaseModel | dict[str, Any]]) -> None:
    """`rows` below what the file holds. It is one write, so that lines of two writers at a time don't mix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+", buffering=0) as file:
        file.write((_missing_end(file.fileno()) + "".join(map(line, rows))).encode())


def line(row: BaseModel | dict[str, Any]) -> str:
    """A row with the end of its line."""
    return (row.model_dump_json() if isinstance(row, BaseModel) else json.dumps(row, ensure_ascii=False)) + "\n"


def _missing_end(handle: int) -> str:
    """The end that the last line lacks: somebody's editor, or a kill, left it out."""
    size = os.fstat(handle).st_size
    return "\n" if size and os.pread(handle, 1, size - 1) != b"\n" else ""


def _parsed(path: Path, parse: Callable[[bytes], Value], mend: str, known: Collection[str] = ()) -> Iterator[Value]:
    for number, text in _lines(path):
        try:
            yield parse(text)
        except ValueError as error:
            raise SitetwinError(f"{path}:{number}: {_reason(error, known)}: {mend}") from None


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Each line that is not empty, with its number."""
    with path.open("rb") as file:
        for number, text in enumerate(file, 1):
            bare = (text.removeprefix(codecs.BOM_UTF8) if number == 1 else text).strip()
            if bare:
                yield number, bare


def _object(text: bytes) -> dict[str, Any]:
    value = json.loads(text.decode())
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")
    return value


def _reason(error: ValueError, known: Collection[str]) -> str:
    """What is wrong, in one sentence; `known` are the keys that a record has."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden" and len(first["loc"]) == 1:
            near = difflib.get_close_matches(place, known, n=1)
            return f"unknown key {place}: " + (
                f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            )
        said = first["msg"].removeprefix("Value error, ")
        return f"{place}: {said}" if place else said
    return str(error)
