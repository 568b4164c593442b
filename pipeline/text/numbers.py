"""Finds the numbers in a text and writes each in one way."""

import re

_NUMBER = re.compile(r"(?<![\w.])\.?\d+(?:[.,:]\d+)*")
_NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen twenty".split()
    )
} | {"thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "hundred": "100", "thousand": "1000", "dozen": "12"}
_THOUSANDS = re.compile(r"(?<!^0),(?=\d{3}(?:\D|$))")
"""Commas between thousands; after a lone zero it is a decimal mark."""
_LIST_MARK = re.compile(r"^\s*\d+[.)]\s+", re.MULTILINE)


def numbers(text: str) -> set[str]:
    """The numbers written in digits, in one way of writing: {"5000000", ".872"} for `5,000,000` and `0.872`.

    The numbers of list items are left out.
    """
    # `8x12 TB` is two numbers.
    found = _NUMBER.findall(re.sub(r"(?<=\d)[x×](?=\d)", " ", _LIST_MARK.sub("", text)))
    return {re.sub(r"^0+(?=[.\d])", "", _THOUSANDS.sub("", number).replace(",", ".")) for number in found}


def number_words(text: str) -> dict[str, str]:
    """The English number words in `text`, by their value in digits: {"12": "twelve"}."""
    found = (word for word in re.findall(r"[a-z]+", text.casefold()) if word in _NUMBER_WORDS)
    return {_NUMBER_WORDS[word]: word for word in found}


def counted(text: str) -> set[str]:
    """The numbers in `text`, in digits and in English words, in one way of writing."""
    return numbers(text) | number_words(text).keys()
