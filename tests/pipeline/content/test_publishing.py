from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from pipeline.content.parsing import parse_document
from pipeline.content.publishing import period_of
from pipeline.settings import ContentSource

NOW = datetime(2026, 11, 29, 12, tzinfo=timezone(timedelta(hours=1)))
NOON = "2026-11-29"


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"date": date(2099, 1, 1)}, "a.md"),
        ({"date": "Jan 8 2099"}, "a.md"),
        ({"pubDate": "2099-01-01"}, "a.md"),
        ({"pubDatetime": datetime(2026, 11, 29, 12, 0, tzinfo=UTC)}, "a.md"),
        ({"date": f"{NOON} 12:30:00 +0100"}, "a.md"),
        ({"publishDate": date(2099, 1, 1), "date": date(2020, 1, 1)}, "a.md"),
        ({}, "_posts/2099-01-01-fair.md"),
        ({}, "2099/01/fair.md"),
        ({"expiryDate": date(2026, 11, 29)}, "a.md"),
        ({"date": "9999-12-31T23:59:59"}, "a.md"),
    ],
)
def test_what_is_not_out(values, path):
    assert not period_of(values, path, NOW).holds(NOW)


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({}, "a.md"),
        ({"date": date(2026, 11, 29)}, "a.md"),
        ({"date": f"{NOON} 11:30:00 +0100"}, "a.md"),
        ({"date": f"{NOON} 12:00:00"}, "a.md"),
        ({"publishDate": date(2020, 1, 1), "date": date(2099, 1, 1)}, "an-event.md"),
        ({"updated": date(2099, 1, 1)}, "a.md"),
        ({"date": date(2020, 1, 1)}, "2099-01-01-fair.md"),
        ({"date": "soon"}, "a.md"),
        ({"published": True}, "a.md"),
        ({"expiryDate": date(2026, 11, 30)}, "a.md"),
        ({"date": datetime(1, 1, 1)}, "a.md"),
    ],
)
def test_what_is_out(values, path):
    assert period_of(values, path, NOW).holds(NOW)


def document(text, now):
    source = ContentSource(path=Path("n"), kind="astro")
    return parse_document(text.encode(), source, "n/a.md", Path("a.md"), "a.md", now=now)[0]


def test_a_post_is_private_until_its_day_and_after_its_last():
    text = "---\ndate: 2026-12-24\nexpiryDate: 2027-01-06\n---\nThe crib."
    seen = [document(text, NOW.replace(year=year, month=month, day=day)) for year, month, day in (
        (2026, 12, 23), (2026, 12, 24), (2027, 1, 5), (2027, 1, 6)
    )]  # fmt: skip
    assert [one.visibility for one in seen] == ["private", "public", "public", "private"]
    assert [one.changes_at and one.changes_at.date() for one in seen] == [
        date(2026, 12, 24), date(2027, 1, 6), date(2027, 1, 6), None
    ]  # fmt: skip
    assert seen[0].digest != seen[1].digest == seen[2].digest != seen[3].digest


def test_a_public_word_does_not_beat_the_day():
    assert document("---\ndate: 2099-01-01\npublish: true\n---\nThe fair.", NOW).visibility == "private"
