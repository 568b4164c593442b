import json

import pytest

from pipeline.dataset.voice.chats import telegram, whatsapp
from pipeline.errors import ContentError

ANDROID = """31.12.25, 21:58 - Messages are end-to-end encrypted.
31.12.25, 21:59 - Bob Miller: Are you coming tonight?
31.12.25, 22:00 - Ada: Yes, but late:
the train stands still.
31.12.25, 22:01 - Ada: Save me some cake
31.12.25, 22:02 - Bob Miller: <Media omitted>
31.12.25, 22:03 - Ada: <Media omitted>
01.01.26, 09:00 - Ada: What a night, I slept until now"""
IPHONE = """[12/31/25, 9:59:12\u202fPM] Bob Miller: Are you coming tonight?
[12/31/25, 10:00:00\u202fPM] Ada: Yes, but late:
the train stands still.
[12/31/25, 10:01:00\u202fPM] Ada: Save me some cake
\u200e[12/31/25, 10:02:00\u202fPM] Bob Miller: \u200eimage omitted
[1/1/26, 9:00:00\u202fAM] Ada: What a night, I slept until now \u200e<This message was edited>"""


@pytest.mark.parametrize("text", [ANDROID, IPHONE])
def test_whatsapp_gives_the_owners_turns_with_what_was_said_before(text):
    first, later = whatsapp(text, "Ada")
    assert first.text == "Yes, but late:\nthe train stands still.\nSave me some cake"
    assert first.before == "Are you coming tonight?"
    assert first.others == {"Bob Miller"}
    assert later.text.rstrip("\u200e ") == "What a night, I slept until now"
    assert later.before == ""


def test_a_name_that_is_not_in_the_chat_is_told_with_those_that_are():
    with pytest.raises(ContentError, match=r"called 'Zoe': set voice\.author to one of 'Ada', 'Bob Miller'"):
        whatsapp(ANDROID, "Zoe")


def test_a_text_without_messages_is_no_chat():
    with pytest.raises(ContentError, match="export the chat again"):
        whatsapp("Dear diary", "Ada")


def message(number, who, text, **more):
    return {
        "id": number, "type": "message", "date": "2025-12-31T22:00:00", "from": who, "from_id": f"user{who}",
        "text": text, **more,
    }  # fmt: skip


def chat(*messages, id=7):
    return {"name": "Bob", "type": "personal_chat", "id": id, "messages": list(messages)}


def test_telegram_gives_the_owners_turns_and_masks_links():
    entries = chat(
        {"id": 0, "type": "service", "actor": "Bob", "action": "phone_call"},
        message(1, "Bob", "Where is the plan?"),
        message(2, "Ada", ["Here: ", {"type": "link", "text": "https://secret.example"}, " as promised"]),
        message(3, "Ada", "not mine", forwarded_from="Carl"),
    )
    for export in (entries, {"chats": {"about": "", "list": [chat(message(1, "Carl", "alone"), id=8), entries]}}):
        for author in ("Ada", "userAda"):
            [said] = telegram(json.dumps(export), author)
            assert (said.text, said.before) == ("Here: ••• as promised", "Where is the plan?")
            assert (said.conversation, said.others) == ("7", {"Bob"})


def test_a_reply_on_telegram_answers_what_it_replies_to():
    export = chat(
        message(1, "Bob", "Where is the plan?"),
        message(2, "Carl", "And when do we eat?"),
        message(3, "Ada", "On the table.", reply_to_message_id=1),
        message(4, "Ada", "At noon.", reply_to_message_id=2),
        message(5, "Ada", "I will cook.", reply_to_message_id=4),
        message(6, "Ada", "Who knows?", reply_to_message_id=99),
    )
    said = telegram(json.dumps(export), "Ada")
    assert [(one.text, one.before) for one in said] == [
        ("On the table.", "Where is the plan?"),
        ("At noon.\nI will cook.\nWho knows?", "And when do we eat?"),
    ]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"chats": {"list": 3}}', '{"messages": [1, null, {"type": "message"}]}']
)
def test_a_damaged_telegram_export_is_told(text):
    with pytest.raises(ContentError, match=r"export it|voice\.author"):
        telegram(text, "Ada")
