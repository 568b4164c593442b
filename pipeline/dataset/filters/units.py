"""Finds quantities whose number is the text's and whose unit is another: 5 MB for 5 GB, miles for kilometres."""

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache

from pipeline.dataset.records import Candidate
from pipeline.text.numbers import number_words, numbers

_SPELLINGS = """
byte bytes|KB kb kilobyte kilobytes KiB Ko|MB mb megabyte megabytes MiB Mo|GB gb gigabyte gigabytes GiB Go|TB tb terabyte terabytes TiB To
bit bits|kbit kbps kbit/s|Mbit Mbps Mbit/s|Gbit Gbps Gbit/s|KB/s|MB/s|GB/s
ms millisecond milliseconds Millisekunde Millisekunden milliseconde millisecondes
second seconds sec secs s Sekunde Sekunden seconde secondes segundo segundos secondo secondi
minute minutes min mins m Minuten minuto minutos minuti|hour hours h hr hrs Stunde Stunden heure heures hora horas ora ore
day days Tag Tage Tagen jour jours día días giorno giorni|week weeks Woche Wochen semaine semaines semana semanas settimana settimane
month months Monat Monate Monaten mois mes meses mese mesi|year years Jahr Jahre Jahren ans année années año años anno anni
decade decades Jahrzehnt Jahrzehnte
mm millimetre millimetres millimeter millimeters|cm centimetre centimetres centimeter centimeters Zentimeter centimètres
metre metres meter meters m mètre mètres|km kilometre kilometres kilometer kilometers kilomètre kilomètres kilómetros chilometri
inch inches Zoll|foot feet ft|yard yards|mile miles mi Meile Meilen milles
km/h kmh kph|mph|mg milligram milligrams Milligramm|gram grams g Gramm gramme grammes gramos grammi|kg kilo kilos kilogram kilograms Kilogramm
pound pounds lb lbs Pfund|ounce ounces oz|tsp teaspoon teaspoons TL Teelöffel|tbsp tablespoon tablespoons EL Esslöffel
ml millilitre millilitres milliliter milliliters Milliliter|cl|litre litres liter liters l litros litri|gallon gallons|cup cups Tasse Tassen
W watt watts|kW kilowatt kilowatts|MW|Wh|kWh|MWh|mA|px pixel pixels|em|rem|V volt volts|mAh|Hz hertz|kHz|MHz|GHz|°C celsius|°F fahrenheit
% percent Prozent|percentage Prozentpunkte|k thousand K km KB|million millions m M mio Millionen|billion billions bn
cent cents ct centimes|pence|franc francs Franken CHF|dollar dollars $ USD|euro euros € EUR|pound pounds £ GBP|yen ¥ JPY|dpi|fps
"""
_UNITS: dict[str, frozenset[str]] = {}
"""For each spelling the units that it may mean: `m` is a metre or a minute."""
for _spellings in "|".join(_SPELLINGS.split("\n")).strip("|").split("|"):
    for _spelling in _spellings.split():
        _UNITS[_spelling] = _UNITS.get(_spelling, frozenset()) | {_spellings.split()[0]}

