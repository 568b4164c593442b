"""Questions that documents answer, made from their titles alone: no model is asked."""

import re
from collections.abc import Iterable

from pipeline.content.documents import Document
from pipeline.text.detecting import main_language
from pipeline.text.languages.tables import table

_LONGEST_TITLE = 70
"""Characters; a longer title makes no question that one likes to read on a button."""
_AUXILIARY = "am|are|can|could|did|do|does|has|have|is|may|must|shall|should|was|were|will|would"
_QUESTION = re.compile(rf"(?:(?:how|what|when|where|which|who|why)\s+(?:{_AUXILIARY})|{_AUXILIARY})\s", re.IGNORECASE)
IMPERATIVES = frozenset(
    "add ask back build change check choose compare configure connect create debug deploy embed evaluate export find fix"
    " get import improve install keep learn make measure migrate move publish put read remove run set share start stop"
    " switch test train try turn understand update upgrade use watch write".split()
)
_QUOTED = "What does “"
_POINTERS = frozenset(("a", "an", "the", "your", "my", "our"))
_GERUNDS_ONLY = frozenset(
    "anything building everything evening king morning nothing ring something spring string thing".split()
)


def questions(documents: Iterable[Document]) -> list[str]:
    """One question for each document whose title gives one, none twice.

    In the order of the documents, but titles that could only be quoted come last.
    """
    made = dict.fromkeys(question(document.title, document.text) for document in documents)
    return sorted(filter(None, made), key=_is_quoted)


def question(title: str, text: str = "") -> str:
    """The question that a page of this title answers; "" when the title is empty or too long.

    `text` tells the language, and common words from names: a first word that stands there in lower case loses its
    capital. In other languages than English the title is quoted.
    """
    title = " ".join(title.split()).rstrip(".!:")
    if not re.search(r"[^\W\d_]", title) or len(title) > _LONGEST_TITLE:
        return ""
    if title.endswith(("?", "？", "؟")):
        return title
    language = main_language(f"{title}\n{text}")
    if language not in ("", "en"):
        return table(language).titles.of_title.format(t=title) or f"{title}?"
    if _QUESTION.match(title):
        return f"{title}?"
    return _from_clause(title) or _from_phrase(_lowered(title, text)) or f"{_QUOTED}{title}” say?"


def _is_quoted(made: str) -> bool:
    return made.startswith(_QUOTED)


def _from_clause(title: str) -> str:
    """From `How to …`, `How … works` and `What … is`."""
    if hit := re.fullmatch(r"how to (.+)", title, re.IGNORECASE):
        return f"How do I {_addressed(hit[1])}?"
    if hit := re.fullmatch(r"how (.+) works?", title, re.IGNORECASE):
        return f"How {'do' if _plural(hit[1]) else 'does'} {_addressed(hit[1])} work?"
    if hit := re.fullmatch(r"what (.+) (is|are|was|were)", title, re.IGNORECASE):
        return f"What {hit[2].lower()} {_addressed(hit[1])}?"
    return ""


def _from_phrase(title: str) -> str:
    words = title.split()
    first = words[0].lower()
    rest = " ".join(words[1:])
    if first in IMPERATIVES and words[1:] and words[1][0].isalpha():
        return f"How do I {_addressed(f'{first} {rest}')}?"
    if first.endswith("ing") and len(first) > 5 and first not in _GERUNDS_ONLY and rest:
        verb = _infinitive(first)
        return f"How do I {_addressed(f'{verb} {rest}')}?" if verb else f"What should I know about {_addressed(title)}?"
    if re.fullmatch(r"[\w-]+ (?:or|vs\.?) [\w-]+", title):
        return f"Should I use {re.sub(r' vs[.]? ', ' or ', title)}?"
    if first in ("your", "my", "our"):
        return f"What should I know about {_addressed(title)}?"
    if re.fullmatch(r"(?:(?:the|a|an) )?[\w-]+", title) or re.fullmatch(r"(?:the|a|an) [a-z-]+ [a-z-]+", title):
        return f"What {'are' if _plural(title) else 'is'} {title}?"
    return ""


def _lowered(title: str, text: str) -> str:
    """The title without its first capital, when the first word is an article or stands in `text` in lower case."""
    first, _, rest = title.partition(" ")
    word = first.lower()
    if not first.istitle() or (
        re.search(r"[A-Z]", rest) and word not in _POINTERS | IMPERATIVES and not word.endswith("ing")
    ):
        return title
    words = re.sub(r"```.*?```|`[^`]*`|\S*[/@.]\S+", " ", text, flags=re.DOTALL)
    if (
        word in _POINTERS | IMPERATIVES
        or (word.endswith("ing") and rest)
        or re.search(rf"\b{re.escape(word)}\b", words)
    ):
        return f"{word} {rest}".strip()
    return title


def _plural(phrase: str) -> bool:
    return bool(re.search(r"(?<![SsUuIi])s$", phrase))


def _addressed(phrase: str) -> str:
    """The page speaks to the reader; the reader's question speaks of himself."""
    phrase = re.sub(r"\byour\b", "my", phrase)
    return re.sub(r"\byou\b", "I", phrase)


def _infinitive(gerund: str) -> str:
    """`embedding` to `embed`, `writing` to `write`; "" where spelling alone doesn't tell (`opening`, `exploring`)."""
    stem = gerund[:-3]
    if stem == "creat":
        return "create"
    if re.search(r"([bdgmnprt])\1$", stem):
        return stem if stem in ("add",) else stem[:-1]
    if re.search(r"(?:v|rc|[^aeiou](?:at|iz|ur)|[^l]l(?<=[bcdfgkpt]l)|dg|rg|nc|rs|uc|ac)$", stem):
        return f"{stem}e"
    if re.search(r"([aeiou]{2}[^aeiou]|[^aeiou]{2}|[aeiou]y)$", stem) and not stem.endswith(("ng", "ch")):
        return stem
    return f"{stem}e" if re.fullmatch(r"[^aeiou]*[aeiou][^aeiouwxy]", stem) else ""
