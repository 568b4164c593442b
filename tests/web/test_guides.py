import json
import os

from pipeline.content import read_sources
from pipeline.content.chunking import chunk_document
from web.guides import Guides


def test_public_documents_in_the_owners_order(settings):
    guides = Guides(settings).all()
    assert [(guide.path, guide.description) for guide in guides] == [
        ("/notes/bread", "A loaf in four hours."),
        ("/notes/starter", ""),
    ]


def test_a_private_document_is_not_found(settings):
    guides = Guides(settings)
    assert guides.find("/notes/diary") is None
    assert guides.find("/notes/bread/") is not None


def test_links_between_files_lead_to_pages_and_never_to_private_ones(settings):
    guides = Guides(settings)
    html = guides.render(guides.find("/notes/bread")).html
    assert 'href="/notes/starter#feeding-it"' in html
    assert "my diary" in html
    assert "diary.md" not in html


def test_headings_have_the_anchors_that_citations_link_to(settings):
    guides = Guides(settings)
    for report in read_sources(settings):
        if guide := guides.find(report.document.url):
            anchors = {heading.anchor for heading in guides.render(guide).headings}
            chunks = chunk_document(report.document, 900)
            assert {chunk.anchor for chunk in chunks} - {""} <= anchors


def test_an_edit_a_new_file_and_a_deletion_are_seen(settings, clock):
    guides = Guides(settings, clock)
    assert len(guides.all()) == 2
    notes = settings.root / "notes"
    bread = notes / "bread.md"
    bread.write_text("---\ntitle: Rye bread\n---\n\nDark.\n", encoding="utf-8")
    os.utime(bread, (1, 1))
    (notes / "new.md").write_text("# New one\n", encoding="utf-8")
    (notes / "starter.md").unlink()
    assert len(guides.all()) == 2
    clock.seconds += 2
    assert [guide.document.title for guide in guides.all()] == ["New one", "Rye bread"]


def test_a_file_in_utf_16_is_a_page_like_any_other(settings):
    (settings.root / "notes" / "windows.md").write_text(
        "---\ndescription: Ünïcode\n---\n# Windows\n", encoding="utf-16"
    )
    guide = Guides(settings).find("/notes/windows")
    assert (guide.document.title, guide.description) == ("Windows", "Ünïcode")


def test_a_source_whose_addresses_are_elsewhere_is_not_shown(settings):
    settings.content[0].url = "https://example.org/{slug}"
    assert Guides(settings).all() == []


def test_a_page_that_the_settings_hide_from_now_on_is_gone(settings, clock):
    guides = Guides(settings, clock)
    assert guides.find("/notes/bread")
    source = settings.content[0]
    settings.file.write_text(
        f'[[content]]\npath = "{source.path}"\nurl = "{source.url}"\nvisibility = "public"\nprivate = ["bread.*"]\n',
        encoding="utf-8",
    )
    clock.seconds += 2
    assert [guide.path for guide in guides.all()] == ["/notes/starter"]
    settings.file.write_text("[[content]\n", encoding="utf-8")
    clock.seconds += 2
    assert [guide.path for guide in guides.all()] == ["/notes/starter"]


def test_a_broken_front_matter_and_a_notebook_are_pages_too(settings):
    notes = settings.root / "notes"
    (notes / "plan.md").write_text("---\ntitle: Plan: the kitchen\npublish: true\n---\nPaint.\n", encoding="utf-8")
    cell = {"cell_type": "markdown", "source": "# Count\n\nHerons."}
    (notes / "count.ipynb").write_text(json.dumps({"metadata": {}, "cells": [cell]}), encoding="utf-8")
    assert {"/notes/plan", "/notes/count"} <= {guide.path for guide in Guides(settings).all()}


def test_a_page_that_the_data_of_its_folder_hides_from_now_on_is_gone(settings, clock):
    sources = [source.model_copy(update={"kind": "eleventy"}) for source in settings.content]
    guides = Guides(settings.model_copy(update={"content": sources}), clock)
    before = len(guides.all())
    (settings.root / "notes" / "notes.json").write_text('{"draft": true}', encoding="utf-8")
    clock.seconds += 2
    assert (before, guides.all()) == (2, [])
