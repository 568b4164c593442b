import dataclasses

import pytest
from starlette.testclient import TestClient

from pipeline.dataset.decisions import Decision, decisions_file, record_decisions
from pipeline.dataset.versions import versions
from tests.pipeline.dataset.notes import document


def pairs(client, **wanted):
    answer = client.get("api/pairs", params=wanted)
    assert answer.status_code == 200, answer.text
    return answer.json()


def decide(client, pair, action, **words):
    return client.post("api/decisions", json={"pair": pair, "action": action, **words})


def test_every_pair_is_listed_and_can_be_narrowed(client, review):
    found = pairs(client)
    assert found["total"] == len(found["pairs"]) == len(review.rows()) + len(review.rejected())
    assert (found["version"], found["newest"], found["decided"], found["waiting"]) == (1, 1, 0, 0)
    assert found["choices"]["stages"] == {"judge": len(review.rejected())}
    judged = pairs(client, outcome="judge", source="notes/trains3.md")
    assert 0 < len(judged["pairs"]) < len(review.rejected())
    assert judged["choices"] == found["choices"]


def test_a_pair_is_shown_with_what_it_was_made_from(client):
    line = pairs(client, outcome="judge", source="notes/trains3.md")["pairs"][0]
    whole = client.get(f"api/pairs/{line['id']}").json()
    assert whole["pair"]["kind"] == "voice"
    assert (whole["pair"]["accuracy"], whole["pair"]["style"], whole["split"]) == (9, 8, None)
    assert whole["rejection"]["stage"] == "judge"
    assert "as the words say" in whole["rejection"]["reason"]
    (source,) = whole["sources"]
    assert (source["title"], source["url"], source["heading"]) == (
        "All about trains3", "/trains3", "Part 1 of trains3",
    )  # fmt: skip
    assert "I write about trains3" in source["text"]


def test_a_chunk_that_is_gone_is_said_to_be(review):
    review.documents[3] = dataclasses.replace(document(3), text="Something else.")
    client = review.client()
    line = pairs(client, source="notes/trains3.md")["pairs"][0]
    (source,) = client.get(f"api/pairs/{line['id']}").json()["sources"]
    assert (source["title"], source["text"]) == ("All about trains3", None)


def test_decisions_are_kept_and_the_last_word_counts(client, review):
    first, second, third = (line["id"] for line in pairs(client)["pairs"][:3])
    assert decide(client, first, "reject").json()["waiting"] == 1
    answer = decide(client, second, "edit", question="My question?", answer="My answer.").json()
    assert (answer["decided"], answer["waiting"]) == (2, 2)
    assert (answer["pair"]["question"], answer["pair"]["answer"]) == ("My question?", "My answer.")
    decide(client, third, "accept")
    decide(client, third, "undo")
    # another review of the same data set sees it
    found = pairs(review.client(), decision="decided")
    assert [(line["id"], line["decision"]) for line in found["pairs"]] == [(first, "reject"), (second, "edit")]
    decide(review.client(), first, "accept")
    assert pairs(client)["pairs"][0]["decision"] == "accept"


def test_the_next_build_does_what_was_decided_and_then_nothing_waits(client, review):
    row, out = review.rows()[0], review.rejected()[0]
    other = next(other for other in review.rejected() if other.pair.source != out.pair.source)
    decide(client, row.original, "reject")
    decide(client, out.pair.id, "accept")
    decide(client, other.pair.id, "edit", question="My question?", answer="My answer.")
    assert pairs(client)["waiting"] == 3
    review.build()
    assert client.get("api/state").json()["newest"] == 2
    assert pairs(client, version=1)["waiting"] == 3
    found = pairs(client)
    assert (found["version"], found["decided"], found["waiting"]) == (2, 3, 0)
    by_original = {row.original: row.pair for row in review.rows()}
    assert row.original not in by_original
    assert by_original[out.pair.id] == out.pair
    assert by_original[other.pair.id].question == "My question?"
    review.build()
    assert versions(review.settings) == [1, 2]


