from datetime import UTC, date, datetime

import pytest

from pipeline.content.frontmatter import as_date, date_of, split_front_matter, tags_of, title_of
from pipeline.errors import ContentError


@pytest.mark.parametrize(
    ("text", "values", "body"),
    [
        ("---\ntitle: A\ndraft: true\n---\nBody", {"title": "A", "draft": True}, "Body"),
        ("\n\n---\ntitle: A\n---\nBody", {"title": "A"}, "Body"),
        ("--- \ntitle: A\n---\t\nBody", {"title": "A"}, "Body"),
        ("---\n---\nBody", {}, "Body"),
        ("---\n# only a comment\n---\nBody", {}, "Body"),
        ("+++\ntitle = 'A'\n+++\nBody", {"title": "A"}, "Body"),
        ("---\ndate: 2023-02-30\n---\n", {"date": "2023-02-30"}, ""),
        ("---\n1: x\n---\n", {"1": "x"}, ""),
        ("Body\n---\na: 1\n---\n", {}, "Body\n---\na: 1\n---\n"),
        ("---\n\nA rule above.", {}, "---\n\nA rule above."),
        ("---\nOn two\u2028lines: so", {}, "---\nOn two\u2028lines: so"),
        ("---", {}, "---"),
        ("", {}, ""),
    ],
)
def test_front_matter_is_split_off(text, values, body):
    assert split_front_matter(text) == (values, body)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("---\ntitle: 'A\n---\nBody", "not valid YAML"),
        ("---\ntitle: {{date}}\n---\nBody", "not valid YAML"),
        ("---\na: 1\nb: [\n---\nBody", "line "),
        ("---\na: !!python/object:os.system x\n---\nBody", "not valid YAML"),
        ("---\ndraft: true\ndraft: false\n---\nBody", "'draft' twice"),
        ("---\ndraft: true\n\nBody", "never closed"),
        ("---\n# note to self\ndraft: true\n\nBody", "never closed"),
        ("+++\ndraft = true\n\nBody", "never closed"),
        ("---\njust words\n---\nBody", "not `key: value`"),
        ("---json5\n{}\n---\nBody", "json"),
        ("+++\ntitle = A\n+++\nBody", "not valid TOML"),
        ("---\na: " + "[" * 5000 + "\n---\nBody", "front matter"),
        ("---\na: " + "9" * 5000 + "\n---\nBody", "can't be read"),
    ],
)
def test_broken_front_matter_is_an_error_of_one_line(text, reason):
    with pytest.raises(ContentError, match=r"^[^\n]+$") as caught:
        split_front_matter(text)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("value", "title"),
    [
        ("A *B*", "A B"),
        (1984, "1984"),
        (date(2023, 9, 12), "2023-09-12"),
        ("[[Note|words]]", "words"),
        (None, ""),
        (["x"], ""),
        (True, ""),
        ("  ", ""),
        ("[", ""),
    ],
)
def test_title(value, title):
    assert title_of({"Title": value}) == title


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        (["a", "#b", 3, None, ["x"], ""], ["a", "b", "3"]),
        ("a, b  #c", ["a", "b", "c"]),
        (None, []),
        (7, []),
        ({"a": 1}, []),
    ],
)
def test_tags(value, tags):
    assert tags_of({"tags": value}) == tags


@pytest.mark.parametrize(
    "value",
    [
        date(2022, 7, 8),
        datetime(2022, 7, 8, 23, 59, tzinfo=UTC),
        "2022-07-08",
        "2022-07-08T10:00:00Z",
        "[[2022-07-08]]",
        "Jul 08 2022",
        "July 8, 2022",
        "8 Jul 2022",
        "2022/07/08",
    ],
)
def test_dates_are_read_as_written(value):
    assert as_date(value) == date(2022, 7, 8)


@pytest.mark.parametrize("value", ["soon", "", None, 2022, True, "2022-13-45", ["2022-07-08"]])
def test_other_values_are_no_date(value):
    assert as_date(value) is None


@pytest.mark.parametrize(
    ("values", "path", "day"),
    [
        ({"updated": date(2024, 1, 1), "pubDate": date(2023, 1, 1)}, "a.md", date(2023, 1, 1)),
        ({"publish_date": "2023-01-01", "date": "someday"}, "a.md", date(2023, 1, 1)),
        ({"published": True}, "2021/05/a.md", date(2021, 5, 1)),
        ({}, "blog/2021/05/17/a.md", date(2021, 5, 17)),
        ({}, "_posts/2021-05-17-a.md", date(2021, 5, 17)),
        ({}, "2021-02-30.md", None),
        ({}, "2021/a.md", None),
        ({}, "1080/12/a.md", None),
        ({}, "room-2021-05a/x.md", None),
    ],
)
def test_date_of_a_document(values, path, day):
    assert date_of(values, path) == day


def test_yamls_own_mark_of_an_end_closes_the_front_matter():
    assert split_front_matter("---\ntitle: A\n...\nText.\n---\nMore.") == ({"title": "A"}, "Text.\n---\nMore.")
    assert split_front_matter("---\n\nText.\n\n...\n") == ({}, "---\n\nText.\n\n...\n")
