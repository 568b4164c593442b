from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.content.chunking import chunk_document
from pipeline.content.converting import decode
from pipeline.content.formats import SkippedError
from pipeline.content.parsing import parse_document
from pipeline.errors import ContentError
from pipeline.settings import ContentSource

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def document_of(text, relative="a-file.md", **options):
    source = ContentSource(path=Path("notes"), **options)
    data = text if isinstance(text, bytes) else text.encode()
    return parse_document(data, source, f"notes/{relative}", Path("/") / relative, relative, now=NOW)[0]


@pytest.mark.parametrize(
    "data",
    [b"a\r\nb\rc", b"\xef\xbb\xbfa\nb\nc", "a\nb\nc".encode("utf-16"), b"\xfe\xff" + "a\r\nb\nc".encode("utf-16-be")],
    ids=["crlf", "bom", "utf16", "utf16be"],
)
def test_encodings(data):
    assert decode(data) == "a\nb\nc"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("café".encode("latin-1"), "not UTF-8 (byte 3): save it as UTF-8"),
        (b"a\0b", "NUL bytes"),
        (b"\xff\xfea", "not UTF-16"),
        ("x".encode("utf-32"), "NUL bytes"),
    ],
)
def test_what_is_no_text_says_what_to_do(data, reason):
    with pytest.raises(ContentError) as caught:
        decode(data)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("text", "kind", "title"),
    [
        ("---\ntitle: From *above*\n---\n# Heading\n\ntext", "markdown", "From above"),
        ("---\ntitle:\n---\nintro\n\n## The `first` heading\n\ntext", "astro", "The first heading"),
        ("```\n# no\n```\ntext", "markdown", "a file"),
        ("text\n\n# Later", "obsidian", "a-file"),
        ("# A file that opens\n\ntext", "obsidian", "A file that opens"),
        ("# Opening\n\ntext", "obsidian", "a-file"),
        ("## Ingredients\n\ntext", "obsidian", "a-file"),
        (f"{'long ' * 90}\n===\n\ntext", "markdown", "a file"),
    ],
)
def test_title(text, kind, title):
    assert document_of(text, kind=kind).title == title


@pytest.mark.parametrize("kind", ["obsidian", "markdown"])
@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("2024-02-12 Budget with Jonas.md", "2024-02-12 Budget with Jonas"),
        ("Agenda.md", "Agenda"),
        ("20240212093000 1.md", "Agenda of May"),
    ],
)
def test_a_note_keeps_its_name_and_its_heading(kind, name, title):
    assert document_of("# Agenda of May\n\n- roof", name, kind=kind).title in (title, "Agenda of May")
    if "Jonas" in name:
        document = document_of("# Agenda of May\n\n- roof", name, kind=kind)
        assert (document.title, chunk_document(document, 900)[0].headings) == (title, ("Agenda of May",))


@pytest.mark.parametrize(("slug", "url"), [("2024", "/n/2024"), ("2024-05-06", "/n/2024-05-06"), ("own", "/n/own")])
def test_a_slug_of_digits_is_a_slug(slug, url):
    assert document_of(f"---\nslug: {slug}\n---\ntext", kind="astro", url="/n/{slug}").url == url


@pytest.mark.parametrize("kind", ["astro", "markdown"])
def test_what_the_front_matter_says_to_readers_is_text(kind):
    front = "title: Heronry\ndescription: 41 *nests*.\nsummary: Photos below.\naliases: [/old/, Herons]\nhero:\n  alt: A nest\n  src: x.jpg\nimageAlt: Two nests\nlayout: page"
    document = document_of(f"---\n{front}\n---\nPhotos below.", kind=kind)
    assert document.text == "41 nests.\n\nA nest\n\nTwo nests\n\nHerons\n\n***\n\nPhotos below."
    assert chunk_document(document, 900)[1].text == "Photos below."


def test_a_page_with_only_a_description_is_read():
    assert document_of("---\ndescription: A talk.\n---\n", kind="astro").text == "A talk."


