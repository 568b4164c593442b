"""The blog, the vault and the corpora beside the project: real text that nobody here wrote."""

import re
import time
from collections import Counter

from pipeline.content.chunking import chunk_document
from pipeline.content.code import mask_code
from pipeline.content.slugs import plain_text

MARKUP = re.compile(r"^(?:import|export) .* from |</?[a-zA-Z][\w-]*(?:\s[^<>\n]*)?>|<!--|%%|\[\[", re.MULTILINE)


def documents(reports):
    return [report.document for report in reports if report.document]


def test_every_file_is_read_or_reported(real_reports):
    found = Counter((report.id.partition("/")[0], report.state) for report in real_reports)
    assert found == {
        ("astro-blog", "read"): 83,
        ("obsidian-vault", "read"): 31,
        ("obsidian-vault", "skipped"): 72,
        ("chunking-evaluation", "read"): 5,
    }
    assert all(report.reason for report in real_reports if report.state == "skipped")
    assert len({report.id for report in real_reports}) == len(real_reports)


def test_posts_have_their_titles_dates_and_addresses(real_reports):
    posts = {document.id: document for document in documents(real_reports)}
    post = posts["astro-blog/content/blog/2019/home-server/index.md"]
    assert (post.title, post.url, str(post.date), post.visibility) == (
        "Home Server Updates",
        "/2019/09/25/home-server/",
        "2019-09-25",
        "public",
    )
    readme = posts["astro-blog/README.md"]
    assert (readme.title, readme.url) == ("Blog", "")
    note = posts["obsidian-vault/Notes/2023-09-12 Meeting with Steph.md"]
    assert (note.title, note.visibility) == ("2023-09-12 Meeting with Steph", "private")
    assert note.text.endswith(
        "- people: Steph Ango\n- topics: Emergence\n\n- Discussed the book Out of Control on the topic of Emergence"
    )


def test_no_markup_is_left_outside_code(real_reports):
    left = {
        document.id: MARKUP.findall(mask_code(document.text).text)
        for document in documents(real_reports)
        if not document.id.startswith("chunking")
    }
    assert {id: found for id, found in left.items() if found} == {}


def test_chunks_hold_every_word_of_their_document(real_reports):
    for document in documents(real_reports):
        chunks = chunk_document(document, 900)
        found = set(
            re.findall(r"\w+", " ".join(" ".join((*chunk.headings, chunk.text, document.title)) for chunk in chunks))
        )
        without_addresses = re.sub(r"^#+ .*$", lambda line: plain_text(line[0]), document.text, flags=re.MULTILINE)
        assert set(re.findall(r"\w+", without_addresses)) <= found
        assert len({chunk.id for chunk in chunks}) == len(chunks)
        assert all(len(chunk.text) <= 900 for chunk in chunks if "```" not in chunk.text and "|" not in chunk.text)


def test_code_blocks_of_the_blog_are_whole(real_reports):
    for document in documents(real_reports):
        if document.id.startswith("astro-blog"):
            assert all(chunk.text.count("```") % 2 == 0 for chunk in chunk_document(document, 900)), document.id


def test_chunking_is_quick(real_reports):
    started = time.perf_counter()
    chunks = sum(len(chunk_document(document, 900)) for document in documents(real_reports))
    # 0.5 s on two cores; the limit only catches what grows with the square of a text
    assert time.perf_counter() - started < 10
    assert chunks > 2000
