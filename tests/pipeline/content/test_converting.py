import json

import pytest

CANVAS = {
    "nodes": [
        {"id": "c", "type": "text", "text": "Oil the **hinge**.", "x": 0, "y": 40},
        {"id": "a", "type": "group", "label": "The gate", "x": 0, "y": 0},
        {"id": "b", "type": "file", "file": "Notes/Oak.md", "x": 0, "y": 20},
        {"id": "d", "type": "link", "url": "https://x.org", "x": 5, "y": 40},
    ],
    "edges": [],
}
BASE = """filters: {and: ['file.hasTag("gate")']}
properties: {note.cost: {displayName: Cost in euros}, file.name: {}}
views: [{type: table, name: Gates by age}]
"""
NOTEBOOK = {
    "metadata": {"kernelspec": {"language": "python"}},
    "cells": [
        {"cell_type": "markdown", "source": ["# Herons\n", "\n", "Counted at the weir."]},
        {"cell_type": "code", "source": "print(3)", "outputs": [{"text": ["3"]}]},
        {"cell_type": "code", "source": []},
    ],
}


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        (
            "plan.canvas",
            json.dumps(CANVAS),
            "## The gate\n\nNotes/Oak\n\nOil the **hinge**.\n\nhttps://x.org",
        ),
        ("gates.base", BASE, "Gates by age\n\nCost in euros"),
        ("count.ipynb", json.dumps(NOTEBOOK), "# Herons\n\nCounted at the weir.\n\n```python\nprint(3)\n```"),
        ("list.txt", "Oil, nails.\n\nPaint.\n", "Oil, nails.\n\nPaint."),
    ],
)
@pytest.mark.parametrize("kind", ["obsidian", "markdown"])
def test_other_files_of_a_vault_are_read(read, tmp_path, name, content, text, kind):
    (tmp_path / "notes" / name).write_text(content, encoding="utf-8")
    report = read(kind=kind)[f"notes/{name}"]
    assert (report.state, report.document.text, report.document.visibility) == ("read", text, "private")


@pytest.mark.parametrize("name", ["a.canvas", "a.ipynb", "a.base"])
@pytest.mark.parametrize("content", ["{", "[1, 2]", '{"nodes": [{"type": "text"}], "cells": 1, "views": 1}'])
def test_what_is_broken_is_reported_with_the_next_step(read, tmp_path, name, content):
    (tmp_path / "notes" / name).write_text(content, encoding="utf-8")
    report = read()[f"notes/{name}"]
    assert report.state in ("failed", "skipped")
    assert report.reason


@pytest.mark.parametrize("name", ["a.doc", "b.ODT", "c.adoc", "d.epub"])
def test_what_can_not_be_read_is_named(read, tmp_path, name):
    (tmp_path / "notes" / name).write_bytes(b"%PDF")
    report = read()[f"notes/{name}"]
    assert (report.state, report.document) == ("skipped", None)
    assert "export it as Markdown" in report.reason


def test_a_site_reports_its_markdown_alone(read, tmp_path):
    for name in ("a.md", "robots.txt", "b.pdf"):
        (tmp_path / "notes" / name).write_text("Text.", encoding="utf-8")
    assert list(read(kind="hugo")) == ["notes/a.md"]
