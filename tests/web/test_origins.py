import pytest

from pipeline.errors import SettingsError
from web.origins import Origins, normal_origin


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        ("https://example.org/", "https://example.org"),
        ("https://EXAMPLE.org:443", "https://example.org"),
        ("http://example.org:8080", "http://example.org:8080"),
        ("http://[2001:db8::1]:80/", "http://[2001:db8::1]"),
    ],
)
def test_an_origin_is_kept_as_browsers_write_it(written, origin):
    assert normal_origin(written) == origin


@pytest.mark.parametrize(
    "written", ["*", "https://*.example.org", "example.org", "https://example.org/blog", "ftp://example.org", ""]
)
def test_what_is_no_single_origin_is_refused_with_an_example(written):
    with pytest.raises(SettingsError, match=r"e\.g\. https://example\.org"):
        normal_origin(written)


def test_named_origins_and_the_gateways_own_may_ask():
    origins = Origins(["https://example.org"], "127.0.0.1")
    assert origins.allow("https://example.org", "127.0.0.1:8765")
    assert origins.allow("http://localhost:8765", "localhost:8765")
    assert origins.allow(None, "127.0.0.1:8765")


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://localhost:3000", "null", "https://example.org.evil.example", ""]
)
def test_others_may_not(origin):
    assert not Origins(["https://example.org"], "127.0.0.1").allow(origin, "localhost:8765")


def test_a_foreign_name_that_leads_to_a_loopback_gateway_is_not_its_own():
    assert not Origins([], "127.0.0.1").allow("http://rebound.example:8765", "rebound.example:8765")
    assert Origins([], "0.0.0.0").allow("http://my.host:8765", "my.host:8765")


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("localhost:8765", True),
        ("127.0.0.1", True),
        ("[::1]:8765", True),
        ("chat.example.org", True),
        ("chat.example.org:443", True),
        ("evil.example:8765", False),
        ("127.0.0.1.evil.example", False),
        ("[::1", False),
        ("", False),
    ],
)
def test_a_gateway_on_loopback_answers_to_its_own_names(host, known):
    assert Origins(["https://chat.example.org"], "127.0.0.1").knows(host) is known
    assert Origins([], "0.0.0.0").knows("my.host:8765")
