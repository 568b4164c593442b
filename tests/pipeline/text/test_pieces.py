import pytest

from pipeline.text.pieces import bare, is_code, join_sentences, split_sentences

MARKDOWN = """## A heading

First sentence, e.g. with `a.b`. Second one
goes on here.

- an item
  that goes on
- another. With two sentences.

1. numbered

```toml
path = "notes. Really."

# not a heading
```

| port | who |
| --- | --- |
| 8765 | gateway |

> quoted words
"""


def test_each_kind_of_block() -> None:
    assert split_sentences(MARKDOWN) == [
        "First sentence, e.g. with `a.b`.",
        "Second one goes on here.",
        "- an item that goes on",
        "- another. With two sentences.",
        "1. numbered",
        '```toml\npath = "notes. Really."\n\n# not a heading\n```',
        "- port: 8765 — who: gateway",
        "quoted words",
    ]


def test_an_unclosed_fence_is_closed() -> None:
    (code,) = split_sentences("```\nx")
    assert is_code(code)
    assert code == "```\nx\n\n```"


def test_nothing_gives_nothing() -> None:
    assert split_sentences("\n\n# only a heading\n") == []


def test_joined_again_it_reads_as_before() -> None:
    assert join_sentences(["One.", "Two.", "- a. More.", "- b", "Then.", "```\nx\n```", "After."]) == (
        "One. Two.\n- a. More.\n- b\n\nThen.\n\n```\nx\n```\n\nAfter."
    )


def test_a_bare_sentence_has_no_mark() -> None:
    assert [bare(s) for s in ("- item", "2. second", "plain - dash", "```\n- x\n```")] == [
        "item", "second", "plain - dash", "```\n- x\n```",
    ]  # fmt: skip


def test_a_line_of_markdown_ends_at_a_line_feed_alone():
    """Where str.splitlines cuts too, a list item would become a paragraph and a table two."""
    for mark in "\u2028\u2029\x85\x0b\x0c":
        assert split_sentences(f"- one{mark}item") == [f"- one{mark}item"]
        assert split_sentences(f"| a{mark}# b | c |") == [f"- a{mark}# b — c"]


def test_a_row_has_its_heads_as_far_as_there_are_some() -> None:
    table = "| | Age |\n|---|---|\n| Minka | 11 |\n| a \\| b | | more |\n\n| no | head |"
    assert split_sentences(table) == ["- Minka — Age: 11", "- a \\| b —  — more", "- no — head"]


def test_chinese_sentences_are_joined_without_a_space() -> None:
    text = "路由器挂在阁楼上。客人用的网络叫“苍鹭”。"
    assert join_sentences(split_sentences(text)) == text
    assert join_sentences(["One.", "Two."]) == "One. Two."


def test_a_block_quote_has_pieces_like_any_text() -> None:
    quoted = "> 1. Soak it.\n> 2. Drain it.\n>\n> Serve it. Cold.\n> ```sh\n> ls > a\n> ```\n\n```\n> x\n```"
    assert split_sentences(quoted) == [
        "1. Soak it.",
        "2. Drain it.",
        "Serve it.",
        "Cold.",
        "```sh\nls > a\n```",
        "```\n> x\n```",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**The old licence.** Take it if it fits.", ["**The old licence.**", "Take it if it fits."]),
        ("It **removes no virus.** If you think so.", ["It **removes no virus.**", "If you think so."]),
        ("_Wait for it._ Then go.", ["_Wait for it._", "Then go."]),
        ("**Bold?** Yes. **A.** **B.** C.", ["**Bold?**", "Yes.", "**A.**", "**B.**", "C."]),
        ("**注意。**请先备份。**好。**", ["**注意。**", "请先备份。", "**好。**"]),
        ("First. **Then** go. **Now.**", ["First.", "**Then** go.", "**Now.**"]),
        ("First. __init__ runs.", ["First.", "__init__ runs."]),
    ],
)
def test_marks_stay_with_the_sentence_that_they_close(text, expected):
    assert split_sentences(text) == expected


@pytest.mark.parametrize(
    ("markdown", "pieces"),
    [
        (
            "Install it:\n\n    cargo install rye\n\n    rye pin\n\nThen run it.",
            ["Install it:", "```\ncargo install rye\n\nrye pin\n```", "Then run it."],
        ),
        ("Install it:\n\n\tcargo install rye", ["Install it:", "```\ncargo install rye\n```"]),
        ("- Install it.\n\n    With care.\n\nThen run it.", ["- Install it.", "With care.", "Then run it."]),
        ("A line\n    that goes on.", ["A line that goes on."]),
        ("    With care.\n\n    And slowly.", ["With care.", "And slowly."]),
        ("```\nif x:\n\n    y\n```", ["```\nif x:\n\n    y\n```"]),
    ],
)
def test_code_that_is_only_indented_is_a_block(markdown: str, pieces: list[str]) -> None:
    assert split_sentences(markdown) == pieces
