from pipeline.chat.sentences import is_code, split_sentences

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
        "an item that goes on",
        "another.",
        "With two sentences.",
        "numbered",
        '```toml\npath = "notes. Really."\n\n# not a heading\n```',
        "port — who",
        "8765 — gateway",
        "quoted words",
    ]


def test_an_unclosed_fence_is_closed() -> None:
    (code,) = split_sentences("```\nx")
    assert is_code(code)
    assert code == "```\nx\n\n```"


def test_nothing_gives_nothing() -> None:
    assert split_sentences("\n\n# only a heading\n") == []
