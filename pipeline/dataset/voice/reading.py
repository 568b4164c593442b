"""Reads what [[voice]] names: which files, in which format, and why one was left out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.content.converting import decode
from pipeline.dataset.voice.chats import WHATSAPP_LINE, telegram, whatsapp
from pipeline.dataset.voice.letters import newsletter
from pipeline.dataset.voice.mails import eml, mbox
from pipeline.dataset.voice.posts import mastodon, twitter
from pipeline.dataset.voice.said import Reader, Said
from pipeline.errors import ContentError, SettingsError
from pipeline.settings import NEEDS_AUTHOR, Settings, VoiceFormat, VoiceSource

READERS: dict[VoiceFormat, Reader] = {
    "mastodon": mastodon,
    "twitter": twitter,
    "newsletter": newsletter,
    "mbox": mbox,
    "whatsapp": whatsapp,
    "telegram": telegram,
}
LETTERS = (".md", ".markdown", ".html", ".htm", ".txt")
SUFFIXES: dict[VoiceFormat, tuple[str, ...]] = {
    "auto": (*LETTERS, ".json", ".js", ".mbox", ".eml"),
    "mastodon": (".json",),
    "twitter": (".js",),
    "newsletter": LETTERS,
    "mbox": (".mbox", ".eml", ""),
    "whatsapp": (".txt",),
    "telegram": (".json",),
}
"""The endings of the files that a folder of a format may hold. Other files there are pictures and the like."""


@dataclass(slots=True)
class Voice:
    """What was read."""

    said: list[tuple[str, Said]] = field(default_factory=list)
    """Each message with the name of its file, as sitetwin.toml reaches it."""
    left_out: list[str] = field(default_factory=list)
    """Each file that could not be read, with the reason and the next step."""


def read_voice(settings: Settings) -> Voice:
    """What the owner said in all exports that may teach the data set of these settings.

    Private exports are not opened for a public data set.

    Raises:
        SettingsError: an entry names no file or folder, or lacks the author that its chat or mbox needs.
    """
    voice = Voice()
    is_private = settings.dataset.visibility == "private"
    for source in settings.voice:
        place = _place(settings, source)
        if source.visibility == "private" and not is_private:
            continue
        for file in _files(place, source):
            name = (source.path / file.relative_to(place)).as_posix()
            try:
                said = _read(file, source)
            except (ContentError, OSError) as error:
                voice.left_out.append(f"{name}: {error}")
            else:
                voice.said += [(name, one) for one in said if is_private or not one.is_private]
    return voice


def detect(name: str, text: str) -> VoiceFormat | None:
    """The format of a file by its name and its text; None if it is no export that is known."""
    suffix = Path(name).suffix.lower()
    start = text[:4000].lstrip("\ufeff \n")
    if suffix == ".js":
        # An archive of X has many lists; those of posts are called tweets.part0 or tweet.part0.
        return "twitter" if start.startswith(("window.YTD.tweets.", "window.YTD.tweet.")) else None
    if suffix == ".json":
        return "mastodon" if '"orderedItems"' in text else "telegram" if '"messages"' in text else None
    if suffix in (".mbox", ".eml") or (suffix == "" and start.startswith("From ")):
        return "mbox"
    if suffix == ".txt" and any(WHATSAPP_LINE.match(line.replace("\u202f", " ")) for line in start.split("\n")[:20]):
        return "whatsapp"
    return "newsletter" if suffix in LETTERS else None


def _place(settings: Settings, source: VoiceSource) -> Path:
    try:
        place = settings.source_path(source)
        exists = place.exists()
    except (OSError, RuntimeError) as error:
        raise SettingsError(f"voice.path {source.path}: {error}: correct it in sitetwin.toml") from None
    if not exists:
        raise SettingsError(
            f"voice.path {source.path} does not exist: correct it in sitetwin.toml, or put the file there"
        )
    return place


def _files(place: Path, source: VoiceSource) -> Iterator[Path]:
    if place.is_file():
        yield place
        return
    for file in sorted(place.rglob("*")):
        is_hidden = any(part.startswith(".") for part in file.relative_to(place).parts)
        if file.is_file() and not is_hidden and file.suffix.lower() in SUFFIXES[source.format]:
            yield file


def _read(file: Path, source: VoiceSource) -> list[Said]:
    data = file.read_bytes()
    is_mail = source.format == "mbox" or (source.format == "auto" and file.suffix.lower() in (".mbox", ".eml"))
    text = _bytes_as_text(data) if is_mail else decode(data)
    form = detect(file.name, text) if source.format == "auto" else source.format
    if form is None:
        if file.suffix.lower() == ".js":  # one of the many other lists in an archive of X
            return []
        raise ContentError("no export that is known: set voice.format, or name the one file that is")
    if form in NEEDS_AUTHOR and not source.author:
        raise SettingsError(
            f"voice.author is missing for {source.path}: several people speak in a {form} export, so add your name in it"
        )
    if form == "mbox" and not is_mail:
        text = _bytes_as_text(data)
    if file.suffix.lower() == ".eml":
        return eml(text, source.author)
    return READERS[form](text, source.author)


def _bytes_as_text(data: bytes) -> str:
    return data.removeprefix(b"\xef\xbb\xbf").decode("latin-1").replace("\r\n", "\n")
