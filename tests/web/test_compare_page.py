"""The page /compare in a real browser."""

import pytest

from pipeline.errors import ModelError
from tests.web.comparing import KEY
from web.app import create_app

pytestmark = pytest.mark.slow
expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: run `make test`").expect


@pytest.fixture
def address(compared, backend, model, serve):
    return serve(create_app(compared, backend, owner_key=KEY, connect=lambda adapter: model)) + "/compare"


def column(page, name):
    return page.get_by_role("region", name=name)


def is_phone(page):
    return page.viewport_size["width"] < 600


def test_a_probe_is_answered_side_by_side_with_its_sources(page, address):
    page.goto(address)
    page.get_by_role("button", name="The notes hold it: Where does the starter live?").click()
    page.get_by_text("2 answered.").wait_for()
    if is_phone(page):
        assert column(page, "base").is_visible()
        assert not column(page, "rag").is_visible()
        page.get_by_role("tab", name="rag").tap()
        assert not column(page, "base").is_visible()
    rag = column(page, "rag")
    assert "It lives in a jar." in rag.locator(".answer").inner_text()
    assert rag.get_by_role("link", name="The starter").first.get_attribute("href").endswith("/notes/starter")
    assert rag.get_by_text("first word").is_visible()
    rag.get_by_text("Passages found").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_a_column_that_fails_is_not_counted_as_an_answer(page, address, model, monkeypatch):
    def generate(*_, **__):
        raise ModelError("the model is gone: start it")

    monkeypatch.setattr(model, "generate", generate)
    page.goto(f"{address}?q=Where+does+the+starter+live%3F&systems=base,rag")
    page.get_by_text("1 answered, 1 failed.").wait_for()
    assert "could not be made" in column(page, "base").inner_text() or is_phone(page)
    assert page.locator("[role=tab].done").count() == 1


def test_pieces_are_shown_while_they_come_and_stop_ends_them(page, address, model):
    model.hold = True
    page.goto(f"{address}?q=Who%3F&systems=base")
    column(page, "base").get_by_text("Of the model.").wait_for()
    page.get_by_role("button", name="Stop").click()
    column(page, "base").get_by_text("Stopped.").wait_for()
    model.go.set()
    assert model.closed.wait(20)
    assert page.get_by_role("button", name="Ask all").is_visible()


def test_the_link_asks_the_same_again(page, address):
    page.goto(address)
    page.get_by_role("checkbox", name="base").uncheck()
    page.get_by_role("textbox", name="Question").fill("Who won the cup of 1974?")
    page.get_by_role("button", name="Ask all").click()
    page.get_by_text("1 answered.").wait_for()
    link = page.url
    page.goto("about:blank")
    page.goto(link)
    page.get_by_text("1 answered.").wait_for()
    assert column(page, "rag").get_by_text("Nothing in the notes is about this question.").is_visible()
    assert page.get_by_role("textbox", name="Question").input_value() == "Who won the cup of 1974?"
    assert not page.get_by_role("checkbox", name="base").is_checked()


def test_a_blind_comparison_shows_names_and_the_tally_after_the_vote(page, address):
    page.goto(f"{address}?q=Where%20does%20the%20starter%20live%3F&systems=base,rag&blind=1")
    page.get_by_role("heading", name="Which sounds more like the author?").wait_for()
    assert page.locator(".board").get_by_text("rag").count() == 0
    assert page.locator(".board .n").count() == 0
    page.locator(".vote").get_by_role("button", name="A", exact=True).click()
    page.get_by_text("Your vote is kept.").wait_for()
    assert sorted(page.locator(".board h2").all_inner_texts())[0].startswith("A: ") or is_phone(page)
    assert page.locator(".col.chosen").count() == 1
    assert page.get_by_text("100 % (21 % to 100 %) of 1").is_visible()


def test_it_is_closed_to_visitors_and_open_to_who_comes_with_the_key(page, address, compared):
    compared.gateway.compare = False
    page.goto(address)
    page.get_by_text("This page is for the site's owner").wait_for()
    assert not page.get_by_role("button", name="Ask all").is_visible()
    page.goto("about:blank")
    page.goto(f"{address}#key={KEY}")
    page.get_by_role("button", name="Ask all").wait_for()
    assert KEY not in page.url
    page.reload()
    page.get_by_role("button", name="It exists nowhere").click()
    page.get_by_text("2 answered.").wait_for()


def test_what_a_model_writes_is_text_in_the_page(page, address, model):
    model.generate = lambda messages, **_: iter(["<img src=x onerror=\"document.title='owned'\"> **yes**"])
    page.goto(f"{address}?q=Who%3F&systems=base")
    page.get_by_text("1 answered.").wait_for()
    answer = column(page, "base").locator(".answer")
    assert answer.locator("img").count() == 0
    assert answer.locator("strong").inner_text() == "yes"
    assert page.title() != "owned"


def test_the_tabs_of_a_phone_follow_the_arrow_keys(open_page, address):
    with open_page(390, 844, reduced_motion="reduce") as page:
        page.goto(f"{address}?q=Who%3F&systems=base,rag")
        page.get_by_text("2 answered.").wait_for()
        page.get_by_role("tab", name="base").focus()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name="rag")).to_have_attribute("aria-selected", "true")
        assert column(page, "rag").is_visible()
        assert page.get_by_role("tab", name="rag").bounding_box()["height"] >= 44
