import random
import re
from pathlib import Path

import pytest

from pipeline.content.chunking import chunk_document
from pipeline.content.documents import Document
from tests.pipeline.content.random_text import paragraph, random_markdown


def chunks_of(text, max_chars=200, title="Title"):
    return chunk_document(Document("notes/a.md", Path("a.md"), title, "", text, "public"), max_chars)


def test_heading_paths_and_anchors():
    text = "\n\n".join(
        [
            "# Title",
            "Intro. " + paragraph(20),
            "## Set *up*",
            paragraph(30),
            "### `run`",
            "a",
            "## Set up",
            "b",
            "Under\nline\n---",
            "c",
            "# Other",
            "d",
        ]
    )
    found = [(chunk.headings, chunk.anchor) for chunk in chunks_of(text)]
    assert found == [
        ((), ""),
        (("Set up",), "set-up"),
        (("Set up", "run"), "run"),
        (("Set up",), "set-up-1"),
        (("Under line",), "under-line"),
        (("Other",), "other"),
    ]


def test_only_the_first_heading_can_repeat_the_title():
    assert [chunk.headings for chunk in chunks_of(f"## title\n\n{paragraph(9)}\n\n## B\n\nb\n\n## Title\n\nc")] == [
        (),
        ("B",),
        ("Title",),
    ]


def test_hashes_in_code_are_no_headings_and_headings_in_quotes_only_count():
    text = "```sh\n# not a heading\n```\n\n> ## Note\n\n## Note\n\ntext"
    assert [(chunk.headings, chunk.anchor) for chunk in chunks_of(text)] == [((), ""), (("Note",), "note-1")]


def test_positions_and_ids_are_unique_and_stable_when_something_is_put_before():
    text = "## A\n\nsame\n\n## A\n\nsame\n\n## B\n\nother"
    chunks = chunks_of(text)
    assert [chunk.position for chunk in chunks] == [0, 1, 2]
    assert all(re.fullmatch(r"notes/a\.md#[0-9a-f]{16}-\d", chunk.id) for chunk in chunks)
    assert [chunk.id[-1] for chunk in chunks] == ["0", "1", "0"]
    assert [chunk.id for chunk in chunks_of(f"New first words here, more than a few.\n\n{text}")[1:]] == [
        chunk.id for chunk in chunks
    ]


def test_a_section_that_fits_is_one_chunk_as_it_stands():
    text = "## A\n\none:\n\n- x\n  - y\n\n1. z\n\n| a |\n|---|\n| b |"
    assert [chunk.text for chunk in chunks_of(text)] == [text.removeprefix("## A\n\n")]


def test_paragraphs_fill_chunks_evenly():
    lengths = [len(chunk.text) for chunk in chunks_of("\n\n".join([paragraph(5)] * 9))]
    assert len(lengths) == 2
    assert min(lengths) > 90


def test_code_and_tables_stay_whole_and_take_their_announcement_along():
    code = "```py\n" + "x = 1\n" * 50 + "```"
    table = "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 30
    chunks = chunks_of(f"{paragraph(30)}\n\nRun this:\n\n{code}\n\nAnd see:\n\n{table}")
    assert [chunk.text for chunk in chunks[1:]] == [f"Run this:\n\n{code}", f"And see:\n\n{table.strip()}"]


def test_huge_code_is_split_at_lines_between_its_fences():
    lines = [f"line {number}" for number in range(200)]
    chunks = chunks_of("```py\n" + "\n".join(lines) + "\n```")
    assert len(chunks) > 5
    assert all(
        chunk.text.startswith("```py\n") and chunk.text.endswith("\n```") and len(chunk.text) <= 200 for chunk in chunks
    )
    assert [line for chunk in chunks for line in chunk.text.split("\n")[1:-1]] == lines


def test_a_long_item_is_split_around_its_code_blocks():
    code = "  ```js\n" + "\n".join(f"  let line{n} = {n}" for n in range(9)) + "\n  ```"
    between = f"\n\n  {paragraph(20)}\n\n"
    text = f"- **Example**\n\n  First:\n\n{between.join([code] * 3)}"
    chunks = [chunk.text for chunk in chunks_of(text)]
    assert chunks == [f"- **Example**\n\n  First:\n\n{code}", between.strip("\n"), code, between.strip("\n"), code]


def test_a_huge_table_repeats_its_head():
    rows = [f"| {number} | x |" for number in range(200)]
    chunks = chunks_of("| n | y |\n|---|---|\n" + "\n".join(rows))
    assert all(chunk.text.startswith("| n | y |\n|---|---|\n| ") for chunk in chunks)
    assert [line for chunk in chunks for line in chunk.text.split("\n")[2:]] == rows


