from pathlib import Path

import pytest
from pydantic import BaseModel

from pipeline import jsonl
from pipeline.errors import SitetwinError

ENDS = "\u2028 \u2029 \x85 \x0b \x0c \x1c"
"""Where str.splitlines cuts and a JSON line does not end."""


class Fact(BaseModel):
    text: str
    number: int = 0


def test_what_is_written_is_read(tmp_path: Path) -> None:
    rows = [Fact(text=ENDS), Fact(text="“ü”", number=2)]
    jsonl.write(tmp_path / "rows.jsonl", rows)
    assert jsonl.read(tmp_path / "rows.jsonl", Fact, "mend it") == rows
    jsonl.write(tmp_path / "rows.jsonl", [row.model_dump() for row in rows])
    assert list(jsonl.read_objects(tmp_path / "rows.jsonl", "mend it")) == [row.model_dump() for row in rows]


def test_files_of_other_programs_are_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes('\ufeff{"text": "a"}\r\n\r\n  \n{"text": "\u2028"}\n{"text": "c"}'.encode())
    assert [row.text for row in jsonl.read(path, Fact, "mend it")] == ["a", "\u2028", "c"]
    path.write_bytes(b"\xef\xbb\xbf")
    assert jsonl.read(path, Fact, "mend it") == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"text": "half', "Invalid JSON"),
        (b'{"number": 1}', "text: Field required"),
        (b'{"text": "\xff"}', "Invalid JSON"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: bytes, reason: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"text": "a"}\n\n' + line + b'\n{"text": "b"}\n')
    with pytest.raises(SitetwinError, match=rf"rows\.jsonl:3: {reason}.*: mend that line$"):
        jsonl.read(path, Fact, "mend that line")


class Strict(BaseModel, extra="forbid"):
    page: str = ""
    fact: str = ""


@pytest.mark.parametrize(
    ("key", "hint"), [("pages", "did you mean 'page'\\?"), ("document", "known are page, fact")], ids=str
)
def test_an_unknown_key_names_the_nearest_or_all(tmp_path: Path, key: str, hint: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"{key}": "a"}}\n')
    with pytest.raises(SitetwinError, match=rf"rows\.jsonl:1: unknown key {key}: {hint}: mend that line$"):
        jsonl.read(path, Strict, "mend that line")


@pytest.mark.parametrize(("line", "reason"), [(b"[1]", "no JSON object"), (b'"\xff"', "UTF-8"), (b"{", "Expecting")])
def test_a_line_that_is_no_object_is_named(tmp_path: Path, line: bytes, reason: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"{}\n" + line)
    with pytest.raises(SitetwinError, match=rf"rows\.jsonl:2: .*{reason}.*: mend that line$"):
        list(jsonl.read_objects(path, "mend that line"))


def test_a_row_is_appended_on_a_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "new" / "rows.jsonl"
    jsonl.append(path, [Fact(text="a")])
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    jsonl.append(path, [Fact(text="b"), {"text": "c"}])
    assert [row.text for row in jsonl.read(path, Fact, "mend it")] == ["a", "b", "c"]
    assert path.read_bytes().endswith(b'{"text":"b","number":0}\n{"text": "c"}\n')
