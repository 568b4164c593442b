import re
from pathlib import Path

import pytest


def test_the_landing_page_lists_public_pages_only(client):
    page = client.get("/")
    assert page.status_code == 200
    assert "<h1>Loaf</h1>" in page.text
    assert 'href="/notes/bread"' in page.text
    assert "A loaf in four hours." in page.text
    assert "Diary" not in page.text


def test_a_guide_has_navigation_and_its_neighbours(client):
    page = client.get("/notes/bread").text
    assert '<a href="/notes/bread" aria-current="page">' in page
    assert re.search(r'rel="next" href="/notes/starter"', page)
    assert '<h2 id="first-rise-1">' in page
    assert "<h1>Baking bread</h1>" in page


@pytest.mark.parametrize(
    "path", ["/notes/diary", "/notes/nothing", "/../pyproject.toml", "/notes/..%2f..%2fetc/passwd", "/api/nothing"]
)
def test_a_private_page_is_as_unknown_as_one_that_is_not_there(client, path):
    page = client.get(path)
    assert page.status_code == 404
    assert "There is no such page" in page.text
    assert "rye" not in page.text


def test_a_slash_at_the_end_leads_to_the_page(client):
    answer = client.get("/notes/bread/", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (308, "/notes/bread")


def test_no_redirect_leads_to_another_site(client):
    for path in ("//evil.example/", "//evil.example/notes/bread/"):
        answer = client.get(f"http://localhost:8765{path}", follow_redirects=False)
        assert answer.status_code == 404


@pytest.mark.parametrize(
    "path", ["/", "/notes/bread", "/nothing", "/sitetwin.js", "/static/site.css", "/api/info", "/healthz"]
)
def test_every_answer_says_what_a_browser_may_do_with_it(client, path):
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "referrer-policy" in headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "unsafe" not in policy


def test_the_widget_is_one_small_file_that_other_sites_may_load(client):
    script = client.get("/sitetwin.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["cross-origin-resource-policy"] == "cross-origin"
    assert len(script.content) < 55_000  # of which the words in twenty languages are 24,000
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", script.text)
    assert client.get("/sitetwin.js", headers={"if-none-match": script.headers["etag"]}).status_code == 304


def test_site_name_and_description_are_text_not_markup(settings, backend):
    from starlette.testclient import TestClient

    from web.app import create_app

    settings.site.name = '<script>alert("x")</script>'
    page = TestClient(create_app(settings, backend), base_url="http://localhost").get("/").text
    assert '<script>alert("x")' not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/info", "/notes/bread", "/static/page.css"])
def test_a_rebound_name_sees_no_page(client, path):
    refused = client.get(path, headers={"host": "evil.example:8765"})
    assert refused.status_code == 403
    assert "gateway.origins" in refused.text


@pytest.mark.parametrize("path", ["/", "/sitetwin.js", "/healthz", "/api/info", "/notes/bread", "/static/site.css"])
@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:3000", "null"])
def test_a_page_of_another_site_sees_nothing(client, path, origin):
    refused = client.get(path, headers={"origin": origin})
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers


@pytest.mark.parametrize("path", ["/", "/sitetwin.js", "/api/info"])
@pytest.mark.parametrize("origin", ["https://example.org", "http://localhost:8765"])
def test_a_named_site_and_the_page_itself_see_it(client, path, origin):
    assert client.get(path, headers={"origin": origin}).status_code == 200


def test_each_component_s_documentation_has_its_place_in_any_site(client):
    page = client.get("/sitetwin/help").text
    sources = (Path(__file__).parents[2] / "components" / "sitetwin").glob("*.py")
    links = {
        file.name: re.findall(r'documentation = "/sitetwin/help#(.+)"', file.read_text("utf-8")) for file in sources
    }
    assert all(len(found) == 1 for found in links.values()), links
    assert not [anchor for (anchor,) in links.values() if f'id="{anchor}"' not in page]
    assert "langflow.md" not in page