def test_a_long_paragraph_is_split_at_sentences_even_when_its_lines_are_short():
    sentences = [f"Sentence {number} has some\nwords and a [link](http://a.b/{number}) in it." for number in range(20)]
    for chunk in chunks_of(" ".join(sentences)):
        assert chunk.text.startswith("Sentence")
        assert chunk.text.endswith("in it.")
        assert 60 < len(chunk.text) <= 200


def test_no_link_is_cut_through():
    links = [f"[the name {number}](https://example.org/people/{number}/first-last)" for number in range(40)]
    chunks = chunks_of(", ".join(links))
    assert [link for chunk in chunks for link in re.findall(r"\[.*?\)", chunk.text)] == links


def test_long_lists_are_split_between_items():
    items = [f"- item {number} {paragraph(4)}" for number in range(30)]
    chunks = chunks_of("\n".join(items))
    assert [line for chunk in chunks for line in chunk.text.split("\n")] == items


def test_few_words_above_a_subsection_are_cited_as_their_own_section():
    chunks = chunks_of(
        "# Garage\n\nThe code is 4711.\n\n## Install\n\nPick one.\n\n### pip\n\nRun pip.", title="Garage"
    )
    assert [(chunk.headings, chunk.anchor, chunk.text) for chunk in chunks] == [
        ((), "", "The code is 4711."),
        (("Install",), "install", "Pick one."),
        (("Install", "pip"), "pip", "Run pip."),
    ]


def test_no_chunk_holds_nothing_but_addresses_of_links():
    text = 'a [b]\n\n## C\n\nc\n\n## D\n\n[b]: <https://x.org> "B"\n[e]: y.md'
    assert [chunk.text for chunk in chunks_of(text)] == ["a [b]", "c", "D"]


def test_no_chunk_is_without_words():
    assert [chunk.text for chunk in chunks_of("```\n```\n\n***\n\n## A\n\n| | |\n|---|---|\n\n## B\n\nb")] == ["b"]


def test_a_heading_with_nothing_below_is_still_found():
    assert [(chunk.headings, chunk.text) for chunk in chunks_of("# Title\n\n## Empty\n\n## Full\n\nx")] == [
        (("Empty",), "Empty"),
        (("Full",), "x"),
    ]
    assert [chunk.text for chunk in chunks_of("# Title")] == ["Title"]


def test_link_addresses_that_belong_to_no_block_are_kept():
    assert [chunk.text for chunk in chunks_of("see [a]\n\n[a]: http://x.org\n\n## B\n\n[b]: http://y.org\n\nc")] == [
        "see [a]\n\n[a]: http://x.org",
        "[b]: http://y.org\n\nc",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a" * 5000,
        "é" * 999,
        "word " * 2000,
        "| " * 3000,
        "> " * 90 + "x",
        "```\n" + "x" * 5000 + "\n```",
        "\n".join("#" * 300),
    ],
)
def test_no_text_is_too_odd_to_be_cut(text):
    chunks = chunks_of(text)
    assert all(0 < len(chunk.text) <= 600 for chunk in chunks)
    assert "".join(re.findall(r"\w", "".join(chunk.text for chunk in chunks))) == "".join(re.findall(r"\w", text))


@pytest.mark.parametrize("seed", range(150))
def test_every_word_is_in_a_chunk_and_no_chunk_is_too_long(seed):
    rng = random.Random(seed)
    text = random_markdown(rng)
    max_chars = rng.choice([100, 200, 900])
    chunks = chunks_of(text, max_chars, title="head.")
    assert len({chunk.id for chunk in chunks}) == len(chunks)
    assert all(0 < len(chunk.text) <= 3 * max_chars + max_chars / 8 + 2 for chunk in chunks)
    assert all(len(chunk.text) <= max_chars for chunk in chunks if "```" not in chunk.text and "|" not in chunk.text)
    prose = re.findall(r"\w+", re.sub(r"^(?:#.*|\[\w+\]: \S+)$", "", text, flags=re.MULTILINE))
    found = iter(re.findall(r"\w+", "\n".join(chunk.text for chunk in chunks)))
    assert all(word in found for word in prose)  # in this order
    headings = {part for chunk in chunks for part in (*chunk.headings, *chunk.text.split("\n"))} | {"head."}
    assert {line.lstrip("# ") for line in text.split("\n") if line.startswith("#")} <= headings
