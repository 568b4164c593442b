"""Exports on their way into a data set, and not into the index."""

import asyncio
from pathlib import Path

from pipeline.content.sources import read_file, read_sources
from pipeline.dataset.build import build
from pipeline.dataset.decisions import Decision, decisions_file, record_decisions
from pipeline.dataset.records import SPLITS
from pipeline.dataset.versions import read_card, read_preferences, read_rejected, read_rows, version_folder
from pipeline.dataset.voice.pairs import is_of_voice, pairs_of
from pipeline.dataset.voice.reading import read_voice
from pipeline.settings import ContentSource, Settings, VoiceSource
from tests.pipeline.dataset.notes import FirstSentences, cut, document, embed, site
from tests.pipeline.dataset.voice.test_chats import ANDROID

SECRET = "I slept until now"


def with_chats(settings: Settings, count: int, visibility="private") -> Settings:
    folder = settings.root / "chats"
    folder.mkdir(exist_ok=True)
    for number in range(count):
        text = ANDROID.replace("now", f"now in week {number}").replace("late", f"late by {number} hours")
        (folder / f"{number}.txt").write_text(text, encoding="utf-8")
    source = VoiceSource(path=Path("chats"), author="Ada", visibility=visibility)
    return settings.model_copy(update={"voice": [source]})


def run(settings):
    built = asyncio.run(
        build(
            settings,
            [document(number) for number in range(10)],
            teacher=FirstSentences(),
            judge=None,
            cut=cut,
            embed=embed,
            voice=pairs_of(read_voice(settings).said),
        )
    )
    folder = version_folder(settings)
    return built, folder, [row for row in read_rows(folder) if is_of_voice(row.pair)]


def private(tmp_path):
    settings = site(tmp_path)
    data = settings.dataset.model_copy(update={"visibility": "private", "with_passages": 1.0, "unanswered": 1.0})
    return settings.model_copy(update={"dataset": data})


def test_voice_joins_the_data_set_and_no_conversation_is_in_two_splits(tmp_path):
    _, folder, rows = run(with_chats(private(tmp_path), 20))
    assert len(rows) == 40
    assert {row.pair.kind for row in rows} == {"voice"}
    sides = {source: {row.split for row in rows if row.pair.source == source} for source in read_card(folder).split_of}
    assert all(len(found) == 1 for source, found in sides.items() if source.startswith("voice:"))
    assert {row.split for row in rows} == set(SPLITS)
    trained = (folder / "train.jsonl").read_text(encoding="utf-8")
    assert trained.count(SECRET) == sum(row.split == "train" and SECRET in row.pair.answer for row in rows)


def test_the_notes_keep_their_splits_when_voice_comes(tmp_path):
    settings = private(tmp_path)
    _, folder, _ = run(settings)
    before = read_card(folder).split_of
    _, folder, _ = run(with_chats(settings, 3))
    assert read_card(folder).split_of.items() >= before.items()
    assert not run(with_chats(settings, 3))[0].new


def test_private_voice_never_reaches_a_public_data_set(tmp_path):
    settings = site(tmp_path)
    assert settings.dataset.visibility == "public"
    _, folder, rows = run(with_chats(settings, 3))
    assert rows == []
    assert not any(SECRET in file.read_text(encoding="utf-8") for file in folder.iterdir())
    assert run(with_chats(settings, 3, "public"))[2]


def test_the_owners_decisions_count_for_voice(tmp_path):
    settings = with_chats(private(tmp_path), 3)
    _, _, rows = run(settings)
    first, second = rows[0].original, rows[1].original
    record_decisions(
        decisions_file(settings),
        [
            Decision(pair=first, action="reject"),
            Decision(pair=second, action="edit", question="Why?", answer="Because."),
        ],
    )
    _, folder, rows = run(settings)
    assert first in {row.pair.id for row in read_rejected(folder) if row.rejection.stage == "review"}
    assert [row.pair.answer for row in rows if row.original == second] == ["Because."]
    assert not any(second in one.pairs for one in read_preferences(folder))


def test_an_export_below_the_notes_is_not_indexed(tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "may.md").write_text("A letter about beans.", encoding="utf-8")
    (tmp_path / "note.md").write_text("A note about beans.", encoding="utf-8")
    content = ContentSource(path=Path())
    for path in ("letters", "letters/may.md"):
        settings = Settings(root=tmp_path, content=[content], voice=[VoiceSource(path=Path(path))])
        found = {report.path.name: report for report in read_sources(settings)}
        assert [name for name, report in found.items() if report.document] == ["note.md"]
        assert "[[voice]]" in found["may.md"].reason
        assert read_file(settings, content, tmp_path / "letters" / "may.md").document is None
