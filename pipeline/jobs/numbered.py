"""Numbered records and what belongs to them: `.sitetwin/reports/KIND-3.json`, `KIND-3.html`."""

from pathlib import Path

from pipeline.settings import Settings


def report_file(settings: Settings, kind: str, number: int, suffix: str = ".json") -> Path:
    """The file of the record with this number, or the one beside it with another suffix."""
    return settings.state / "reports" / f"{kind}-{number}{suffix}"


def numbers(settings: Settings, kind: str) -> list[int]:
    """The numbers of all records of this kind, lowest first."""
    names = (path.stem.removeprefix(f"{kind}-") for path in (settings.state / "reports").glob(f"{kind}-*.json"))
    return sorted(int(name) for name in names if name.isdecimal())