def test_a_decision_outside_changes_the_stamp(client, review):
    before = client.get("api/state").json()["stamp"]
    record_decisions(decisions_file(review.settings), [Decision(pair=review.rows()[0].original, action="accept")])
    assert client.get("api/state").json()["stamp"] > before


def test_a_named_data_set_stays_the_one_that_is_shown(review, client):
    decide(client, review.rows()[0].original, "reject")
    review.build()
    found = pairs(review.client(version=1), version=2)
    assert (found["version"], found["newest"], found["pinned"]) == (1, 2, True)


def test_a_pair_that_is_not_there_can_not_be_decided_on(client, review):
    answer = decide(client, "0123456789abcdef", "accept")
    assert answer.status_code == 404
    assert "no such pair" in answer.json()["error"]
    assert not decisions_file(review.settings).exists()


@pytest.mark.parametrize(
    "body",
    [
        {"pair": "x", "action": "delete"},
        {"pair": "x", "action": "edit", "question": "Why?", "answer": " "},
        {"action": "accept"},
        [],
    ],
)
def test_a_decision_in_no_form_is_refused(client, body):
    assert client.post("api/decisions", json=body).status_code == 422


def test_the_time_of_a_decision_is_this_machines(client, review):
    id = review.rows()[0].original
    client.post("api/decisions", json={"pair": id, "action": "accept", "at": "2001-01-01T00:00:00Z"})
    assert review.decisions()[id].at.year > 2001


@pytest.mark.parametrize("query", ["kind=gossip", "version=x", "version=-1", "wrong=1"])
def test_a_wrong_query_is_refused(client, query):
    assert client.get(f"api/pairs?{query}").status_code == 422


def test_a_data_set_that_is_not_there_is_said_to_be(client):
    answer = client.get("api/pairs?version=7")
    assert (answer.status_code, answer.json()["error"]) == (409, "there is no data set 7: name one of 1")


@pytest.mark.parametrize("path", ["", "api/state", "api/pairs", "api/decisions"])
@pytest.mark.parametrize("start", ["/", "/another-start/"])
def test_without_the_token_nothing_is_served(review, start, path):
    client = TestClient(review.app(), base_url="http://127.0.0.1:9")
    assert client.get(f"{start}{path}").status_code == 404


def test_another_name_that_leads_here_is_refused(client):
    assert client.get("api/pairs", headers={"host": "rebound.example:9"}).status_code == 403
    assert client.get("api/pairs", headers={"host": "localhost:9"}).status_code == 200


@pytest.mark.parametrize("path", ["", "api/state", "api/pairs"])
def test_another_page_reads_nothing(client, path):
    assert client.get(path, headers={"origin": "https://evil.example"}).status_code == 403
    assert client.get(path, headers={"origin": "http://127.0.0.1:8765"}).status_code == 403
    assert client.get(path, headers={"origin": "http://127.0.0.1:9"}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:8765"}, 403),
        ({"origin": "null"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"origin": "http://127.0.0.1:9"}, 200),
    ],
)
def test_only_the_page_itself_decides(client, review, headers, status):
    content = Decision(pair=review.rows()[0].original, action="reject").model_dump_json()
    headers = {"content-type": "application/json", **headers}
    assert client.post("api/decisions", content=content, headers=headers).status_code == status
    assert bool(review.decisions()) == (status == 200)


def test_a_decision_has_an_end(client, review):
    answer = decide(client, review.rows()[0].original, "edit", question="Why?", answer="x" * 300_000)
    assert answer.status_code == 413


def test_the_page_fetches_nothing_from_elsewhere(client):
    for path in ("", "/review/review.js", "/review/drafts.js", "/review/review.css", "/static/site.css"):
        answer = client.get(f"http://127.0.0.1:9{path}" if path else "")
        assert answer.status_code == 200
        assert "http" not in answer.text.replace("/^https?:$/", "")
        assert "default-src 'none'" in answer.headers["content-security-policy"]
