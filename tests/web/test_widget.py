"""The page and the chat in a real browser."""

import re

import pytest

pytestmark = pytest.mark.slow
expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: run `make test`").expect


@pytest.fixture
def chat(page, site_url, backend):
    """The landing page with the chat open."""
    page.goto(site_url)
    page.get_by_role("button", name="Open the chat").click()
    page.get_by_role("dialog", name="Ask Loaf").wait_for()
    return page


def ask(page, question):
    page.get_by_role("textbox", name="Your question").fill(question)
    page.get_by_role("button", name="Send").click()


def answer(page):
    return page.locator("site-twin .it").last


def test_an_answer_arrives_in_pieces_and_its_source_opens_at_the_heading(chat, site_url, backend):
    backend.pieces = [f"word{number} " for number in range(20)] + ["[1]"]
    backend.pause_seconds = 0.05
    ask(chat, "How long is the first rise?")
    lengths = chat.evaluate(
        """async () => {
            const seen = new Set();
            const log = document.querySelector('site-twin').shadowRoot.querySelector('.log');
            while (!log.querySelector('.sources')) {
                seen.add(log.querySelector('.text')?.textContent.length ?? 0);
                await new Promise(requestAnimationFrame);
            }
            return [...seen];
        }"""
    )
    assert len(lengths) > 5
    assert answer(chat).get_by_role("link", name="Source 1: Baking bread › First rise").is_visible()
    answer(chat).get_by_role("link", name="Baking bread › First rise", exact=True).click()
    chat.wait_for_url(f"{site_url}/notes/bread#first-rise-1")
    assert chat.locator("h2:target").inner_text() == "First rise"
    expect(chat.locator("h2:target")).to_be_in_viewport()


def test_the_conversation_goes_on_after_a_source_was_opened(chat, site_url, backend):
    ask(chat, "How long?")
    answer(chat).get_by_role("button", name="Copy the answer").wait_for()
    chat.goto(f"{site_url}/notes/starter")
    if chat.get_by_role("button", name="Open the chat").is_visible():
        chat.get_by_role("button", name="Open the chat").click()
    assert answer(chat).inner_text().startswith("Two hours at 24 °C.")
    ask(chat, "And then?")
    expect(chat.locator("site-twin .sources")).to_have_count(2)
    (_, first, _), (_, second, history) = backend.asked
    assert first == second
    assert [turn.content for turn in history] == ["How long?", "Two hours at 24 °C. [1]"]
    chat.get_by_role("button", name="New chat").click()
    assert chat.get_by_text("What would you like to know?").is_visible()


def test_a_suggested_question_is_one_click(chat, backend):
    chat.locator("site-twin").get_by_role("button", name="What is the starter?").click()
    answer(chat).get_by_role("button", name="Copy the answer").wait_for()
    assert backend.asked[0][0] == "What is the starter?"


def test_stop_ends_the_answer_here_and_on_the_server(chat, backend):
    backend.hold = True
    ask(chat, "How long?")
    chat.get_by_role("button", name="Stop").click()
    assert answer(chat).get_by_text("Stopped.").is_visible()
    assert backend.closed.wait(10)
    backend.hold = False
    chat.get_by_role("button", name="Try again").click()
    answer(chat).get_by_role("button", name="Copy the answer").wait_for()


def test_while_starting_the_chat_says_what_it_waits_for_and_answers_by_itself(page, site_url, backend):
    backend.starting = ["the index"]
    page.goto(site_url)
    page.get_by_role("button", name="Open the chat").click()
    page.get_by_text("Getting ready: the index…").wait_for()
    ask(page, "How long?")
    page.get_by_text("Still starting: the index.").wait_for()
    backend.starting = []
    answer(page).get_by_role("button", name="Copy the answer").wait_for()
    assert not page.get_by_role("status").get_by_text("Still starting").is_visible()


def test_an_error_is_told_and_can_be_tried_again(chat, backend):
    backend.fails_with = RuntimeError("inside")
    ask(chat, "How long?")
    answer(chat).get_by_role("alert").get_by_text("The answer could not be made.").wait_for()
    backend.fails_with = None
    chat.get_by_role("button", name="Try again").click()
    answer(chat).get_by_role("button", name="Copy the answer").wait_for()
    assert not answer(chat).get_by_role("alert").is_visible()


def test_what_the_model_writes_is_text_in_the_page(chat, backend):
    backend.pieces = [
        "> Quoted *well*. [1]\n\n",
        "<img src=x onerror=\"document.title='owned'\"> <b>no</b> **yes**\n\n",
        "- one\n- two `code`\n\n```\nx < 1\n```\n\n",
        "[bad](javascript:alert(1)) [good](https://example.org/a_b) [here](/notes/bread) [7]",
    ]
    ask(chat, "How long?")
    answer(chat).get_by_role("button", name="Copy the answer").wait_for()
    text = answer(chat).locator(".text")
    assert text.locator("img, b, script").count() == 0
    assert chat.title() != "owned"
    assert text.locator("strong").inner_text() == "yes"
    assert text.locator("blockquote em").inner_text() == "well"
    assert text.locator("li").all_inner_texts() == ["one", "two code"]
    assert text.locator("pre").inner_text() == "x < 1"
    hrefs = text.locator("a:not(.n)").evaluate_all("links => links.map((link) => link.href)")
    assert [re.sub(r"^http://127[^/]+", "", href) for href in hrefs] == ["https://example.org/a_b", "/notes/bread"]


