"""Recognises some other languages, and asks about titles in them. Their grammar is not known here."""

from typing import NamedTuple

from pipeline.text import detecting


class _Language(NamedTuple):
    name: str
    of_title: str
    of_heading: str


_LANGUAGES = {
    "de": _Language("German", "Was schreibst du in „{t}“?", "Was schreibst du in „{t}“ über „{x}“?"),
    "fr": _Language("French", "Que dites-vous dans « {t} » ?", "Que dites-vous de « {x} » dans « {t} » ?"),
    "es": _Language("Spanish", "¿Qué cuentas en «{t}»?", "¿Qué cuentas sobre «{x}» en «{t}»?"),
    "it": _Language("Italian", "Che cosa scrivi in «{t}»?", "Che cosa scrivi su «{x}» in «{t}»?"),
    "pt": _Language("Portuguese", "O que escreves em «{t}»?", "O que escreves sobre «{x}» em «{t}»?"),
    "nl": _Language("Dutch", "Wat schrijf je in “{t}”?", "Wat schrijf je over “{x}” in “{t}”?"),
}
"""By ISO 639-1 code."""


def language_of(text: str) -> str:
    """The English name of the text's language; "" if it is none of these."""
    found = _find(text)
    return found.name if found else ""


def ask_about(title: str, heading: str, text: str) -> str:
    """A question about title and heading in the language of `text`; "" if the language is none of these."""
    found = _find(text)
    if not found:
        return ""
    is_told = heading and heading.casefold() != title.casefold()
    return found.of_heading.format(t=title, x=heading) if is_told else found.of_title.format(t=title)


def _find(text: str) -> _Language | None:
    return _LANGUAGES.get(detecting.language_of(text)[0])
