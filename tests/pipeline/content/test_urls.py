from datetime import date

import pytest

from pipeline.content.urls import astro_slug, page_name, url_of

DAY = date(2019, 9, 5)


@pytest.mark.parametrize(
    ("path", "slug"),
    [
        ("2019/home-server/index.md", "2019/home-server"),
        ("My Post.mdx", "my-post"),
        ("A/B & C/Index.md", "a/b--c"),
        ("index.md", "index"),
        ("v1.0 notes.md", "v10-notes"),
        ("📝/é.md", "/é"),
    ],
)
def test_astro_slug(path, slug):
    assert astro_slug(path) == slug


@pytest.mark.parametrize(
    ("path", "name"), [("a/b/index.md", "b"), ("index.md", "index"), ("a/First Run.md", "First Run")]
)
def test_page_name(path, name):
    assert page_name(path) == name


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("", ""),
        ("/blog/{slug}/", "/blog/2019/home-server/"),
        ("https://x.org/{year}/{month}/{day}/{stem}", "https://x.org/2019/09/05/Home%20Server"),
        ("/{path}", "/2019/Home%20Server"),
        ("/all", "/all"),
    ],
)
def test_patterns(pattern, url):
    assert url_of(pattern, "2019/Home Server/index.md", day=DAY) == (url, "")


def test_a_slug_of_the_front_matter_wins():
    assert url_of("/{slug}", "2019/a.md", slug="/my own/") == ("/my%20own", "")


def test_the_root_page_has_an_empty_path():
    assert url_of("/docs/{path}", "index.md") == ("/docs/", "")


def test_a_missing_date_and_an_unknown_field_are_explained():
    assert url_of("/{year}/{slug}", "a.md") == (
        "",
        "no address: its source's url names {year} and the file has no date: add `date:` to its front matter",
    )
    url, reason = url_of("/{titel}", "a.md", day=DAY)
    assert url == ""
    assert "{titel}" in reason
    assert "use {slug}" in reason