def test_the_keyboard_alone_opens_asks_follows_a_source_and_closes(page, site_url, backend):
    page.goto(f"{site_url}/notes/starter")
    launch = page.get_by_role("button", name="Open the chat")
    for _ in range(40):
        page.keyboard.press("Tab")
        if launch.evaluate("button => button.getRootNode().activeElement === button"):
            break
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    field = page.get_by_role("textbox", name="Your question")
    for _ in range(10):
        if field.evaluate("field => field.getRootNode().activeElement === field"):
            break
        page.keyboard.press("Tab")
    page.keyboard.type("How long?")
    page.keyboard.press("Enter")
    answer(page).get_by_role("button", name="Copy the answer").wait_for()
    page.keyboard.press("Escape")
    assert not page.get_by_role("dialog").is_visible()
    assert launch.evaluate("button => button.getRootNode().activeElement === button")
    page.keyboard.press("Enter")
    source = answer(page).get_by_role("link", name="Baking bread › First rise", exact=True)
    for _ in range(20):
        page.keyboard.press("Shift+Tab")
        if source.evaluate("link => link.getRootNode().activeElement === link"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site_url}/notes/bread#first-rise-1")


def test_on_a_phone_the_chat_fills_the_screen_and_keeps_the_focus(open_page, site_url):
    with open_page(390, 844, reduced_motion="reduce") as page:
        page.goto(site_url)
        page.get_by_role("button", name="Open the chat").tap()
        dialog = page.get_by_role("dialog")
        dialog.wait_for()
        assert dialog.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}
        assert dialog.get_attribute("aria-modal") == "true"
        assert page.locator("site-twin textarea").evaluate("field => getComputedStyle(field).fontSize") == "16px"
        for _ in range(12):
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.localName") == "site-twin"
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_the_phone_menu_leads_to_every_page(open_page, site_url):
    with open_page(390, 844) as page:
        page.goto(site_url)
        page.get_by_text("Menu", exact=True).tap()
        page.get_by_role("navigation", name="All pages").get_by_role("link", name="The starter").tap()
        page.wait_for_url(f"{site_url}/notes/starter")
        assert page.evaluate("document.documentElement.scrollWidth") == 390


EMBEDDING = """<!doctype html><html dir="rtl"><title>Mine</title><style>* {{ color: red; font-size: 40px }}</style>
<p>Hello</p><script src="{url}/sitetwin.js" defer></script><site-twin heading="Ask me" position="left"></site-twin>"""


@pytest.mark.parametrize("allowed", [True, False])
def test_in_a_page_of_another_origin_it_answers_only_where_allowed(open_page, serve, settings, backend, allowed):
    from starlette.applications import Starlette
    from starlette.responses import HTMLResponse
    from starlette.routing import Route

    from web.app import create_app

    gateway = []
    other = serve(Starlette(routes=[Route("/", lambda request: HTMLResponse(EMBEDDING.format(url=gateway[0])))]))
    settings.gateway.origins = [other] if allowed else []
    gateway.append(serve(create_app(settings, backend)))
    with open_page(1280, 800) as page:
        page.goto(other)
        page.get_by_role("button", name="Open the chat").click()
        if not allowed:
            page.get_by_text("The assistant can’t be reached.").wait_for()
            assert backend.asked == []
            return
        assert page.get_by_role("heading", name="Ask me").evaluate("node => getComputedStyle(node).fontSize") == "16px"
        ask(page, "How long?")
        link = answer(page).get_by_role("link", name="Baking bread › First rise", exact=True)
        link.wait_for()
        assert link.get_attribute("href") == f"{gateway[0]}/notes/bread#first-rise-1"
        assert link.get_attribute("target") == "_blank"


SPOKEN = """<!doctype html><html lang="{lang}"><p>Hallo</p><script src="{url}/sitetwin.js" defer></script>
<site-twin></site-twin>"""


@pytest.mark.parametrize(
    ("lang", "opens", "asks", "direction"),
    [("de-CH", "Chat öffnen", "Stell eine Frage …", "ltr"), ("ar", "فتح المحادثة", "اطرح سؤالاً…", "rtl")],
)
def test_the_chat_speaks_the_pages_language(open_page, serve, settings, backend, lang, opens, asks, direction):
    from starlette.applications import Starlette
    from starlette.responses import HTMLResponse
    from starlette.routing import Route

    from web.app import create_app

    gateway = []
    html = SPOKEN.replace("{lang}", lang)
    other = serve(Starlette(routes=[Route("/", lambda request: HTMLResponse(html.format(url=gateway[0])))]))
    settings.gateway.origins = [other]
    gateway.append(serve(create_app(settings, backend)))
    with open_page(1280, 800) as page:
        page.goto(other)
        page.get_by_role("button", name=opens).click()
        assert page.locator("site-twin textarea").get_attribute("placeholder") == asks
        assert page.locator("site-twin form").get_attribute("dir") == direction
