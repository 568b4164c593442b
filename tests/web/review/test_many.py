"""What the decisions taught, and one decision on many pairs: over HTTP and in a real browser."""

import re

import pytest

from pipeline.dataset.decisions import Decision, decisions_file, record_decisions


def pairs(client, **wanted):
    answer = client.get("api/pairs", params=wanted)
    assert answer.status_code == 200, answer.text
    return answer.json()


def many(client, action, ids=(), **more):
    return client.post("api/decisions/many", json={"action": action, "pairs": list(ids), **more})


def ids(found):
    return [pair["id"] for pair in found["pairs"]]


def teach(review, client):
    """Accepts each accepted pair of the first three notes and rejects the rest of theirs."""
    found = [pair for number in (0, 1, 2) for pair in pairs(client, source=review.documents[number].id)["pairs"]]
    said = [Decision(pair=pair["id"], action="accept" if pair["accepted"] else "reject") for pair in found]
    record_decisions(decisions_file(review.settings), said)
    return len(said)


def test_few_decisions_leave_the_order_of_the_notes(client):
    found = pairs(client)
    assert found["learned"] == 0
    assert ids(found) == ids(pairs(client, order="notes"))
    assert "chance" not in " ".join(client.get(f"api/pairs/{ids(found)[0]}").json()["marks"])


def test_what_was_decided_orders_the_rest(client, review):
    before = ids(pairs(client))
    decided = teach(review, client)
    found = pairs(client)
    assert found["learned"] == decided >= 20
    assert sorted(ids(found)) == sorted(before)
    assert all(pair["decision"] for pair in found["pairs"][-decided:])
    assert not any(pair["decision"] for pair in found["pairs"][:-decided])
    assert ids(pairs(client, order="notes")) == before
    likely = pairs(client, decision="open", chance="min-75")["pairs"]
    assert likely
    assert all(pair["accepted"] for pair in likely)
    marks = client.get(f"api/pairs/{likely[0]['id']}").json()["marks"]
    assert any(re.fullmatch(r"chance (7[5-9]|[89]\d|100)%", mark) for mark in marks)


def test_many_are_decided_at_once_and_what_was_decided_stays(client, review):
    voice = ids(pairs(client, kind="voice"))
    client.post("api/decisions", json={"pair": voice[0], "action": "accept"})
    answer = many(client, "reject", voice).json()
    assert answer["pairs"] == voice[1:]
    assert answer["decided"] == len(voice)
    assert {id: said.action for id, said in review.decisions().items()} == {
        voice[0]: "accept", **dict.fromkeys(voice[1:], "reject"),
    }  # fmt: skip


def test_many_are_taken_back_but_not_what_was_said_since(client, review):
    voice = ids(pairs(client, kind="voice"))
    at = many(client, "reject", voice).json()["at"]
    client.post("api/decisions", json={"pair": voice[0], "action": "accept"})
    assert sorted(many(client, "undo", at=at).json()["pairs"]) == sorted(voice[1:])
    assert {id: said.action for id, said in review.decisions().items()} == {voice[0]: "accept"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"action": "edit", "pairs": []}, 422),
        ({"action": "accept", "pairs": ["0123456789abcdef"]}, 404),
        ([], 422),
    ],
)
def test_a_decision_on_what_is_not_there_is_refused(client, review, body, status):
    assert client.post("api/decisions/many", json=body).status_code == status
    assert not decisions_file(review.settings).exists()


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_many_are_decided_in_the_browser(open_page, review_url, review, client, width, height):
    expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: run `make test`").expect
    taught = teach(review, client)
    likely = pairs(client, decision="open", chance="min-75")["pairs"]
    with open_page(width, height) as page:
        asked = []
        page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.accept()))
        page.goto(review_url)
        page.locator("#question").wait_for(timeout=60_000)  # the first time loads scikit-learn
        if width < 820:
            page.get_by_text("Filter and list").click()
        expect(page.locator("#learned")).to_have_text(f"Least sure first, learned from {taught} decisions.")
        expect(page.locator("#many")).to_be_hidden()
        page.get_by_label("Chance").select_option("min-75")
        page.get_by_label("You said").select_option("open")
        button = page.get_by_role("button", name="Accept all")
        expect(button).to_have_text(f"Accept all {len(likely)} undecided")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        button.click()
        expect(page.locator("#decided")).to_have_text(re.compile(f"^{taught + len(likely)} of"))
        [question] = asked
        assert question.startswith(f"Accept {len(likely)} pairs that you have not decided on?")
        assert "Chance: at least 75 %" in question
        assert {review.decisions()[pair["id"]].action for pair in likely} == {"accept"}
        expect(page.locator("#said")).to_contain_text(f"You accepted {len(likely)} pairs.")
        page.locator("#pair").focus()
        page.keyboard.press("u")
        expect(page.locator("#decided")).to_have_text(re.compile(f"^{taught} of"))
        assert len(review.decisions()) == taught


@pytest.mark.slow
def test_the_page_learns_while_the_owner_decides(open_page, review_url, review, client):
    expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: run `make test`").expect
    refused, accepted = pairs(client, kind="voice"), pairs(client, kind="fact")
    many(client, "reject", ids(refused)[:5])
    many(client, "accept", ids(accepted)[:5])
    with open_page(1280, 800) as page:
        page.goto(f"{review_url}?decision=open")
        page.locator("#question").wait_for()
        expect(page.locator("#learned")).to_be_hidden()
        for number in range(11, 21):
            page.keyboard.press("a" if number % 2 else "r")
            expect(page.locator("#decided")).to_have_text(re.compile(f"^{number} of"))
            page.locator("#pair[aria-busy=false]").wait_for()
        # The first time loads scikit-learn.
        expect(page.locator("#learned")).to_have_text("Least sure first, learned from 20 decisions.", timeout=60_000)
        first = next(pair for pair in pairs(client)["pairs"] if not pair["decision"])
        expect(page.locator("#question")).to_have_text(first["question"])
        page.get_by_label("Order").select_option("notes")
        expect(page.locator("#learned")).to_have_text("The chances are learned from 20 decisions.")
