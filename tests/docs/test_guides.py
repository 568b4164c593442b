import re
from pathlib import Path

import click
import pytest
import yaml
from pydantic import BaseModel

from pipeline.commands.main import main
from pipeline.content.slugs import Slugger, plain_text
from pipeline.evaluation.golden import load, says
from pipeline.settings import ContentSource, Settings, VoiceSource, load_settings

ROOT = Path(__file__).resolve().parents[2]
GUIDES = sorted((ROOT / "docs").glob("*.md"))
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in GUIDES}
PAGES = [*GUIDES, ROOT / "README.md"]


def front_matter(text: str) -> dict:
    return yaml.safe_load(text.split("---\n", 2)[1])


def anchors(text: str) -> set[str]:
    slugger = Slugger()
    return {slugger.slug(plain_text(line)) for line in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


def settings_keys() -> dict[str, object]:
    """Every key of sitetwin.toml as `section.key`, with its default; ... where one must be given."""
    sections = {
        name: type(field.default)
        for name, field in Settings.model_fields.items()
        if name not in ("root", "content", "voice")
    }
    sections |= {"content": ContentSource, "voice": VoiceSource}
    return {
        f"{section}.{key}": ... if field.is_required() else field.get_default(call_default_factory=True)
        for section, model in sections.items()
        if issubclass(model, BaseModel)
        for key, field in model.model_fields.items()
    }


def in_toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(in_toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def commands(text: str) -> set[str]:
    """Command lines of sitetwin: in code marks, and at the start of a line in a block of shell."""
    inline = re.findall(r"`(?:\w+=\S+ )?(sitetwin [^`]+)`", text)
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return {*inline, *re.findall(r"^(sitetwin .+)$", "\n".join(blocks), re.MULTILINE)}


def test_there_are_guides_enough():
    assert len(GUIDES) >= 15


@pytest.mark.parametrize("name", TEXTS)
def test_a_guide_has_title_description_and_order(name):
    matter = front_matter(TEXTS[name])
    assert set(matter) == {"title", "description", "order"}
    assert isinstance(matter["order"], int)


def test_no_two_guides_share_a_place_or_a_title():
    matters = [front_matter(text) for text in TEXTS.values()]
    assert len({matter["order"] for matter in matters}) == len({matter["title"] for matter in matters}) == len(matters)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_guides_lead_somewhere(page):
    for name, anchor in re.findall(r"\]\((?:/docs/|docs/)([\w-]+)(?:\.md)?(?:#([\w-]+))?\)", page.read_text("utf-8")):
        assert name in TEXTS, f"{page.name} links to {name}"
        assert not anchor or anchor in anchors(TEXTS[name]), f"{page.name} links to {name}#{anchor}"


@pytest.mark.parametrize(("key", "default"), settings_keys().items())
def test_every_key_of_the_settings_is_explained_with_its_default(key, default):
    row = re.search(rf"^\| `{re.escape(key)}` \| ([^|]+) \|", TEXTS["settings"], re.MULTILINE)
    assert row, f"settings.md does not name {key}"
    if default is ... or default is None:
        assert "`" not in row[1]
    else:
        assert row[1] == f"`{in_toml(default)}`"


def test_settings_guide_names_no_key_that_is_not_there():
    assert set(re.findall(r"^\| `([\w.]+)` \|", TEXTS["settings"], re.MULTILINE)) == set(settings_keys())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_guides_exist_with_their_options(page):
    for line in commands(page.read_text("utf-8")):
        command: click.Command = main
        options: set[str] = set()
        for word in line.split(" #")[0].split()[1:]:
            options |= {name for parameter in command.params for name in parameter.opts}
            if isinstance(command, click.Group) and re.fullmatch(r"[a-z]+", word):
                found = command.get_command(click.Context(command), word)
                assert found, f"{page.name}: no command {word!r} in `{line}`"
                command = found
            elif word.startswith("-") and word != "--help":
                assert word in options, f"{page.name}: no option {word} in `{line}`"


def test_every_command_is_in_the_guide_to_the_command_line():
    named = commands(TEXTS["command-line"])
    for name in main.list_commands(click.Context(main)):
        assert any(re.match(rf"sitetwin {name}\b", line) for line in named), name


def test_the_newcomers_settings_load_and_their_questions_are_asked():
    settings = load_settings(ROOT / "sitetwin.toml")
    assert settings.source_path(settings.content[0]) == ROOT / "docs"
    assert settings.content[0].default_visibility == "public"
    assert len(settings.site.questions) == 5


@pytest.mark.parametrize("name", ["docs_questions", "docs_heldout", "settings_docs", "golden_docs"])
def test_every_golden_fact_stands_on_its_page(name):
    for question in load(ROOT / "benchmarks" / "data" / f"{name}.jsonl"):
        texts = [(ROOT / page).read_text("utf-8") for page in question.page]
        for fact in question.groups:
            assert any(says(text, fact) for text in texts), f"{fact} is on no page of: {question.question}"
        if question.answerable and question.groups:
            for page, text in zip(question.page, texts, strict=True):
                assert any(says(text, fact) for fact in question.groups), f"{page}: {question.question}"
