"""Hides how an answer was made, so that only its words are judged."""

import re

from pipeline.chat.citations import without_marks

_QUOTED = re.compile(r"^[ \t]*>[ \t]?", re.MULTILINE)


def plain_words(answer: str) -> str:
    """The answer without the marks of its sources and without the sign of a quotation."""
    return without_marks(_QUOTED.sub("", answer))
