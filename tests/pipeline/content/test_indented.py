import pytest

from pipeline.content.indented import draw_out


@pytest.mark.parametrize(
    ("markdown", "right"),
    [
        ('!!! note "Mind the gap"\n\n    Two words.\n\n    And two.\n\nAfter.', "**Mind the gap**\n\n\nTwo words.\n\nAnd two.\n\nAfter."),
        ("!!! tip\n    Two words.\n", "**Tip**\n\nTwo words.\n"),
        ("???+ warning inline end\n    x", "**Warning**\n\nx"),
        ('??? info ""\n    x', "\n\nx"),
        ('=== "Linux"\n\n    ``` sh\n    make\n      x\n    ```\n\n=== "Mac"\n\n    x', '**Linux**\n\n\n``` sh\nmake\n  x\n```\n\n**Mac**\n\n\nx'),
        ('!!! a "Outer"\n    1\n\n    !!! b "Inner"\n        2\n\n    3\n4', "**Outer**\n\n1\n\n**Inner**\n\n2\n\n3\n4"),
        ('- item\n\n    !!! note "In a list"\n\n        Words.\n\n- next', "- item\n\n    **In a list**\n\n\n    Words.\n\n- next"),
        ("!!! note\n\tTab.", "**Note**\n\nTab."),
        ("a[^1]\n\n[^1]:\n    Words\n    of it.\n\nb", "a[^1]\n\n\nWords\nof it.\n\nb"),
        ("- a\n- b[^1]\n\n    [^1]: Words\n        of it.", "- a\n- b[^1]\n\n\n    Words\n    of it."),
        ("`option`\n\n:   !!! note\n\n        Words.\n\n    More.", "`option`:\n**Note**\n\n\nWords.\n\nMore."),
        ("option\n:   ``` yaml\n    a:\n      b: 1\n    ```", "option:\n``` yaml\na:\n  b: 1\n```"),
        ("Apple\n:   Pomaceous fruit\n\n    of a tree.\n:   A firm.\n\nOrange\n\n:   Citrus.", "Apple:\nPomaceous fruit\n\nof a tree.\n\nA firm.\n\nOrange:\nCitrus."),
    ],
)  # fmt: skip
def test_what_stands_below_a_mark_is_text_at_its_margin(markdown, right):
    assert draw_out(markdown)[0] == right


@pytest.mark.parametrize(
    "markdown",
    [
        "```\n!!! note\n    x\n```",
        "````\n```\n!!! note\n    x\n```\n````",
        "Code:\n\n    !!! note\n        x\n    [^1]: y",
        "# Title\n: no term",
        "Title\n=== \n\n    code",
        "a === b\n\n    code",
        "=== b\n\n    code",
        "!!! \n\n    code",
        "wow !!! note\n    x",
        "- a\n    - b\n        - c\n\n            code",
        "- a\n\n  ```\n  !!! note\n      x\n  ```",
    ],
)
def test_everything_else_stays_as_it_is(markdown):
    assert draw_out(markdown)[0] == markdown


def test_it_is_linear():
    deep = "\n".join(f"{'    ' * n}!!! note" for n in range(400))
    assert draw_out(deep)[0].count("**Note**") == 400
    assert draw_out("[^" * 100_000)[0] == "[^" * 100_000