_ELSEWHERE = {
    word: str(2 + place)
    for spelled in ("zwei drei vier fünf sechs sieben acht neun zehn", "deux trois quatre cinq six sept huit neuf dix")
    for place, word in enumerate(spelled.split())
    if word != "six"
}
_NUMBER = r"(?:\d+(?:[.,]\d+)*|" + "|".join(
    "one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty".split()
    + list(_ELSEWHERE)
) + ")"  # fmt: skip
_AFTER = "|".join(sorted((re.escape(spelling) for spelling in _UNITS if spelling not in "$€£¥"), key=len, reverse=True))
_QUANTITY = re.compile(
    # All numbers of "5 to 10 GB" have the unit at the end.
    rf"(?<![\w.,])(?P<money>[$€£¥])?(?P<numbers>{_NUMBER}(?:(?:\s*(?:,|–|-)\s*|\s(?:to|and|or)\s){_NUMBER})*)"
    rf"(?:(?:\sand a (?:half|quarter))?[\s-]?(?:(?:degrees|square|cubic)\s+)?(?P<unit>{_AFTER})(?![\w/]))?",
    re.IGNORECASE,
)
_RATE = re.compile(
    # `60 requests a minute`, `500 MB/day`, `11 Euro im Monat`
    rf"(?<![\w.,])[$€£¥]?(?P<numbers>{_NUMBER})[\s-]?(?:[^\W\d_]+(?:\s|(?=/))){{0,2}}?(?:(?:an?|per|each|every|pro|im|am|par|al|por)\s|/\s?)(?P<unit>{_AFTER})(?!\w)",
    re.IGNORECASE,
)
_APART = re.compile(rf"\bin (?P<unit>{_AFTER})\b", re.IGNORECASE)
_KINDS = (
    frozenset(("ms", "second", "minute", "hour", "day", "week", "month", "year")),
    frozenset(("byte", "KB", "MB", "GB", "TB")),
)
"""Units of one kind, of which one may be written for another."""
_IDIOMS = re.compile(r"\bone (?:day|second|minute)\b", re.IGNORECASE)


def changed_unit(candidate: Candidate) -> str:
    """The reason to refuse an answer that gives a number of the text another unit, or ""."""
    text = f"{candidate.text}\n{candidate.pair.question}"
    answer = _IDIOMS.sub("", candidate.pair.answer)
    return _changed(_QUANTITY, answer, text) or _changed(_RATE, answer, text) or _named_apart(answer, text)


def _named_apart(answer: str, text: str) -> str:
    """The reason if the text gives a number bare and names another unit of its kind apart: `in seconds; the default is 300`."""
    apart = {unit: hit[0] for hit in _APART.finditer(text) for unit in _meant(hit["unit"])}
    with_unit = {unit for found in _quantities(_QUANTITY, text).values() for units, _ in found for unit in units}
    bare = numbers(text) - _quantities(_QUANTITY, text).keys()
    for number, found in _quantities(_QUANTITY, answer).items():
        for units, written in found:
            kin = [kind for kind in _KINDS if units & kind]
            named = next((said for unit, said in apart.items() if any(unit in kind for kind in kin)), "")
            if named and number in bare and not units & (apart.keys() | with_unit):
                return f"the answer says “{written}”, the text “{named}”"
    return ""


def _changed(pattern: re.Pattern[str], answer: str, text: str) -> str:
    known = _quantities(pattern, text)
    for number, found in _quantities(pattern, answer).items():
        theirs = {unit for units, _ in known.get(number, ()) for unit in units}
        for units, written in found:
            if theirs and not units & theirs:
                given = next(written for _, written in known[number])
                return f"the answer says “{written}”, the text “{given}”"
    return ""


@lru_cache(maxsize=512)
def _quantities(pattern: re.Pattern[str], text: str) -> dict[str, list[tuple[frozenset[str], str]]]:
    """By number: the units that `pattern` finds with it, and how both are written. Numbers without a unit are left out."""
    found: dict[str, list[tuple[frozenset[str], str]]] = defaultdict(list)
    for hit in pattern.finditer(text.replace("**", "")):
        groups = hit.groupdict()
        if units := _meant(groups.get("money") or groups["unit"] or ""):
            for number in _values(hit["numbers"]):
                found[number].append((units, " ".join(hit[0].split())))
    return dict(found)


def _values(written: str) -> Iterator[str]:
    yield from numbers(written)
    yield from number_words(written)
    yield from (_ELSEWHERE[word] for word in re.findall(r"\w+", written.casefold()) if word in _ELSEWHERE)


def _meant(spelling: str) -> frozenset[str]:
    # `5 G` and `4 S` are no grams and seconds, but `5 Km` and `5 Minutes` are clear.
    return _UNITS.get(spelling) or (_UNITS.get(spelling.casefold(), frozenset()) if len(spelling) > 1 else frozenset())
