import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.commands.main import main
from pipeline.content.documents import Document
from pipeline.dataset.persona import as_toml, draft, write
from pipeline.errors import SettingsError, SitetwinError
from pipeline.settings import PersonaSettings, load_settings

CHATTY = (
    "I've tried three kettles this year, and I don't regret a single one! You'll find that I'm not very consistent with my tea. "
    "I'm still looking for a good teapot, honestly. I can't stand weak tea (really, I can't) and I'd rather have none at all.\n\n"
    "I met Bartholomew at the market and I liked his teapots. Write to me at tea@example.org if you'd like a cup of it."
)
DRY = (
    "The kettle is filled with cold water. The water is not heated twice. The leaves do not touch the metal. "
    "The cup is warmed before the tea is poured. The pot is emptied after each use. The water is changed every day."
)


def documents(folder: Path, *texts: str, author: str = "") -> list[Document]:
    made = []
    for number, text in enumerate(texts):
        path = folder / f"{number}.md"
        path.write_text(f"---\nauthor: {author}\n---\n{text}" if author else text, encoding="utf-8")
        made.append(Document(f"notes/{number}.md", path, f"Note {number}", "", text, "public"))
    return made


def test_how_the_author_speaks_is_counted(tmp_path):
    found = draft(documents(tmp_path, CHATTY, CHATTY.replace("tea", "coffee")), "Tea time")
    assert found.name == "Tea time"
    assert "first person (I)" in found.prompt
    assert "contractions such as I'm" in found.prompt
    assert found.grounds.language == "English"
    assert found.grounds.first_person > 0.8
    assert found.grounds.exclamations == pytest.approx(1 / 6)


def test_another_author_gets_another_draft(tmp_path):
    found = draft(documents(tmp_path, DRY), "")
    assert "without I" in found.prompt
    assert "No contractions" in found.prompt
    assert "No exclamation marks" in found.prompt


def test_samples_are_the_authors_words_and_name_nobody(tmp_path):
    found = draft(documents(tmp_path, CHATTY), "")
    assert found.samples
    assert all(sample in CHATTY for sample in found.samples)
    assert not any("Bartholomew" in sample or "@" in sample for sample in found.samples)


def test_the_name_is_the_author_of_most_notes(tmp_path):
    assert draft(documents(tmp_path, CHATTY, DRY, author="Ada Tealover"), "Tea time").name == "Ada Tealover"


def test_german_notes_give_a_german_persona(tmp_path):
    text = (
        "Ich habe mir eine neue Kanne gekauft und bin sehr zufrieden mit ihr. Der Tee ist nicht mehr so bitter, und das freut mich. "
        "Ich trinke ihn auf dem Balkon. Das Wasser ist für den Tee nicht zu heiß. Wir haben auch eine alte Kanne von den Eltern. Ich habe sie nicht oft in der Hand."
    )
    found = draft(documents(tmp_path, text), "")
    assert "Write German." in found.prompt
    assert "first person" in found.prompt
    assert not found.grounds.turns


def test_too_few_sentences_are_said_to_be_too_few(tmp_path):
    with pytest.raises(SitetwinError, match=r"hold 1 sentences.*persona\.prompt by hand"):
        draft(documents(tmp_path, "Tea is a drink of leaves."), "")


def test_the_block_is_toml_that_reads_back(tmp_path):
    found = draft(documents(tmp_path, CHATTY.replace("honestly", 'honestly \\ or "so"'), author='Ada "T" \\ Lover'), "")
    read = tomllib.loads(as_toml(found))["persona"]
    assert read == found.model_dump(include={"name", "prompt", "samples"})
    PersonaSettings(**read)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_writing_leaves_the_rest_as_it_is(tmp_path, ending):
    file = tmp_path / "sitetwin.toml"
    before = f'# mine{ending}[site]{ending}name = "Ö"  # odd{ending}'.encode()
    file.write_bytes(before)
    file.chmod(0o640)
    write(file, as_toml(draft(documents(tmp_path, CHATTY), "Tea")))
    after = file.read_bytes()
    assert after.startswith(before)
    assert after.count(b"\r\n") == (after.count(b"\n") if ending == "\r\n" else 0)
    assert tomllib.loads(after.decode())["persona"]["name"] == "Tea"
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.md", "sitetwin.toml"]


@pytest.mark.parametrize("before", ['[persona]\nname = "Me"\n', 'persona.prompt = "Brief."\n', "[ persona ]\n"])
def test_a_persona_that_is_there_stays(tmp_path, before):
    file = tmp_path / "sitetwin.toml"
    file.write_text(before)
    with pytest.raises(SettingsError, match="has a persona already"):
        write(file, "[persona]\n")
    assert file.read_text() == before


def test_the_command_prints_and_writes_what_the_settings_then_say(tmp_path):
    notes = tmp_path / "notes"
    notes.mkdir()
    documents(notes, CHATTY)
    (notes / "secret.md").write_text(f"---\nprivate: true\n---\n{DRY}")
    config = tmp_path / "sitetwin.toml"
    config.write_text('[[content]]\npath = "notes"\nvisibility = "public"\n')
    arguments = ["--config", str(config), "persona", "draft", "--json"]

    printed = json.loads(CliRunner().invoke(main, arguments).stdout)
    assert printed["written"] is None
    assert printed["grounds"]["documents"] == 1
    assert "persona" not in config.read_text()

    written = json.loads(CliRunner().invoke(main, [*arguments, "--write"]).stdout)
    assert written["written"] == str(config)
    persona = load_settings(config).persona
    assert (persona.prompt, persona.samples) == (printed["prompt"], printed["samples"])

    again = CliRunner().invoke(main, [*arguments, "--write"])
    assert again.exit_code == 1
    assert "has a persona already" in again.stderr


def test_samples_stand_in_the_instruction():
    assert PersonaSettings(name="Ada", prompt="Be brief.", samples=["Tea first.", "I don't rush."]).instruction == (
        "Your name is Ada. Be brief. Examples of how you write: “Tea first.” “I don't rush.”"
    )
    assert PersonaSettings().instruction == ""
