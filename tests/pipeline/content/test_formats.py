"""Documents that are no Markdown: what a reader sees in them is found, and what can't be read is said."""

import io

import pytest

docx = pytest.importorskip("docx")
pypdf = pytest.importorskip("pypdf")


def pdf(*pages, bookmarks=()):
    """A PDF with these lines on its pages."""
    writer = pypdf.PdfWriter()
    for lines in pages:
        page = writer.add_blank_page(600, 800)
        shown = " T* ".join(f"({line}) Tj" for line in lines)
        stream = pypdf.generic.StreamObject()
        stream.set_data(f"BT /F1 12 Tf 14 TL 50 700 Td {shown} ET".encode("latin-1"))
        font = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica", "/Encoding": "/WinAnsiEncoding"}
        name = pypdf.generic.NameObject
        fonts = pypdf.generic.DictionaryObject(
            {name("/F1"): pypdf.generic.DictionaryObject({name(key): name(value) for key, value in font.items()})}
        )
        page[name("/Resources")] = pypdf.generic.DictionaryObject({name("/Font"): fonts})
        page[name("/Contents")] = writer._add_object(stream)
    for title, number in bookmarks:
        writer.add_outline_item(title, number)
    return writer


def bytes_of(made):
    file = io.BytesIO()
    made.write(file) if hasattr(made, "write") else made.save(file)
    return file.getvalue()


@pytest.fixture
def read_bytes(tmp_path, read):
    def read_bytes(name, data, **options):
        (tmp_path / "notes" / name).write_bytes(data)
        return read(**options)[f"notes/{name}"]

    return read_bytes


@pytest.mark.parametrize("kind", ["obsidian", "markdown"])
def test_pdf(read_bytes, kind):
    made = pdf(["The boiler", "was serv-", "iced in May.", "- 3 < 4 and [[x]] %% y"], ["Bills", "It cost 90."])
    report = read_bytes("Boiler papers.pdf", bytes_of(made), kind=kind)
    assert (report.state, report.document.title, report.document.visibility) == ("read", "Boiler papers", "private")
    assert report.document.text == "The boiler\nwas serviced in May.\n\\- 3 < 4 and [[x]] %% y\n\nBills\nIt cost 90."


def test_ligatures_of_a_pdf_are_letters(read_bytes, monkeypatch):
    made = pdf(["Text one."], bookmarks=[("The \ufb02oor", 0)])
    monkeypatch.setattr(
        pypdf.PageObject, "extract_text", lambda page: "Its \ufb01lter, the o\ufb03ce, the di\ufb00er-\nence."
    )
    assert (
        read_bytes("a.pdf", bytes_of(made)).document.text == "## The floor\n\nIts filter, the office, the difference."
    )


def test_bookmarks_of_a_pdf_are_headings(read_bytes):
    made = pdf(["The boiler", "Text one."], ["Text two."], bookmarks=[("The boiler", 0), ("Bills", 1)])
    text = read_bytes("a.pdf", bytes_of(made)).document.text
    assert text == "## The boiler\n\nText one.\n\n## Bills\n\nText two."


def test_a_scanned_locked_or_broken_pdf_says_so(read_bytes):
    scanned = read_bytes("scan.pdf", bytes_of(pdf([])))
    assert (scanned.state, "OCR" in scanned.reason) == ("skipped", True)
    locked = pdf(["Secret."])
    locked.encrypt("word", algorithm="RC4-128")
    report = read_bytes("locked.pdf", bytes_of(locked))
    assert (report.state, "password" in report.reason) == ("failed", True)
    for data in (b"%PDF-1.4\n", b"no PDF", b""):
        report = read_bytes("broken.pdf", data)
        assert (report.state, "save it anew" in report.reason) == ("failed", True)


def test_word(read_bytes):
    made = docx.Document()
    made.add_heading("The boiler", 0)
    made.add_heading("Bills", 1)
    made.add_paragraph("It cost ").add_run("90 euros").bold = True
    made.add_paragraph("Oil", style="List Bullet")
    made.add_paragraph("Nails", style="List Bullet")
    table = made.add_table(rows=2, cols=2)
    for cell, text in zip(table._cells, ["Part", "Price", "Valve", "7 | 8"], strict=True):
        cell.text = text
    paragraph = made.add_paragraph("Before ")
    _tracked(paragraph, "ins", "t", "inserted")
    _tracked(paragraph, "del", "delText", "deleted")
    paragraph.add_run("hidden").font.hidden = True
    report = read_bytes("a.docx", bytes_of(made))
    assert report.document.title == "The boiler"
    assert report.document.text == (
        "# The boiler\n\n# Bills\n\nIt cost 90 euros\n\n- Oil\n- Nails\n\n"
        "| Part | Price |\n| --- | --- |\n| Valve | 7 \\| 8 |\n\nBefore inserted"
    )


