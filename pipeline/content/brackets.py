"""Where a piece of JavaScript ends: brackets, strings, comments and tags."""

import re

BRACKETS = {"{": "}", "(": ")", "[": "]"}

_STRING = r""""(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`"""
_QUOTED = re.compile(rf"{_STRING}|(?<![:\w])//[^\n]*", re.DOTALL)
_ATTRIBUTE = re.compile(_STRING, re.DOTALL)


def bracket_end(text: str, start: int) -> int | None:
    """The offset after the bracket that closes the one at `start`; None when there is none.

    A comment in it that is never closed hides all that follows.
    """
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
        elif text.startswith("/*", index) and "*/" not in text[index + 2 :]:
            return len(text)
        elif skipped := quoted_end(text, index):
            index = skipped
            continue
        index += 1
    return None


def quoted_end(text: str, index: int) -> int | None:
    """The offset after the string or comment that begins at `index`; None when none does."""
    if text.startswith("/*", index):
        end = text.find("*/", index + 2)
        return end + 2 if end >= 0 else None
    found = _QUOTED.match(text, index)
    return found.end() if found else None


def tag_end(text: str, index: int, *, braces: bool) -> int | None:
    """The offset after the `>` of the tag whose name ends at `index`; None when it is no tag.

    -1 when a brace in it is never closed: then none of those after it is either, and `braces` need not be tried again.
    """
    while index < len(text):
        character = text[index]
        if character == ">":
            return index + 1
        if character == "<" or (character == "{" and not braces):
            return None
        if character == "{":
            end = bracket_end(text, index)
            if end is None:
                return -1
            index = end
        else:
            found = _ATTRIBUTE.match(text, index)
            index = found.end() if found else index + 1
    return None
