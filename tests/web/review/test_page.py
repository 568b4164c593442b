"""The review in a real browser."""

import re

import pytest

from tests.web.conftest import serving
from tests.web.review.conftest import TOKEN

pytestmark = pytest.mark.slow
expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: run `make test`").expect


@pytest.fixture
def desk(open_page, review_url):
    """The page on a desktop, once the first pair is there."""
    with open_page(1280, 800) as page:
        page.goto(review_url)
        page.locator("#question").wait_for()
        yield page


def press(page, *keys):
    """One key after the other, each when the last one's work is done."""
    for key in keys:
        before = page.locator("#said").inner_text()
        page.keyboard.press(key)
        expect(page.locator("#said")).not_to_have_text(before)
        page.locator("#pair[aria-busy=false]").wait_for()


def current(page):
    """Id of the pair that is shown."""
    return page.url.rpartition("#")[2]


def question(page):
    return page.locator("#question").inner_text()


def test_pairs_are_judged_by_keyboard_and_the_next_build_does_it(desk, review):
    rejected = current(desk)
    press(desk, "r")
    expect(desk.locator("#decided")).to_have_text(re.compile("^1 of"))
    edited = current(desk)
    assert edited != rejected
    desk.keyboard.press("e")
    desk.get_by_label("Question").fill("What would I ask?")
    desk.get_by_label("Answer").fill("<b>My</b> words,\nin two lines.")
    press(desk, "Control+Enter")
    expect(desk.locator("#decided")).to_have_text(re.compile("^2 of"))
    desk.get_by_label("Filter said").select_option("judge")
    expect(desk.locator("#marks")).to_contain_text("Rejected by judge")
    accepted = current(desk)
    press(desk, "a")
    expect(desk.locator("#waiting")).to_have_text("3 decisions wait for the next sitetwin dataset build")
    assert {id: said.action for id, said in review.decisions().items()} == {
        rejected: "reject", edited: "edit", accepted: "accept",
    }  # fmt: skip

    desk.get_by_role("button", name="Show all").click()
    desk.get_by_label("You said").select_option("decided")
    expect(desk.locator("#list li")).to_have_count(3)
    desk.reload()
    expect(desk.locator("#list li")).to_have_count(3)
    expect(desk.locator("#decided")).to_have_text(re.compile("^3 of"))
    desk.get_by_role("button", name="What would I ask? you edited").click()
    expect(desk.locator("#question")).to_have_text("What would I ask?")
    assert desk.locator("#answer").inner_text() == "<b>My</b> words,\nin two lines."
    expect(desk.locator("#marks")).to_contain_text("You edited it")
    expect(desk.locator("#reason")).to_have_text("The next build takes your words.")

    review.build()
    trained = {row.original: row.pair for row in review.rows()}
    assert rejected not in trained
    assert trained[edited].question == "What would I ask?"
    assert trained[accepted].kind == "voice"
    expect(desk.locator("#newer")).to_contain_text("Data set 2 is there, you are looking at 1.")
    desk.get_by_role("button", name="Load it").click()
    expect(desk.locator("#set")).to_have_text("data set 2")
    expect(desk.locator("#waiting")).to_be_hidden()
    expect(desk.locator("#decided")).to_have_text(re.compile("^3 of"))


def test_undo_goes_back_to_what_was_said_before(desk, review):
    id = current(desk)
    press(desk, "a", "u")
    assert current(desk) == id
    assert not review.decisions()
    desk.keyboard.press("e")
    desk.get_by_label("Answer").fill("In my words.")
    press(desk, "Control+Enter", "k", "r", "u")
    assert current(desk) == id
    assert review.decisions()[id].answer == "In my words."
    desk.reload()
    expect(desk.locator("#answer")).to_have_text("In my words.")
    press(desk, "u")
    assert not review.decisions()
    expect(desk.locator("#decided")).to_have_text(re.compile("^0 of"))


def test_keys_walk_search_and_leave_the_editor(desk, review):
    first = question(desk)
    press(desk, "j", "ArrowDown", "k", "ArrowUp")
    expect(desk.locator("#question")).to_have_text(first)
    desk.keyboard.press("e")
    expect(desk.get_by_label("Question")).to_be_focused()
    desk.keyboard.type("jar")
    desk.get_by_label("Question").fill(first)
    desk.keyboard.press("Escape")
    expect(desk.locator("#editor")).to_be_hidden()
    desk.keyboard.press("/")
    desk.keyboard.type("trains3 how-to")
    expect(desk.locator("#found")).to_have_text(re.compile("^4 of"))
    desk.keyboard.press("Escape")
    expect(desk.locator("#pair")).to_be_focused()
    desk.keyboard.press("?")
    expect(desk.get_by_role("dialog", name="Keys")).to_be_visible()
    desk.keyboard.press("r")
    desk.keyboard.press("Escape")
    expect(desk.get_by_role("dialog")).to_have_count(0)
    assert not review.decisions()


def test_another_tab_sees_what_was_decided(desk, review_url, review):
    other = desk.context.new_page()
    other.goto(review_url)
    other.locator("#question").wait_for()
    press(other, "r")
    desk.bring_to_front()
    expect(desk.locator("#decided")).to_have_text(re.compile("^1 of"))
    expect(desk.locator("#marks")).to_contain_text("You rejected it")


def test_a_phone_has_buttons_for_all_of_it(open_page, review_url, review):
    with open_page(390, 844) as page:
        page.goto(review_url)
        page.locator("#question").wait_for()
        id = current(page)
        page.get_by_role("button", name="Reject").tap()
        expect(page.locator("#decided")).to_have_text(re.compile("^1 of"))
        assert review.decisions()[id].action == "reject"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.get_by_text("Filter and list").tap()
        page.get_by_label("You said").select_option("decided")
        expect(page.locator("#list li")).to_have_count(1)


def test_a_review_that_ended_is_said_to_have(open_page, review):
    with open_page(1280, 800) as desk:
        with serving(review.app()) as address:
            desk.goto(f"{address}/{TOKEN}/")
            desk.locator("#question").wait_for()
        desk.keyboard.press("a")
        expect(desk.get_by_role("alert")).to_contain_text("The review does not run any more.")
        expect(desk.locator("#decided")).to_have_text(re.compile("^0 of"))
