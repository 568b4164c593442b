"""Finds quantities whose number is the text's and whose unit is another: 5 MB for 5 GB, miles for kilometres."""

import re
from collections import defaultdict
from functools import lru_cache

from pipeline.dataset.records import Candidate
from pipeline.text.numbers import number_words, numbers

_SPELLINGS = """
byte bytes|KB kb kilobyte kilobytes KiB|MB mb megabyte megabytes MiB|GB gb gigabyte gigabytes GiB|TB tb terabyte terabytes TiB
bit bits|kbit kbps|Mbit Mbps|Gbit Gbps
ms millisecond milliseconds|second seconds sec secs s|minute minutes min mins m|hour hours h hr hrs|day days|week weeks
month months|year years|decade decades
mm millimetre millimetres millimeter millimeters|cm centimetre centimetres centimeter centimeters
metre metres meter meters m|km kilometre kilometres kilometer kilometers|inch inches|foot feet ft|yard yards|mile miles mi
km/h kmh kph|mph|mg milligram milligrams|gram grams g|kg kilo kilos kilogram kilograms|pound pounds lb lbs|ounce ounces oz
ml millilitre millilitres milliliter milliliters|litre litres liter liters l|gallon gallons
W watt watts|kW kilowatt kilowatts|Wh|kWh|V volt volts|mAh|Hz hertz|kHz|MHz|GHz|°C celsius|°F fahrenheit
% percent|dollar dollars $ USD|euro euros € EUR|pound pounds £ GBP|yen ¥ JPY|dpi|fps
"""
_UNITS: dict[str, frozenset[str]] = {}
"""For each spelling the units that it may mean: `m` is a metre or a minute."""
for _spellings in "|".join(_SPELLINGS.split("\n")).strip("|").split("|"):
    for _spelling in _spellings.split():
        _UNITS[_spelling] = _UNITS.get(_spelling, frozenset()) | {_spellings.split()[0]}

_NUMBER = r"(?:\d+(?:[.,]\d+)*|" + "|".join(
    "two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty".split()
) + ")"  # fmt: skip
_AFTER = "|".join(sorted((re.escape(spelling) for spelling in _UNITS if spelling not in "$€£¥"), key=len, reverse=True))
_QUANTITY = re.compile(
    # All numbers of "5 to 10 GB" have the unit at the end.
    rf"(?<![\w.,])(?P<money>[$€£¥])?(?P<numbers>{_NUMBER}(?:(?:\s*(?:,|–|-)\s*|\s(?:to|and|or)\s){_NUMBER})*)"
    rf"(?:[\s-]?(?P<unit>{_AFTER})(?![\w/]))?",
    re.IGNORECASE,
)


def changed_unit(candidate: Candidate) -> str:
    """The reason to refuse an answer that gives a number of the text another unit, or ""."""
    known = _quantities(f"{candidate.text}\n{candidate.pair.question}")
    for number, found in _quantities(candidate.pair.answer).items():
        theirs = {unit for units, _ in known.get(number, ()) for unit in units}
        for units, written in found:
            if theirs and not units & theirs:
                given = next(written for _, written in known[number])
                return f"the answer says “{written}”, the text “{given}”"
    return ""


@lru_cache(maxsize=512)
def _quantities(text: str) -> dict[str, list[tuple[frozenset[str], str]]]:
    """By number: the units that stand with it, and how both are written. Numbers without a unit are left out."""
    found: dict[str, list[tuple[frozenset[str], str]]] = defaultdict(list)
    for hit in _QUANTITY.finditer(text.replace("**", "")):
        if units := _meant(hit["money"] or hit["unit"] or ""):
            for number in (*numbers(hit["numbers"]), *number_words(hit["numbers"])):
                found[number].append((units, " ".join(hit[0].split())))
    return dict(found)


def _meant(spelling: str) -> frozenset[str]:
    # `5 G` and `4 S` are no grams and seconds, but `5 Km` and `5 Minutes` are clear.
    return _UNITS.get(spelling) or (_UNITS.get(spelling.casefold(), frozenset()) if len(spelling) > 1 else frozenset())
