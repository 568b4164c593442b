import json

from pipeline.evaluation.golden import load
from tests.pipeline.commands.conftest import run


def test_check_names_each_fault_with_a_line_and_ends_with_1(site):
    (site / "golden.jsonl").write_text(
        '{"question": "How hot is green tea brewed?", "fact": "70", "page": "tea.md"}\n'
        '{"question": "How hot is green tea brewed?", "fact": "80", "page": "tea.md"}\n',
        encoding="utf-8",
    )
    assert run(site, "index").exit_code == 0
    result = run(site, "golden", "check")
    assert result.exit_code == 1
    assert "2: stale: How hot is green tea brewed?\n   “80” no longer stands in tea.md" in result.stdout
    assert "2: doubled: How hot is green tea brewed?\n   question 1 asks the same" in result.stdout
    said = json.loads(run(site, "golden", "check", "--json").stdout)
    assert said["questions"] == 2
    assert [finding["fault"] for finding in said["findings"]] == ["stale", "doubled"]

    (site / "golden.jsonl").write_text('{"question": "How hot is green tea brewed?", "fact": "70", "page": "tea.md"}\n')
    result = run(site, "golden", "check")
    assert (result.exit_code, result.stdout) == (0, "")


def test_check_says_what_to_do_without_questions_and_without_a_judge(site, tmp_path):
    result = run(site, "golden", "check", "--questions", str(tmp_path / "none.jsonl"))
    assert result.exit_code == 1
    assert "none.jsonl does not exist: `sitetwin golden draft`, then `sitetwin golden review`" in result.stderr
    (tmp_path / "some.jsonl").write_text('{"question": "Who?", "answerable": false}\n')
    assert len(load(tmp_path / "some.jsonl")) == 1
    result = run(site, "golden", "check", "--questions", str(tmp_path / "some.jsonl"), "--judge")
    assert (result.exit_code, "no model judges: set teacher.judge" in result.stderr) == (1, True)


def test_draft_proposes_from_the_notes_and_keeps_the_proposals(site):
    assert run(site, "index").exit_code == 0
    result = run(site, "golden", "draft", "--count", "5", "--json")
    assert result.exit_code == 0, result.output
    proposals = json.loads(result.stdout)["proposals"]
    assert "outside" in [proposal["golden"]["why"] for proposal in proposals]
    kept = (site / ".sitetwin" / "golden" / "proposals.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in kept] == [proposal["id"] for proposal in proposals]
    shown = run(site, "golden", "draft", "--count", "5")
    assert "(a question about something else)" in shown.stdout
    assert "next: `sitetwin golden review`" in shown.stderr
