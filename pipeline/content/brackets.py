"""Where a piece of JavaScript ends: brackets, strings, comments and tags."""

import re

BRACKETS = {"{": "}", "(": ")", "[": "]"}

_QUOTED = re.compile(
    r""""(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|/\*.*?\*/|(?<![:\w])//[^\n]*""", re.DOTALL
)


def bracket_end(text: str, start: int) -> int | None:
    """The offset after the bracket that closes the one at `start`; None when there is none."""
    open_brackets = [BRACKETS[text[start]]]
    index = start + 1
    while index < len(text):
        character = text[index]
        if character == open_brackets[-1]:
            open_brackets.pop()
            if not open_brackets:
                return index + 1
        elif character in BRACKETS:
            open_brackets.append(BRACKETS[character])
        elif skipped := quoted_end(text, index):
            index = skipped
            continue
        index += 1
    return None


def quoted_end(text: str, index: int) -> int | None:
    """The offset after the string or comment that begins at `index`; None when none does."""
    found = _QUOTED.match(text, index)
    return found.end() if found else None


def tag_end(text: str, index: int) -> int | None:
    """The offset after the `>` of the tag whose name ends at `index`."""
    while index < len(text):
        if text[index] == ">":
            return index + 1
        if text[index] == "<":
            return None
        if text[index] == "{":
            end = bracket_end(text, index)
            if end is None:
                return None
            index = end
        else:
            index = quoted_end(text, index) or index + 1
    return None
