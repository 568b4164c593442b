from pathlib import Path

import pytest

from pipeline.processes import logs


def test_a_log_goes_on_and_a_large_one_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LARGEST_BYTES", 3)
    log = tmp_path / "logs" / "x.log"
    for text in (b"one", b"two", b"three"):
        with logs.open_log(log) as file:
            file.write(text)
    assert log.read_bytes() == b"three"
    assert (tmp_path / "logs" / "x.log.1").read_bytes() == b"onetwo"


@pytest.mark.parametrize(
    ("text", "last"),
    [
        (b"old\n", "it said nothing"),
        (b"old\nnew\n\n", "new"),
        (b"old\n\xff", "�"),
        (b"old\n 10%\r 20%\r\n", "20%"),
        ("old\ncan't read a\u2028b.md\n".encode(), "can't read a\u2028b.md"),
    ],
)
def test_the_last_words_after_a_place(tmp_path: Path, text: bytes, last: str) -> None:
    log = tmp_path / "x.log"
    log.write_bytes(text)
    assert logs.last_line(log, len(b"old\n")) == last
