from pathlib import Path

import pytest

from pipeline.content.parsing import EmptyError, decode, parse_document
from pipeline.errors import ContentError
from pipeline.settings import ContentSource


def document_of(text, relative="a-file.md", **options):
    source = ContentSource(path=Path("notes"), **options)
    data = text if isinstance(text, bytes) else text.encode()
    return parse_document(data, source, f"notes/{relative}", Path("/") / relative, relative)[0]


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
        ("# Opening\n\ntext", "obsidian", "Opening"),
        ("## Ingredients\n\ntext", "obsidian", "a-file"),
        (f"{'long ' * 90}\n===\n\ntext", "markdown", "a file"),
    ],
)
def test_title(text, kind, title):
    assert document_of(text, kind=kind).title == title


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
    with pytest.raises(EmptyError, match="write some"):
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
