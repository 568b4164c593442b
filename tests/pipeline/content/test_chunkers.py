import random
import re
import zlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pipeline import parts
from pipeline.content.chunking import chunker
from pipeline.content.documents import Chunk, Document
from pipeline.content.recipe import recipe
from pipeline.settings import IndexSettings
from tests.pipeline.content.random_text import paragraph, random_markdown

CHUNKERS = parts.CHUNKERS.kinds()


def embed(texts: Sequence[str]) -> np.ndarray:
    """Texts that share words are near."""
    vectors = np.full((len(texts), 64), 1e-3, np.float32)
    for row, text in enumerate(texts):
        for word in re.findall(r"\w+", text.lower()):
            vectors[row, zlib.crc32(word.encode()) % 64] += 1
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def cut(text: str, name: str, max_chars: int = 200, overlap: int = 30) -> list[Chunk]:
    settings = IndexSettings(chunker=name, chunk_chars=max_chars, chunk_overlap=overlap)
    return chunker(settings, embed)(Document("notes/a.md", Path("a.md"), "Title", "", text, "public"))


def uncovered(text: str, chunks: Sequence[Chunk]) -> str:
    """What stands in no chunk's span."""
    left = list(text)
    for chunk in chunks:
        start, end = chunk.span
        left[start:end] = " " * (end - start)
    return "".join(left).strip()


def words(text: str) -> list[str]:
    return re.findall(r"\w+", re.sub(r"^(?:#.*|\[\w+\]: \S+)$", "", text, flags=re.MULTILINE))


@pytest.mark.parametrize("name", CHUNKERS)
@pytest.mark.parametrize("seed", range(60))
def test_spans_hold_each_chunks_words_and_together_all_of_the_text(name, seed):
    rng = random.Random(seed)
    text = random_markdown(rng)
    chunks = cut(text, name, rng.choice([100, 200, 900]))
    for chunk in chunks:
        start, end = chunk.span
        found, expected = words(chunk.text), words(text[start:end])
        # a part of a table repeats its head of two words; an empty section's text is its heading
        assert expected in (found, found[2:]) or chunk.text == chunk.headings[-1]
    left = uncovered(text, chunks)
    # rules, and fences with nothing between them, have no words and make no chunk
    assert not words(left if name == "fixed" else re.sub(r"^#.*$", "", left, flags=re.MULTILINE))


@pytest.mark.parametrize("name", CHUNKERS)
def test_real_text_is_covered(real_reports, name):
    for report in real_reports:
        if report.document and report.id.startswith("chunking-evaluation"):
            settings = IndexSettings(chunker=name)
            text = report.document.text
            chunks = chunker(settings, embed)(report.document)
            assert len(chunks) > 50
            assert all(len(chunk.text) <= 900 for chunk in chunks)
            assert not set(words(uncovered(text, chunks))) - {word for chunk in chunks for word in chunk.headings}
            if name != "structure":  # which joins the lines of a paragraph
                assert all(text[slice(*chunk.span)].split() == chunk.text.split() for chunk in chunks)


@pytest.mark.parametrize("name", CHUNKERS)
@pytest.mark.parametrize("text", ["", "\n\n", "---"])
def test_nothing_gives_no_empty_chunk(name, text):
    assert all(chunk.text.strip() for chunk in cut(text, name))


@pytest.mark.parametrize("name", CHUNKERS)
def test_ids_are_unique_and_positions_count(name):
    chunks = cut("## A\n\nsame\n\n## A\n\nsame\n\n" + "\n\n".join([paragraph(30)] * 5), name)
    assert len({chunk.id for chunk in chunks}) == len(chunks)
    assert [chunk.position for chunk in chunks] == list(range(len(chunks)))


def test_fixed_chunks_overlap_and_belong_to_the_section_they_begin_in():
    sentences = [f"Sentence {number} of it." for number in range(40)]
    text = f"# Title\n\n{' '.join(sentences[:20])}\n\n## Later *on*\n\n{' '.join(sentences[20:])}"
    chunks = cut(text, "fixed")
    assert all(len(chunk.text) <= 200 for chunk in chunks)
    later = text.index("## Later")
    for chunk in chunks:
        expected = (("Later on",), "later-on") if chunk.span[0] >= later else ((), "")
        assert (chunk.headings, chunk.anchor) == expected
    shared = [before.span[1] - after.span[0] for before, after in pairwise(chunks)]
    assert all(count <= 30 for count in shared)
    assert sum(count > 10 for count in shared) >= len(shared) / 2  # where a whole sentence fits


