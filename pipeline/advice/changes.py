"""How often notes change: by git where they are under git, else by the days that they name."""

import datetime
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from pipeline.content.documents import Document

DAYS = 365
"""How far back is looked."""
MONTH = 365 / 12
NOTES = (".md", ".mdx", ".markdown")


class Changes(BaseModel):
    """How often the notes changed in the last year."""

    basis: Literal["git", "dates"]
    """The log of git, or the days in front matter and paths, which tell new notes only and no edits."""
    days: int
    """Days on which at least one note was written or edited."""
    notes: int
    """Notes that were written or edited."""
    months: float
    """The time that was looked at."""

    @property
    def per_month(self) -> float:
        """Days with a change, a month."""
        return self.days / self.months

    def __str__(self) -> str:
        what = "written or edited" if self.basis == "git" else "written, by their own dates,"
        day = "day" if self.days == 1 else "days"
        return f"{self.notes} notes were {what} on {self.days} {day} of the last {self.months:.0f} months ({self.per_month:.1f} a month)"


def changes(folders: Sequence[Path], documents: Iterable[Document], today: datetime.date) -> Changes | None:
    """How often the notes changed; None: neither git nor a date tells.

    Args:
        folders: the folders of the content sources.
        documents: the notes.
        today: a year before this day is where it begins.
    """
    return from_log([git_log(folder) for folder in folders], today) or from_dates(
        (document.date for document in documents), today
    )


def git_log(folder: Path) -> str:
    """The days of the last year's commits below `folder`, each followed by the notes that it touched; "" without git."""
    if not folder.is_dir() or not shutil.which("git"):
        return ""
    command = ["git", "-C", str(folder), "-c", "core.quotePath=false", "log", f"--since={DAYS} days ago", "--no-merges"]
    # A commit's day is its author's: a rebase gives all commits of a site the same committer's day.
    done = subprocess.run(
        [*command, "--format=%x00%as", "--name-only", "--relative", "--", "."],
        capture_output=True, encoding="utf-8", errors="replace", check=False,
    )  # fmt: skip
    # A folder outside any repository, or one that belongs to another account, has no log.
    return done.stdout if done.returncode == 0 else ""


def from_log(logs: Sequence[str], today: datetime.date) -> Changes | None:
    """The changes in what `git_log` returns of each folder; None: one day at most, as after an import.

    The first of several days is left out if no day touched more notes: then the notes were put under git on it.
    """
    touched: dict[datetime.date, set[tuple[int, str]]] = {}
    for folder, commit in ((place, commit) for place, log in enumerate(logs) for commit in log.split("\0")[1:]):
        day, *names = commit.split("\n")
        # Notes of two folders may have the same name.
        if notes := {(folder, name) for name in names if name.lower().endswith(NOTES)}:
            touched.setdefault(datetime.date.fromisoformat(day), set()).update(notes)
    if len(touched) < 2:
        return None
    first = min(touched)
    if len(touched[first]) == max(map(len, touched.values())):
        del touched[first]
    months = min(DAYS, max(1, (today - first).days)) / MONTH
    return Changes(
        basis="git", days=len(touched), notes=len(set().union(*touched.values())), months=max(1.0, months)
    )  # fmt: skip


def from_dates(dates: Iterable[datetime.date | None], today: datetime.date) -> Changes | None:
    """The notes that name a day of the last year; None: no note names any day."""
    known = [date for date in dates if date]
    new = [date for date in known if 0 <= (today - date).days <= DAYS]
    return Changes(basis="dates", days=len(set(new)), notes=len(new), months=DAYS / MONTH) if known else None
