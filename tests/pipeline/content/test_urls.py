from datetime import date

import pytest

from pipeline.content.urls import astro_slug, on_site, page_name, url_of

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
    fields = {"slug": "2019/home-server", "path": "2019/Home Server", "stem": "Home Server"}
    assert url_of(pattern, fields, DAY) == (url, "")


@pytest.mark.parametrize(
    ("pattern", "slug", "url"),
    [
        ("/docs/{slug}/", "", "/docs/"),
        ("/{slug}.html", "", "/"),
        ("/{slug}.html", "guide/", "/guide/"),
        ("/{slug}.html", "a/index", "/a/"),
        ("https://x.org/{slug}/", "", "https://x.org/"),
        ("/{slug}", "a b/c", "/a%20b/c"),
    ],
)
def test_the_page_of_a_folder_has_the_folders_address(pattern, slug, url):
    assert url_of(pattern, {"slug": slug}) == (url, "")


@pytest.mark.parametrize(
    ("pattern", "url"),
    [("https://x.org/blog/{slug}/", "https://x.org/about/"), ("/blog/{slug}", "/about/"), ("", "")],
)
def test_an_address_of_the_front_matter_begins_at_the_sites_root(pattern, url):
    assert on_site(pattern, "about/index.html") == url


def test_a_missing_date_and_an_unknown_field_are_explained():
    assert url_of("/{year}/{slug}", {"slug": "a"}) == (
        "",
        "no address: its source's url names {year} and the file has no date: add `date:` to its front matter",
    )
    url, reason = url_of("/{titel}", {"slug": "a"}, DAY)
    assert url == ""
    assert "{titel}" in reason
    assert "use {slug}" in reason
