"""Two drafts side by side, over HTTP and in a real browser."""

import pytest

from pipeline.dataset.decisions import choices_file, read_choices, read_compared


def choose(client, better, worse, action="choose"):
    return client.post("api/choices", json={"better": better, "worse": worse, "action": action})


def test_two_near_questions_are_offered_once(client, review):
    found = client.get("api/drafts").json()["drafts"]
    assert client.get("api/pairs").json()["drafts"] == len(found) > 1
    first, second = found[0]["sides"]
    assert first["answer"] != second["answer"]
    assert found[0]["sources"][0]["text"]
    assert choose(client, second["id"], first["id"]).status_code == 200
    [choice] = read_choices(choices_file(review.settings))
    assert (choice.better, choice.worse) == (second["id"], first["id"])
    assert client.get("api/pairs").json()["drafts"] == len(found) - 1
    choose(client, second["id"], first["id"], "undo")
    assert client.get("api/drafts").json()["drafts"] == found


def test_neither_is_remembered_but_is_no_preference(client, review):
    before = client.get("api/drafts").json()["drafts"]
    first, second = before[0]["sides"]
    choose(client, first["id"], second["id"], "neither")
    assert len(client.get("api/drafts").json()["drafts"]) == len(before) - 1
    assert [one.action for one in read_compared(choices_file(review.settings))] == ["neither"]
    assert read_choices(choices_file(review.settings)) == []


@pytest.mark.parametrize(
    ("better", "worse", "status"), [("0123456789abcdef", "", 404), ("", "", 422), ("", "gone", 404)]
)
def test_a_choice_about_no_two_pairs_is_refused(client, review, better, worse, status):
    there = review.rows()[0].original
    assert choose(client, better or there, worse or there).status_code == status
    assert not choices_file(review.settings).exists()


def test_the_choice_is_in_the_next_build(client, review):
    from pipeline.dataset.versions import read_preferences, version_folder

    first, second = client.get("api/drafts").json()["drafts"][0]["sides"]
    choose(client, second["id"], first["id"])
    review.build()
    [one] = [one for one in read_preferences(version_folder(review.settings)) if one.why == "choice"]
    assert (one.chosen, one.rejected) == (second["answer"], first["answer"])


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_drafts_are_chosen_in_the_browser(open_page, review_url, review, width, height):
    expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: run `make test`").expect
    file = choices_file(review.settings)
    with open_page(width, height) as page:
        page.goto(review_url)
        page.get_by_role("link", name="choices").click()
        place = page.locator("#place")
        expect(place).to_contain_text("1 of")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        second = page.get_by_role("article", name="Second draft").locator(".answer").inner_text()
        page.keyboard.press("2")
        expect(place).to_contain_text("2 of")
        [choice] = read_choices(file)
        written = {row.original: row.pair.answer for row in review.rows()}
        written |= {row.pair.id: row.pair.answer for row in review.rejected()}
        assert written[choice.better] == second
        page.get_by_role("button", name="Skip").click()
        expect(place).to_contain_text("3 of")
        page.keyboard.press("n")
        expect(place).to_contain_text("4 of")
        assert [one.action for one in read_compared(file)] == ["choose", "neither"]
        for number in (3, 2, 1):
            page.get_by_role("button", name="Undo").click()
            expect(place).to_contain_text(f"{number} of")
        assert read_compared(file) == []
