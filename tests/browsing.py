"""A real browser for tests: headless Chromium, at a desktop's and at a phone's size."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


# Not for the session: playwright keeps an event loop running, and other modules' tests start loops of their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium; the test is skipped where none is installed."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: run `make test`")
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_api.sync_playwright() as playwright:
        if not path and not Path(playwright.chromium.executable_path).exists():
            pytest.skip("no Chromium: install the package chromium, or run `playwright install chromium`")
        running = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield running
        running.close()


@pytest.fixture(params=[(1280, 800), (390, 844)], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest, browser: Any) -> Iterator[Any]:
    """An empty page of a desktop's and of a phone's size; fails when a page's script does."""
    with opened(browser, *request.param) as page:
        yield page


@pytest.fixture
def open_page(browser: Any) -> Callable[..., Any]:
    """`with open_page(width, height, **context) as page`."""
    return lambda width, height, **context: opened(browser, width, height, **context)


@contextmanager
def opened(browser: Any, width: int, height: int, **context: Any) -> Iterator[Any]:
    phone = width < 600
    made = browser.new_context(viewport={"width": width, "height": height}, has_touch=phone, is_mobile=phone, **context)
    page = made.new_page()
    page.set_default_timeout(15_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    made.close()
    assert not errors