def _tracked(paragraph, change, tag, text):
    """Writes a tracked change into `paragraph`, as Word does."""
    from docx.oxml import OxmlElement

    outer, run, words = OxmlElement(f"w:{change}"), OxmlElement("w:r"), OxmlElement(f"w:{tag}")
    words.text = text
    run.append(words)
    outer.append(run)
    paragraph._p.append(outer)


def test_a_broken_word_document_says_so(read_bytes):
    for data in (b"", b"PK\x03\x04 none", bytes_of(pdf(["x"]))):
        report = read_bytes("a.docx", data)
        assert (report.state, "save it anew" in report.reason) == ("failed", True)


ORG = b"""#+TITLE: My garden
#+FILETAGS: :home:
#+DATE: <2024-01-05 Fri>
Intro /soft/ words https://x.org/a/b/ done.
* TODO Plant [[https://x.org][tulips]] :spring:
  SCHEDULED: <2024-03-01 Fri>
:PROPERTIES:
:Effort: 1h
:END:
Some *bold* and =code= and [[file:a.org][a note]].
#+BEGIN_SRC python
x = 1  # *a*
#+END_SRC
| a | b |
|---+---|
| 1 | 2 |
* COMMENT hidden
text
** below
* No :noexport:
unseen
* End
fine
"""


def test_org(read_bytes):
    pytest.importorskip("orgparse")
    document = read_bytes("a.org", ORG).document
    assert (document.title, str(document.date), document.tags) == ("My garden", "2024-01-05", ("home", "spring"))
    assert document.text == (
        "Intro *soft* words https://x.org/a/b/ done.\n\n## Plant tulips\n\n"
        "Some **bold** and `code` and a note.\n\n```python\nx = 1  # *a*\n```\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n## End\n\nfine"
    )


@pytest.mark.parametrize("line", [b"#+HUGO_DRAFT: t", b"#+FILETAGS: :private:", b"* Diary :private:"])
def test_org_that_is_kept_private(read_bytes, line):
    pytest.importorskip("orgparse")
    assert read_bytes("a.org", line + b"\nText.\n", visibility="public").document.visibility == "private"
    assert read_bytes("b.org", b"Text.\n", visibility="public").document.visibility == "public"


RST = b"""
The Mill
========

:date: 2024-01-05

Some *text* with ``code``, :ref:`a link <there>` and `x <http://y>`_.

.. note:: Be careful.

.. toctree::

   a

Sub
---

* one
* two

.. code-block:: python

   x = 1

term
  definition

=====  =====
A      B
=====  =====
1      2
=====  =====

.. image:: x.png
   :alt: A heron

.. strange-thing:: abc
   :option: 1

   words inside

.. a comment

.. include:: /etc/hostname
"""


def test_restructured_text(read_bytes):
    pytest.importorskip("docutils")
    document = read_bytes("a.rst", RST, kind="hugo").document
    assert (document.title, str(document.date)) == ("The Mill", "2024-01-05")
    assert document.text == (
        "# The Mill\n\nSome text with `code`, a link and x.\n\nBe careful.\n\n## Sub\n\n- one\n- two\n\n"
        "```python\nx = 1\n```\n\n**term**\ndefinition\n\n| A | B |\n| --- | --- |\n| 1 | 2 |\n\nA heron\n\nwords inside"
    )
    assert read_bytes("b.rst", b":status: draft\n\nText.", kind="hugo").document.visibility == "private"


@pytest.mark.parametrize("name", ["a.pdf", "a.docx", "a.org", "a.rst"])
def test_without_the_package_the_next_step_is_said(read_bytes, monkeypatch, name):
    monkeypatch.setattr("pipeline.content.formats.find_spec", lambda name: None)
    report = read_bytes(name, b"Text.")
    assert report.state == "skipped"
    assert report.reason.endswith("run `pip install 'sitetwin[documents]'`")
