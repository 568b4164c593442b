import json
from pathlib import Path

import pytest

from pipeline.dataset.voice.reading import read_voice
from pipeline.errors import SettingsError
from pipeline.settings import DatasetSettings, Settings, VoiceSource, load_settings
from tests.pipeline.dataset.voice.test_chats import ANDROID
from tests.pipeline.dataset.voice.test_mails import BOX
from tests.pipeline.dataset.voice.test_posts import ME, outbox, post, tweets

EXPORTS = {
    "outbox.json": outbox(post(1, "From Mastodon"), post(2, "Only for some", to=[f"{ME}/followers"])),
    "data/tweets.js": tweets({"id_str": "1", "full_text": "From X"}),
    "data/account.js": "window.YTD.account.part0 = [{}]",
    "letter.md": "From a letter",
    "page.html": "<html><p>From a page</p></html>",
    "chat.txt": ANDROID,
    "result.json": json.dumps({"messages": [{"type": "message", "from": "Ada", "text": "From Telegram"}]}),
    "all.mbox": BOX.replace("=?utf-8?q?Ada_L=C3=B6v?=", "Ada"),
    "photo.jpg": "\xff\xfe",
}


def site(tmp_path, of_data="private", **voice):
    source = VoiceSource(path=Path("me"), **{"author": "Ada", "visibility": "private", **voice})
    return Settings(root=tmp_path, voice=[source], dataset=DatasetSettings(visibility=of_data))


def export(tmp_path, files, encode=lambda text: text.encode()):
    for name, text in files.items():
        file = tmp_path / "me" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(encode(text))


def windows(text: str) -> bytes:
    return b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()


@pytest.mark.parametrize("encode", [str.encode, windows])
def test_every_format_is_known_by_its_file(tmp_path, encode):
    export(tmp_path, EXPORTS, encode)
    voice = read_voice(site(tmp_path))
    assert voice.left_out == []
    assert {name: said.text.split("\n")[0] for name, said in voice.said} == {
        "me/outbox.json": "Only for some",
        "me/data/tweets.js": "From X",
        "me/letter.md": "From a letter",
        "me/page.html": "From a page",
        "me/chat.txt": "What a night, I slept until now",
        "me/result.json": "From Telegram",
        "me/all.mbox": "Gladly, café at noon?",
    }


def test_a_private_export_is_not_opened_for_a_public_data_set(tmp_path):
    export(tmp_path, EXPORTS)
    assert read_voice(site(tmp_path, "public")).said == []
    texts = [said.text for _, said in read_voice(site(tmp_path, "public", visibility="public")).said]
    assert "From Mastodon" in texts
    assert "Only for some" not in texts


def test_a_damaged_file_is_named_and_the_others_are_read(tmp_path):
    export(tmp_path, {"a.json": "{", "b.md": "A letter", "c.json": '{"orderedItems": 3}', "d.md": "\0"})
    voice = read_voice(site(tmp_path))
    assert [name for name, _ in voice.said] == ["me/b.md"]
    assert [line.split(":")[0] for line in voice.left_out] == ["me/a.json", "me/c.json", "me/d.md"]


@pytest.mark.parametrize("name", [name for name in EXPORTS if not name.endswith(".jpg")])
def test_an_export_that_breaks_off_anywhere_is_read_so_far_or_named(tmp_path, name):
    text = EXPORTS[name]
    for end in range(0, len(text), 5):
        export(tmp_path, {name: text[:end]})
        voice = read_voice(site(tmp_path))
        assert all(line.startswith(f"me/{name}: ") for line in voice.left_out)


def test_one_file_may_be_named(tmp_path):
    export(tmp_path, {"letter.md": "A letter", "other.md": "Another"})
    source = VoiceSource(path=Path("me/letter.md"), format="newsletter")
    settings = Settings(root=tmp_path, voice=[source], dataset=DatasetSettings(visibility="private"))
    assert [name for name, _ in read_voice(settings).said] == ["me/letter.md"]


def test_a_path_that_does_not_exist_and_a_missing_author_are_errors(tmp_path):
    with pytest.raises(SettingsError, match=r"voice\.path me does not exist: correct it"):
        read_voice(site(tmp_path))
    export(tmp_path, {"chat.txt": ANDROID})
    with pytest.raises(SettingsError, match=r"voice\.author is missing .* add your name"):
        read_voice(site(tmp_path, author=""))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('path = "a"\nformat = "icq"', r"voice\.0\.format: .*'auto', 'mastodon'"),
        ('path = "a"\nformat = "whatsapp"', r"several people speak in a whatsapp export: add author"),
        ('path = "a"\nautor = "x"', r"unknown key voice\.0\.autor: did you mean 'author'"),
    ],
)
def test_a_wrong_entry_is_told_when_the_settings_are_read(tmp_path, entry, message):
    (tmp_path / "sitetwin.toml").write_text(f"[[voice]]\n{entry}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=message):
        load_settings(tmp_path / "sitetwin.toml")


def test_single_mails_are_read_and_those_of_others_passed_over(tmp_path):
    mine = "From: Ada <ada@example.org>\nSubject: Rain\n\nIt rains.\n\nFrom here one sees the sea.\n"
    export(tmp_path, {"1.eml": mine, "2.eml": mine.replace("Ada <ada", "Bob <bob")})
    voice = read_voice(site(tmp_path))
    assert [(name, said.text) for name, said in voice.said] == [
        ("me/1.eml", "It rains.\n\nFrom here one sees the sea.")
    ]
    assert voice.left_out == []
