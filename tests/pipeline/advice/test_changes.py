import datetime
import subprocess
from pathlib import Path

import pytest

from pipeline.advice.changes import changes, from_dates, from_log
from pipeline.content.documents import Document

TODAY = datetime.date(2026, 11, 29)


def commit(folder: Path, day: datetime.date, **notes: str) -> None:
    for name, text in notes.items():
        (folder / f"{name}.md").write_text(text, "utf-8")
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", folder, "add", "-A"], check=True)
    date = f"{day.isoformat()}T12:00:00"
    command = ["git", "-C", folder, *identity, "commit", "-q", "-m", "x", "--date", date]
    subprocess.run(command, check=True, env={"GIT_COMMITTER_DATE": date, "HOME": str(folder), "PATH": "/usr/bin:/bin"})


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "notes").mkdir()
    return tmp_path / "notes"


def document(day: datetime.date | None) -> Document:
    return Document(id="a.md", path=Path("a.md"), title="", url="", text="", visibility="public", date=day)


def test_git_counts_days_and_notes_and_not_the_import(notes: Path) -> None:
    today = datetime.date.today()
    commit(notes, today - datetime.timedelta(days=300), tea="1", coffee="1", boat="1")
    for back in (200, 100, 50):
        commit(notes, today - datetime.timedelta(days=back), tea=str(back))
    (notes / "style.css").write_text("x")
    commit(notes, today - datetime.timedelta(days=10))
    found = changes([notes], [document(None)], today)
    assert found is not None
    assert (found.basis, found.days, found.notes) == ("git", 3, 1)
    assert found.per_month == pytest.approx(3 / (300 / (365 / 12)))
    assert str(found) == "1 notes were written or edited on 3 days of the last 10 months (0.3 a month)"


def test_notes_that_were_imported_once_are_counted_by_their_dates(notes: Path) -> None:
    commit(notes, datetime.date.today() - datetime.timedelta(days=3), tea="1", coffee="1")
    days = [TODAY, TODAY - datetime.timedelta(days=30), TODAY - datetime.timedelta(days=800), None]
    found = changes([notes], [document(day) for day in days], TODAY)
    assert found is not None
    assert (found.basis, found.days, found.notes, found.months) == ("dates", 2, 2, 12)
    assert "written, by their own dates," in str(found)


def test_neither_git_nor_dates_tell(tmp_path: Path) -> None:
    assert changes([tmp_path / "gone"], [document(None)], TODAY) is None
    assert from_dates([None], TODAY) is None
    old = from_dates([datetime.date(2011, 1, 1)], TODAY)
    assert old is not None
    assert (old.days, old.per_month) == (0, 0)


def test_the_first_day_counts_if_others_were_as_busy() -> None:
    log = "\x002026-09-01\n\na.md\n\x002026-10-01\n\na.md\nb.MD\nx.png\n"
    found = from_log([log], TODAY)
    assert found is not None
    assert (found.days, found.notes) == (2, 2)


def test_notes_of_two_folders_with_one_name_are_two() -> None:
    log = "\x002026-09-01\n\na.md\n\x002026-10-01\n\na.md\n"
    found = from_log([log, "", log], TODAY)
    assert found is not None
    assert (found.days, found.notes) == (1, 2)
