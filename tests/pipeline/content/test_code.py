import pytest

from pipeline.content.code import CLOSE, OPEN, mask_code

CASES = [
    "text `[[x]]` and ``a ` [[x]]`` end",
    "```js title='[[x]]'\n[[x]]\n\n[[x]]\n```\nafter",
    "~~~~\n```\n[[x]]\n~~~~",
    "    [[x]] indented\n\n    [[x]]\n\nafter",
    "- item\n\n      [[x]]\n\n- ```\n  [[x]]\n    [[x]]\n  ```\n  more",
    "> quote\n> ```\n> [[x]]\n>\n> [[x]]\n> ```",
    "1. a\n   > ```\n   > [[x]]\n   > ```",
    "\t[[x]] with a tab",
]


@pytest.mark.parametrize("text", CASES)
def test_code_is_hidden_and_comes_back_letter_by_letter(text):
    masked = mask_code(text)
    assert "[[x]]" not in masked.text
    restored = masked.restore(masked.text)
    assert [line.rstrip() for line in restored.split("\n")] == text.split("\n")


@pytest.mark.parametrize(
    "text",
    [
        "a ` [[x]] lone backtick",
        "\\`[[x]]`",
        "`a\n\n[[x]]` over a blank line",
        "``[[x]]` of unequal length",
    ],
)
def test_what_is_not_code_stays_in_sight(text):
    masked = mask_code(text)
    assert "[[x]]" in masked.text
    assert masked.restore(masked.text) == text


def test_an_open_fence_is_closed_at_the_end():
    masked = mask_code("```py\n[[x]]\n")
    assert masked.restore(masked.text).rstrip() == "```py\n[[x]]\n```"


def test_mdx_has_fences_at_any_depth_and_no_indented_code():
    masked = mask_code("<Tabs>\n      ```js\n      [[x]]\n      ```\n</Tabs>\n\n      [[y]]", mdx=True)
    assert "[[x]]" not in masked.text
    assert "[[y]]" in masked.text


def test_the_marks_themselves_can_not_be_smuggled_in():
    masked = mask_code(f"a {OPEN}0{CLOSE} `b`")
    assert masked.restore(masked.text) == "a 0 `b`"
