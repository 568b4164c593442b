"""Posts of social networks: Mastodon's outbox.json (ActivityPub) and tweets.js of an X archive."""

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.dataset.voice.html_text import plain
from pipeline.dataset.voice.said import Said
from pipeline.errors import ContentError

_PUBLIC = frozenset({"https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"})
_MENTIONS = re.compile(r"^(?:\s*@[\w.-]+(?:@[\w.-]+)?)+\s*")


def mastodon(text: str, author: str) -> list[Said]:
    """The owner's own posts, without boosts. A post that goes on from another own one is said after it.

    Args:
        text: an outbox.json.
        author: the account's name or address; "": whoever the outbox is of.

    Raises:
        ContentError: it is not an outbox, or of another account.
    """
    found = _json(text)
    items = found.get("orderedItems") if isinstance(found, dict) else None
    if not isinstance(items, list):
        raise ContentError("it has no orderedItems: name the outbox.json of Mastodon's archive")
    notes = {str(note.get("id", "")): note for note in _notes(items, author)}
    if author and not notes and (actors := {str(item.get("actor")) for item in items if isinstance(item, dict)}):
        raise ContentError(
            f"no post in it is from {author!r}: leave voice.author out; the posts are from {min(actors)}"
        )
    words = {id: _own_words(plain(str(note.get("content") or ""))) for id, note in notes.items()}
    answered = {id: str(note.get("inReplyTo") or "") for id, note in notes.items()}
    return [
        Said(
            words[id],
            words.get(answered[id], ""),
            _first(id, answered),
            is_private=not _PUBLIC & {*_addressees(note, "to"), *_addressees(note, "cc")},
        )
        for id, note in notes.items()
    ]


def twitter(text: str, author: str) -> list[Said]:
    """The owner's own posts, without retweets. A post that goes on from another own one is said after it.

    Args:
        text: a tweets.js or tweets-part1.js.
        author: not used, because the archive holds the owner's posts only.

    Raises:
        ContentError: it is not a tweets.js.
    """
    found = _json(re.sub(r"^\s*window\.YTD\.\w+\.part\d+\s*=\s*", "", text).rstrip().removesuffix(";"))
    if not isinstance(found, list):
        raise ContentError("it holds no list of posts: name the tweets.js of X's archive")
    posts = [entry.get("tweet", entry) for entry in found if isinstance(entry, dict)]
    own = {
        str(post.get("id_str") or post.get("id") or place): post
        for place, post in enumerate(posts)
        if isinstance(post, dict) and not _text(post).startswith("RT @") and post.get("retweeted") is not True
    }
    words = {id: _own_words(html.unescape(_text(post))) for id, post in own.items()}
    answered = {id: str(post.get("in_reply_to_status_id_str") or "") for id, post in own.items()}
    return [Said(words[id], words.get(answered[id], ""), _first(id, answered)) for id in own]


def _notes(items: list[Any], author: str) -> Iterator[dict[str, Any]]:
    wanted = author.strip().casefold().lstrip("@").split("@")[0]
    for item in items:
        note = item.get("object") if isinstance(item, dict) else None
        if not isinstance(note, dict) or item.get("type") != "Create" or note.get("type") != "Note":
            continue
        actor = str(item.get("actor") or "").casefold()
        is_own = str(note.get("attributedTo") or actor).casefold() == actor
        if is_own and (not wanted or actor in {author.casefold(), wanted} or actor.endswith(f"/{wanted}")):
            yield note


def _addressees(note: Mapping[str, Any], key: str) -> list[str]:
    value = note.get(key) or []
    return [str(one) for one in (value if isinstance(value, list) else [value])]


def _text(post: Mapping[str, Any]) -> str:
    return str(post.get("full_text") or post.get("text") or "")


def _own_words(text: str) -> str:
    return _MENTIONS.sub("", text).strip()


def _first(id: str, answered: Mapping[str, str]) -> str:
    """The first own post of the thread that `id` belongs to."""
    seen = {id}
    while (above := answered[id]) in answered and above not in seen:
        seen.add(above)
        id = above
    return id


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ContentError(f"it is no whole JSON ({error}): export it again") from None
