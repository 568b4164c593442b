"""Asks about titles in other languages than English. Their grammar is not known here."""

from pipeline.text.detecting import main_language
from pipeline.text.languages.tables import Language, table


def language_of(text: str) -> str:
    """The English name of the text's language; "" if no questions are known in it."""
    return _find(text).name if _find(text).titles.of_title else ""


def ask_about(title: str, heading: str, text: str) -> str:
    """A question about title and heading in the language of `text`; "" if none is known in it."""
    titles = _find(text).titles
    is_told = heading and heading.casefold() != title.casefold()
    return titles.of_heading.format(t=title, x=heading) if is_told else titles.of_title.format(t=title)


def _find(text: str) -> Language:
    return table(main_language(text))
