import json

import pytest

from pipeline.dataset.voice.posts import mastodon, twitter
from pipeline.errors import ContentError

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
ME = "https://social.example/users/ada"


def post(number, content, **more):
    note = {"id": f"{ME}/{number}", "type": "Note", "attributedTo": ME, "content": content, "to": [PUBLIC], **more}
    return {"type": "Create", "actor": ME, "object": note}


def outbox(*items):
    return json.dumps({"orderedItems": list(items)})


def test_mastodons_html_becomes_text():
    [said] = mastodon(outbox(post(1, "<p>Fish &amp; chips<br>again</p><p>No regrets.</p>")), "")
    assert said.text == "Fish & chips\nagain\n\nNo regrets."
    assert not said.before


def test_only_the_owners_own_posts_are_read():
    boost = {"type": "Announce", "actor": ME, "object": "https://other.example/1"}
    poll = {"type": "Create", "actor": ME, "object": {"type": "Question", "id": "q", "content": "Which?"}}
    other = post(3, "not mine", attributedTo="https://other.example/users/bob")
    assert [said.text for said in mastodon(outbox(boost, poll, other, post(1, "mine")), "@ada@social.example")] == [
        "mine"
    ]
    with pytest.raises(ContentError, match=f"no post in it is from 'bob': leave voice.author out; .* from {ME}"):
        mastodon(outbox(post(1, "mine")), "bob")


def test_a_thread_is_one_conversation_and_a_reply_to_others_loses_its_address():
    thread = outbox(
        post(1, "First of two."),
        post(2, "Second of two.", inReplyTo=f"{ME}/1"),
        post(3, "<span>@bob@other.example</span> you are right", inReplyTo="https://other.example/9"),
    )
    first, second, reply = mastodon(thread, "")
    assert (second.before, second.conversation) == ("First of two.", first.conversation)
    assert (reply.text, reply.before) == ("you are right", "")
    assert reply.conversation != first.conversation


def test_a_post_for_followers_only_is_private():
    shown, hidden = mastodon(outbox(post(1, "to all"), post(2, "to some", to=[f"{ME}/followers"])), "")
    assert (shown.is_private, hidden.is_private) == (False, True)


def test_posts_that_answer_each_other_in_a_circle_end():
    circle = outbox(post(1, "one", inReplyTo=f"{ME}/2"), post(2, "two", inReplyTo=f"{ME}/1"))
    assert len(mastodon(circle, "")) == 2


def tweets(*posts):
    return "window.YTD.tweets.part0 = " + json.dumps([{"tweet": post} for post in posts], ensure_ascii=False)


def test_tweets_are_read_without_retweets():
    text = tweets(
        {"id_str": "1", "full_text": "Tea &amp; toast\u2028at noon"},
        {"id_str": "2", "full_text": "RT @bob: something else"},
        {"id_str": "3", "full_text": "@ada and cake", "in_reply_to_status_id_str": "1"},
    )
    first, second = twitter(text, "")
    assert first.text == "Tea & toast\u2028at noon"
    assert (second.text, second.before, second.conversation) == ("and cake", first.text, "1")


@pytest.mark.parametrize("text", ["", "{", "[1, 2", '{"a": 1}', "[" * 100_000])
@pytest.mark.parametrize("reader", [mastodon, twitter])
def test_a_damaged_export_is_named_with_the_next_step(reader, text):
    with pytest.raises(ContentError, match=r": (?:export it again|name the )"):
        reader(text, "")
