"""Chats: WhatsApp's text export and Telegram's result.json."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.dataset.voice.said import MASK, Said
from pipeline.errors import ContentError

_DATE = r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}"
_TIME = r"\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:\s?[AaPp]\.?\s?[Mm]\.?)?"
WHATSAPP_LINE = re.compile(
    # "[31.12.25, 23:59:12] Name: text" of an iPhone, or "12/31/25, 11:59 PM - Name: text" of Android.
    rf"^[\u200e\u200f]*(?:\[(?P<day>{_DATE}),? {_TIME}\] |(?P<other_day>{_DATE}),? {_TIME} [-–] )(?P<rest>.*)$"
)
_SPOKEN = re.compile(r"[\u200e~\u202f\xa0]*(?P<who>[^:]{1,80}): ?(?P<text>.*)$", re.DOTALL)
_NOT_SAID = re.compile(
    r"<[^<>]{3,60}>|null|(?:You deleted this message|This message was deleted|Du hast diese Nachricht gelöscht|"
    r"Diese Nachricht wurde gelöscht|Waiting for this message.*)\.?"
)
_EDITED = re.compile(r"\s*<(?:This message was edited|Diese Nachricht wurde bearbeitet)>\s*$")
_MASKED_ENTITIES = frozenset("link text_link phone email mention mention_name bank_card bot_command".split())


@dataclass(slots=True)
class _Message:
    who: str
    day: str
    text: str
    is_shown: bool = True
    """Whether it is somebody's words, and not a picture or another's message."""
    reply_to: str = ""
    """What somebody else had said, if the owner marked this as a reply to it."""


def whatsapp(text: str, author: str) -> list[Said]:
    """What the owner said in a chat, each turn after what others said on the same day.

    Args:
        text: the .txt that WhatsApp's "Export chat" writes.
        author: the owner's name as the export has it.

    Raises:
        ContentError: it is no such chat, or nobody in it has that name.
    """
    messages: list[_Message] = []
    is_open = False
    for line in text.split("\n"):
        if found := WHATSAPP_LINE.match(line.replace("\u202f", " ")):
            spoken = _SPOKEN.match(found["rest"])
            is_open = spoken is not None
            if spoken:
                words = spoken["text"]
                shown = not words.startswith("\u200e")  # WhatsApp's own words, as for a picture
                messages.append(
                    _Message(spoken["who"].strip(), found["day"] or found["other_day"], words.strip(), shown)
                )
        elif is_open:
            messages[-1].text += "\n" + line
    if not messages:
        raise ContentError("it holds no message of WhatsApp: export the chat again, as text without media")
    for message in messages:
        message.text = _EDITED.sub("", message.text).strip()
        message.is_shown = message.is_shown and not _NOT_SAID.fullmatch(message.text)
    return _turns(messages, author, "")


def telegram(text: str, author: str) -> list[Said]:
    """What the owner said in one chat or in all chats of an export, each turn after what others said on the same day.

    Args:
        text: a result.json.
        author: the owner's name as the export has it, or the id (`user123`).

    Raises:
        ContentError: it is no such export, or nobody in it has that name.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ContentError(f"it is no whole JSON ({error}): export it again") from None
    chats = list(_chats(found))
    if not chats:
        raise ContentError("it holds no chat: export it from Telegram Desktop as machine-readable JSON")
    said, names = [], set[str]()
    for name, entries in chats:
        by_id = {str(entry.get("id")): entry for entry in entries if _is_message(entry)}
        messages = [_telegram_message(entry, author, by_id) for entry in entries if _is_message(entry)]
        names |= {message.who for message in messages}
        if any(message.who == author for message in messages):
            said += _turns(messages, author, name)
    if not said and author not in names:
        raise ContentError(_nobody(author, names))
    return said


def _chats(found: Any) -> Iterator[tuple[str, list[Any]]]:
    if not isinstance(found, dict):
        return
    if isinstance(found.get("messages"), list):
        yield str(found.get("id") or found.get("name") or "chat"), found["messages"]
    for group in ("chats", "left_chats"):
        chats = found.get(group)
        listed = chats.get("list") if isinstance(chats, dict) else None
        for chat in listed if isinstance(listed, list) else []:
            yield from _chats(chat)


def _is_message(entry: Any) -> bool:
    return isinstance(entry, dict) and entry.get("type") == "message"


def _telegram_message(entry: dict[str, Any], author: str, by_id: Mapping[str, dict[str, Any]]) -> _Message:
    """One message; `by_id` has those that it may reply to."""
    who = str(entry.get("from") or "")
    if author in {who, str(entry.get("from_id"))}:
        who = author
    words = entry.get("text") or ""
    text = "".join(map(_words, words)) if isinstance(words, list) else str(words)
    is_shown = bool(text.strip()) and "forwarded_from" not in entry
    message = _Message(who, str(entry.get("date") or "")[:10], text.strip(), is_shown)
    replied = by_id.get(str(entry.get("reply_to_message_id")))
    if who == author and replied:
        asked = _telegram_message(replied, author, {})
        message.reply_to = asked.text if asked.is_shown and asked.who != author else ""
    return message


def _words(piece: Any) -> str:
    if isinstance(piece, dict):
        return MASK if piece.get("type") in _MASKED_ENTITIES else str(piece.get("text") or "")
    return str(piece)


def _turns(messages: Sequence[_Message], author: str, conversation: str) -> list[Said]:
    """What `author` said, messages in a row as one text, with what others said before it on the same day."""
    others = frozenset(message.who for message in messages if message.who and message.who != author)
    if not any(message.who == author for message in messages):
        raise ContentError(_nobody(author, set(others)))
    turns: list[_Message] = []
    for message in messages:
        own = message.who == author
        last = turns[-1] if turns else None
        is_same = last and last.day == message.day and (last.who == author) == own and not message.reply_to
        if last and is_same and last.is_shown and message.is_shown:
            last.text += "\n" + message.text
        else:
            turns.append(replace(message))
    said = []
    for place, turn in enumerate(turns):
        if turn.who != author or not turn.is_shown:
            continue
        above = turns[place - 1] if place else None
        is_asked = above is not None and above.is_shown and above.who != author and above.day == turn.day
        before = turn.reply_to or (above.text if above and is_asked else "")
        said.append(Said(turn.text, before, conversation, others))
    return said


def _nobody(author: str, names: set[str]) -> str:
    known = ", ".join(repr(name) for name in sorted(filter(None, names))[:5])
    return f"nobody in it is called {author!r}: set voice.author to one of {known}"
