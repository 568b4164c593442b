"""Text that nobody wrote takes no longer than its length asks for."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.content.chunking import chunk_document
from pipeline.content.parsing import parse_document
from pipeline.settings import ContentSource

LONG = 300_000
"""Characters. What grows with the square of it took from half a minute to hours; what doesn't takes about a second."""


def parse(text, kind, suffix):
    name = f"x{suffix}"
    document, _ = parse_document(
        text.encode(), ContentSource(path=Path("n"), kind=kind), name, Path(name), name, now=datetime.now(UTC)
    )
    return chunk_document(document, 900)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "suffix"), [("obsidian", ".md"), ("astro", ".mdx")])
@pytest.mark.parametrize(
    "piece",
    [" ", "a ", "<div>", "<script ", "==a ", "<a {", "<a /*", "{ /*}", "中", "[[a", "![", "$a", "$\\{", "` `` "],
)
def test_a_line_of_a_third_of_a_megabyte(kind, suffix, piece):
    started = time.perf_counter()
    parse(f"Words first.\n\n{piece * (LONG // len(piece))}b", kind, suffix)
    assert time.perf_counter() - started < 20


@pytest.mark.parametrize(
    ("before", "after"), [("<a>", "</a>"), ("<A>\n", "</A>\n"), ("{", "}"), ("[", "]"), ("(", ")")]
)
def test_ten_thousand_tags_or_brackets_in_each_other(before, after):
    started = time.perf_counter()
    chunks = parse(f"Words first.\n\n{before * 10_000}in{after * 10_000}", "astro", ".mdx")
    assert "Words first." in chunks[0].text
    assert time.perf_counter() - started < 20


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["jekyll", "hugo", "obsidian"])
@pytest.mark.parametrize("piece", ["{% a ", "{{ a ", "{{< a ", "{# a ", "<% a ", "{% axxxxx", "x", "```query\n"])
def test_calls_that_never_end(kind, piece):
    started = time.perf_counter()
    parse(f"Words first.\n\n{{{{< {{% a{piece * (LONG // len(piece))}b", kind, ".md")
    assert time.perf_counter() - started < 20


@pytest.mark.slow
@pytest.mark.parametrize("piece", ["*", "`", "**a ", ":a", "word "])
def test_a_long_line_of_restructuredtext(piece):
    started = time.process_time()
    chunks = parse(f"Words first.\n\n{piece * (LONG // 3 // len(piece))}b\n\nWords last.", "sphinx", ".rst")
    assert chunks[-1].text.endswith("Words last.")
    assert time.process_time() - started < 20


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mkdocs", "astro"])
@pytest.mark.parametrize("piece", ["[a][", "[a]: b\n", "[a]: ", "[a] ", "[a\n", "[[a]", "[a](https://x.org) "])
def test_links_by_reference_that_never_end(kind, piece):
    started = time.process_time()
    parse(f"Words first.\n\n[a]: x\n\n{piece * (LONG // 3 // len(piece))}b", kind, ".md")
    assert time.process_time() - started < 20


@pytest.mark.parametrize(
    ("kind", "suffix", "piece"),
    [("obsidian", ".org", "["), ("markdown", ".html", "<a href="), ("markdown", ".html", '<A b={"')],
)
def test_a_mark_that_never_ends_in_another_format(kind, suffix, piece):
    started = time.process_time()
    chunks = parse(f"<p>Words first.</p>\n\n{piece * (LONG // len(piece))}b", kind, suffix)
    assert "Words first." in chunks[0].text
    assert time.process_time() - started < 10


@pytest.mark.slow
def test_the_headings_of_an_org_file():
    pytest.importorskip("orgparse")
    started = time.process_time()
    chunks = parse(
        "\n".join(f"* Heading {number} :tag{number}:\nWords {number}." for number in range(15_000)), "markdown", ".org"
    )
    assert "Words 14999." in chunks[-1].text
    assert time.process_time() - started < 20