BROKEN = [
    "title: Plan: the kitchen\ntags: [home, a]",
    "title: Plan: the kitchen\ntags:\n  - home\n  - a",
    "\ttitle: Plan: the kitchen\n\ttags: [home, a]",
    'title: "Plan": the kitchen\ntags: home a',
    "title: Plan: the kitchen\n---\n---\ntags: home, a",
    "tags: x\ntags: [home, a]\ntitle: 'Plan: the kitchen'",
]


@pytest.mark.parametrize("front", BROKEN)
def test_broken_front_matter_is_read_as_its_author_meant_it(front):
    source = ContentSource(path=Path("notes"), visibility="public")
    document, note = parse_document(
        f"---\n{front}\n---\nBody".encode(), source, "notes/a.md", Path("/a.md"), "a.md", now=NOW
    )
    assert (document.title.replace('"', ""), document.tags, document.text) == (
        "Plan: the kitchen",
        ("home", "a"),
        "Body",
    )
    assert document.visibility == "public"
    assert "read line by line" in note


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize(
    "word",
    [
        "draft: true",
        "draft: yes # for now",
        "publish: false",
        "- draft",
        "draft true",
        "private",
        "  status: draft",
        "draft: false\ndraft: true",
        "isDraft: true",
        "keywords: [draft: true]",
        "visibility: members",
        "? draft\n: true",
        "noindex: true",
    ],
)
def test_a_word_on_privacy_in_broken_front_matter_keeps_it_private(broken, word):
    for front in (f"{broken}\n{word}", f"{word}\n{broken}"):
        assert document_of(f"---\n{front}\n---\nBody", visibility="public").visibility == "private", front


def test_the_title_of_an_index_is_its_folder():
    assert document_of("text", "2020/my-post/index.md").title == "my post"


def test_everything_is_taken_from_the_file():
    text = "---\ntags: [a, b]\npubDate: 2024-05-06\npublish: true\nslug: own\n---\n#b and #c [[x]]"
    document = document_of(text, kind="obsidian", url="https://x.org/{year}/{slug}")
    assert (document.tags, str(document.date), document.visibility) == (("a", "b", "c"), "2024-05-06", "public")
    assert (document.url, document.text) == ("https://x.org/2024/own", "- pubDate: 2024-05-06\n\n#b and #c x")


@pytest.mark.parametrize(
    "text", ["", "\n \n", "---\ntags: a\n---\n\n", "---\ntags: a\n---\n%% only a comment %%\n", "![[pic.png]]\n\n---\n"]
)
def test_files_without_words_are_empty(text):
    with pytest.raises(SkippedError, match="write some"):
        document_of(text, kind="obsidian")


def test_the_digest_changes_with_what_the_index_keeps_and_with_nothing_else():
    base = document_of("---\ntags: a\n---\ntext")
    assert document_of("---\ntags: [a]\nother: 1\n---\ntext").digest == base.digest
    changed = [
        "text 2",
        "---\ntags: b\n---\ntext",
        "---\ntags: a\ntitle: t\n---\ntext",
        "---\ntags: a\npublish: true\n---\ntext",
        "---\ntags: a\ndate: 2024-01-01\n---\ntext",
    ]
    assert len({base.digest, *(document_of(text).digest for text in changed)}) == 6
    assert len(base.digest) == 64


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("A.\n\n```dataview\nTABLE file.name\nFROM #x\n```\n\nB.", "A.\n\nB."),
        ("A.\n> ```tasks\n> not done\n> ```\n\nB.", "A.\n\nB."),
        ("A.\n\n~~~dataviewjs\ndv.list()", "A."),
        ("Written `= this.file.ctime` by `$= dv.current()` me.", "Written  by  me."),
        ("Sum with `=SUM(A1:A2)`.", "Sum with `=SUM(A1:A2)`."),
        ("Today <% tp.date.now() %> is warm.", "Today  is warm."),
        ("==⚠  Switch to EXCALIDRAW VIEW in the MORE OPTIONS menu of this document. ⚠==\n\nA gate", "A gate"),
        ("```sql\nSELECT 1\n```", "```sql\nSELECT 1\n```"),
        ("| Task | Due |\n| --- | --- |\n| Paint | May |", "| Task | Due |\n| --- | --- |\n| Paint | May |"),
    ],
)
def test_what_plugins_run_is_no_text(text, left):
    assert document_of(text, kind="obsidian").text == left