def test_without_overlap_no_character_is_in_two_fixed_chunks():
    chunks = cut(paragraph(400), "fixed", overlap=0)
    assert all(before.span[1] <= after.span[0] for before, after in pairwise(chunks))


def test_an_overlap_as_long_as_a_chunk_still_ends():
    chunks = cut(paragraph(100), "fixed", max_chars=100, overlap=10_000)
    assert chunks[-1].span[1] == len(paragraph(100))


BREAD = "Bread dough needs flour and water. Flour makes the bread dough rise. The dough rests in water and flour."
BOATS = "A boat sails by wind. The wind fills the sail of the boat. Sail and wind turn the boat."


def test_semantic_chunks_end_where_the_topic_does():
    assert [chunk.text for chunk in cut(f"{BREAD} {BOATS}", "semantic", max_chars=400)] == [BREAD, BOATS]
    assert [chunk.text for chunk in cut(f"{BREAD}\n\n{BOATS}", "semantic", max_chars=400)] == [BREAD, BOATS]


def test_semantic_chunks_join_paragraphs_of_one_topic_but_not_two_sections():
    first, rest = BREAD.split(". ", 1)
    text = f"## A\n\n{first}.\n\n{rest} {BOATS}\n\n## B\n\n{BOATS}"
    assert [(chunk.anchor, chunk.text) for chunk in cut(text, "semantic", max_chars=400)] == [
        ("a", f"{first}.\n\n{rest}"),
        ("a", BOATS),
        ("b", BOATS),
    ]


def test_a_few_words_are_no_semantic_chunk_of_their_own():
    chunks = cut(f"{BREAD} Yes! {BOATS}", "semantic", max_chars=400)
    assert [chunk.text for chunk in chunks] in ([f"{BREAD} Yes!", BOATS], [BREAD, f"Yes! {BOATS}"])


def test_semantic_chunks_keep_code_whole_and_split_what_is_too_long():
    code = "```py\n" + "x = 1\n" * 50 + "```"
    chunks = cut(f"{BREAD}\n\n{code}\n\n{paragraph(200)}", "semantic")
    assert code in [chunk.text for chunk in chunks]
    assert all(len(chunk.text) <= 200 for chunk in chunks if "```" not in chunk.text)


def test_all_sentences_of_a_document_are_embedded_at_once():
    calls: list[int] = []

    def counted(texts: Sequence[str]) -> np.ndarray:
        calls.append(len(texts))
        return embed(texts)

    text = f"# Title\n\n{BREAD}\n\n## A\n\n{BOATS}\n\n- one\n- two"
    chunker(IndexSettings(chunker="semantic"), counted)(Document("a", Path("a.md"), "Title", "", text, "public"))
    assert calls == [8]


def test_only_the_semantic_chunker_embeds():
    def refuse(texts: Sequence[str]) -> np.ndarray:
        raise AssertionError(texts)

    document = Document("a", Path("a.md"), "Title", "", BREAD, "public")
    for name in ("structure", "fixed"):
        assert len(chunker(IndexSettings(chunker=name), refuse)(document)) == 1


def test_the_recipe_names_what_matters_to_the_chunker_and_nothing_else():
    def named(**settings) -> str:
        embedder = settings.pop("embedder", "demo")
        return recipe(IndexSettings(**settings), embedder)

    assert len({named(chunker=name, chunk_chars=size) for name in CHUNKERS for size in (500, 900)}) == 6
    assert named(chunk_overlap=1) == named(chunk_overlap=2)
    assert named(chunker="fixed", chunk_overlap=1) != named(chunker="fixed", chunk_overlap=2)
    assert named(embedder="other") == named()
    assert named(chunker="semantic", embedder="other") != named(chunker="semantic")
