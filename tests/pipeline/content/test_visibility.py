from datetime import date

import pytest

from pipeline.content.visibility import visibility_of
from pipeline.settings import ContentSource

PUBLIC = ContentSource(path="site", visibility="public")
PRIVATE = ContentSource(path="vault", kind="obsidian")


@pytest.mark.parametrize(
    "values",
    [
        {"draft": True},
        {"Draft": "yes"},
        {"draft": None},
        {"draft": "maybe"},
        {"draft": ["x"]},
        {"publish": False},
        {"publish": "maybe"},
        {"publish": None},
        {"published": False},
        {"published": "off"},
        {"public": 0},
        {"private": True},
        {"private": 1},
        {"private": 2},
        {"hidden": True},
        {"unlisted": True},
        {"visibility": "private"},
        {"visibility": "friends"},
        {"visibility": None},
        {"status": "Draft"},
        {"publish": True, "draft": True},
        {"visibility": "public", "private": True},
        {"draft": False, "DRAFT": True},
        {"status": ["[[Draft]]"]},
        {"status": "status/unpublished"},
        {"robots": "noindex, nofollow"},
    ],
)
def test_what_makes_a_public_source_private(values):
    assert visibility_of(values, PUBLIC, "a.md") == "private"


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"draft": False},
        {"draft": "no"},
        {"private": "false"},
        {"publish": True},
        {"published": True},
        {"published": date(2022, 9, 16)},
        {"published": "2022-09"},
        {"published": 2022},
        {"status": ["[[Published]]"]},
        {"status": "🌱 seedling"},
        {"robots": "index"},
        {"sidebar": {"hidden": True}},
    ],
)
def test_what_leaves_a_public_source_public(values):
    assert visibility_of(values, PUBLIC, "a.md") == "public"


@pytest.mark.parametrize(
    "values", [{"publish": True}, {"publish": "true"}, {"publish": 1}, {"visibility": "Public"}, {"public": "yes"}]
)
def test_what_makes_a_private_source_public(values):
    assert visibility_of(values, PRIVATE, "a.md") == "public"


@pytest.mark.parametrize(
    "values",
    [{}, {"published": True}, {"published": date(2022, 9, 16)}, {"draft": False}, {"publish": "maybe"}, {"publish": 7}],
)
def test_what_leaves_a_private_source_private(values):
    assert visibility_of(values, PRIVATE, "a.md") == "private"


@pytest.mark.parametrize("pattern", ["journal/**", "Journal", "site/journal/*.md", "{journal,x}/*"])
def test_a_private_pattern_beats_all_front_matter(pattern):
    source = PUBLIC.model_copy(update={"private": [pattern]})
    assert visibility_of({"publish": True, "visibility": "public"}, source, "journal/a.md") == "private"
    assert visibility_of({}, source, "blog/a.md") == "public"


def test_astro_keeps_names_with_an_underscore_to_itself():
    source = ContentSource(path="blog", kind="astro")
    assert [visibility_of({}, source, path) for path in ("a.md", "_a.md", "_old/a.md", "a_b.md")] == [
        "public",
        "private",
        "private",
        "public",
    ]


@pytest.mark.parametrize(
    ("tag", "visibility"), [("private", "private"), ("Draft/ideas", "private"), ("drafts", "public")]
)
def test_tags_make_private_wherever_they_stand(tag, visibility):
    assert visibility_of({}, PUBLIC, "a.md", [tag]) == visibility
