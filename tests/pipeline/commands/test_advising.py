import json

from click.testing import CliRunner

from pipeline.commands.main import main
from tests.pipeline.commands.conftest import run


def test_advise_shows_what_it_rests_on(site):
    result = run(site, "advise", "--voice", "--no-sources")
    assert result.exit_code == 0, result.output
    # The site's one note has six words.
    assert result.stdout.startswith("NEITHER YET: the notes have ")
    for heading in ("What points where", "The nine questions", "Three tiers", "Memory in GB", "Only you know", "Next:"):
        assert heading in result.stdout
    assert "32B in 16 bits" in result.stdout
    assert "Is the subject regulated, as medicine, law or finance are? `--regulated` if so\n" in result.stdout
    assert "`--voice` if so" not in result.stdout


def test_advise_as_json_leaves_open_what_it_cannot_know(site):
    said = json.loads(run(site, "advise", "--json").stdout)
    assert said["recommendation"] == "neither yet"
    assert "Should answers sound like you, and not only be right?" in said["open"]
    assert [factor["name"] for factor in said["factors"]][:2] == ["freshness", "kind of knowledge"]
    assert (len(said["questions"]), len(said["dimensions"]), len(said["tiers"]), len(said["memory"])) == (9, 8, 3, 16)
    assert said["facts"]["documents"] == 1


def test_diagnose_names_the_seven_failures(site):
    result = run(site, "advise", "--diagnose")
    assert result.exit_code == 0, result.output
    assert "? context ignored: not measured: `sitetwin eval --systems rag`" in result.stdout
    assert "✓ forgetting: no adapter answers" in result.stdout
    said = json.loads(run(site, "advise", "--diagnose", "--json").stdout)
    assert len(said["failures"]) == 7


def test_a_person_at_a_terminal_is_asked(site, monkeypatch):
    from pipeline.commands import advising

    monkeypatch.setattr(advising, "is_terminal", lambda: True)
    result = CliRunner().invoke(
        main, ["--config", str(site / "sitetwin.toml"), "advise", "--sources"], input="y\nn\nn\n"
    )
    assert result.exit_code == 0, result.output
    assert "Should answers sound like you" in result.stderr
    assert "Must a reader" not in result.stderr
    assert "Only you know" not in result.stdout
