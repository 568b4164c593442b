"""Mails of an mbox file or of .eml files, of which only the owner's own are read."""

import re
from collections.abc import Iterable, Iterator
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses

from pipeline.dataset.voice.html_text import plain
from pipeline.dataset.voice.said import Said
from pipeline.errors import ContentError

_STARTS = re.compile(r"(?:\A|(?<=\n\n))From [^\n]*\n")
_SIGNATURE = re.compile(r"^(?:-- ?|Sent from my .*|Von meinem \w+ gesendet.*|Get Outlook for .*)$", re.MULTILINE)
_FORWARDED = re.compile(
    r"^(?:-{2,} ?(?:Forwarded message|Weitergeleitete Nachricht).*|Begin forwarded message:.*)$",
    re.MULTILINE | re.IGNORECASE,
)
_ORIGINAL = re.compile(
    r"^-{2,} ?(?:Original Message|Ursprüngliche Nachricht|Message d'origine) ?-{2,}$", re.MULTILINE | re.IGNORECASE
)
_HEADERS = re.compile(r"^(?:From|To|Sent|Subject|Cc|Date|Von|An|Gesendet|Betreff|Datum):.*$", re.MULTILINE)
_ATTRIBUTION = re.compile(
    r"^(?:On|Am|Le|El|Il|Op|Den)\b[^\n]{0,200}\n?[^\n]{0,120}(?:wrote|schrieb|a écrit|escribió|ha scritto|schreef|skrev)[^\n]{0,120}:\s*$",
    re.MULTILINE,
)  # fmt: skip


def mbox(text: str, author: str) -> list[Said]:
    """What the owner wrote in mails, without quotations and signatures; what is quoted was said before.

    Args:
        text: an mbox file, decoded as Latin-1 so that every byte is one character: each mail names its own encoding.
        author: the owner's address or name, as in `From:`.

    Raises:
        ContentError: it holds no mail, or none of the owner's.
    """
    if not _STARTS.search(text):
        raise ContentError("it holds no mail: an mbox begins with a line `From `, so export it again")
    said, senders = _said(_mails(text), author)
    if not said:
        known = ", ".join(sorted(filter(None, senders))[:5])
        raise ContentError(f"no mail in it is from {author!r}: set voice.author to the owner's address; it has {known}")
    return said


def eml(text: str, author: str) -> list[Said]:
    """What the owner wrote in one mail, an .eml file; nothing if somebody else wrote it.

    Args:
        text: the file, decoded as Latin-1.
        author: as of `mbox`.
    """
    return _said([message_from_bytes(text.encode("latin-1"))], author)[0]


def _said(mails: Iterable[Message], author: str) -> tuple[list[Said], set[str]]:
    """What the owner says in these mails, and the addresses of the others who write."""
    own = author.strip().casefold()
    said, senders = [], set[str]()
    for mail in mails:
        names = _people(mail, "From")
        if own not in {part.casefold() for person in names for part in person}:
            senders |= {address for _, address in names}
            continue
        body = _body(mail)
        before, words = _parted(body)
        people = [*_people(mail, "To"), *_people(mail, "Cc")]
        others = frozenset(part for person in people for part in person if part and part.casefold() != own)
        said.append(Said(words, before, _thread(mail), others - {part for one in names for part in one}))
    return said, senders


def _mails(text: str) -> Iterator[Message]:
    # `mailbox.mbox` of the standard library needs a file of its own and misses the first mail after a byte order mark.
    places = [found.span() for found in _STARTS.finditer(text)]
    ends = [*(start for start, _ in places), len(text)][1:]
    for (_, start), end in zip(places, ends, strict=True):
        yield message_from_bytes(re.sub(r"^>(>*From )", r"\1", text[start:end], flags=re.MULTILINE).encode("latin-1"))


def _header(mail: Message, name: str) -> str:
    value = str(mail.get(name) or "")
    try:
        return str(make_header(decode_header(value)))
    except (LookupError, UnicodeError, MessageError):  # an encoding that nobody knows: the letters as they stand
        return value


def _people(mail: Message, header: str) -> list[tuple[str, str]]:
    return getaddresses([_header(mail, header)])


def _thread(mail: Message) -> str:
    """The first mail of the thread, else the subject, so that a thread is one conversation."""
    subject = re.sub(r"^(?:\s*(?:re|aw|fwd?|wg|sv|antw)\s*:)+\s*", "", _header(mail, "Subject"), flags=re.IGNORECASE)
    return subject.strip().casefold() or str(mail.get("Message-ID") or "")


def _body(mail: Message) -> str:
    parts = [part for part in mail.walk() if not part.is_multipart() and not part.get_filename()]
    for kind in ("text/plain", "text/html"):
        for part in parts:
            if part.get_content_type() == kind:
                text = _decoded(part)
                return plain(text) if kind == "text/html" else text.replace("\r\n", "\n")
    return ""


def _decoded(part: Message) -> str:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    try:
        return data.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return data.decode("utf-8", "replace")


def _parted(body: str) -> tuple[str, str]:
    """What is quoted in a mail, and what is not."""
    body = _FORWARDED.split(body, maxsplit=1)[0]
    body, *original = _ORIGINAL.split(body, maxsplit=1)
    body = _ATTRIBUTION.sub("", body)
    quoted: list[str] = []
    own: list[str] = []
    for line in body.split("\n"):
        (quoted if line.lstrip().startswith(">") else own).append(line)
    words = _SIGNATURE.split("\n".join(own), maxsplit=1)[0]
    # What is quoted twice was said by the owner before that.
    once = [re.sub(r"^\s*> ?", "", line) for line in quoted]
    before = [line for line in once if not line.startswith(">")] + [_HEADERS.sub("", text) for text in original]
    return _tidy(_ATTRIBUTION.sub("", "\n".join(before))), _tidy(words)


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip()
