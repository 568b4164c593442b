"""The prose that voices are compared on, without what it speaks of.

A fact must not raise a voice: every word that says something is masked, as in Stamatatos, Authorship attribution using text
distortion (EACL 2017), DV-SA. What stays is the function words, the punctuation and the shape of the sentences. Which words
are function words, the table of the text's language says.
"""

import importlib.metadata
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.chat.citations import without_marks
from pipeline.text.detecting import is_english, main_language
from pipeline.text.languages.tables import table
from pipeline.text.pieces import bare, is_code, split_sentences
from pipeline.text.words import WORD, elided, words

FEWEST_WORDS = 200
"""A text with fewer words of prose does not stand for an author."""
UNSPACED_LANGUAGES = ("ja", "zh")
"""Those with a table whose words are told apart by statistics only, and so not the same way each time."""
_NO_PROSE = re.compile(r"[<>|`{}\[\]=]|https?:|\w/\w|^[^.:]{1,40}: .* — ")
"""Code, links, and rows of tables as `split_sentences` writes them."""
_SPACE = re.compile(r"\s+")
_PART = re.compile(r"[^'-]+")
_ROW = re.compile(r"^\s*\|.*$", re.MULTILINE)


@dataclass(frozen=True)
class Text:
    """The prose of one document."""

    author: str
    """Who wrote it, or which document of the author it is: pieces with the same name are never on both sides of a test."""
    sentences: tuple[str, ...]


def prose(author: str, markdown: str, language: str = "en") -> Text:
    """The sentences of a document that are prose, in `language` and neither code nor tables nor lists of links."""
    found = (bare(one) for one in split_sentences(_ROW.sub("", markdown)) if not is_code(one))
    return Text(
        author,
        tuple(
            one for one in found if not _NO_PROSE.search(one) and len(words(one)) > 3 and is_written_in(one, language)
        ),
    )


def has_voice(language: str) -> bool:
    """Whether a voice in `language`, an ISO 639-1 code, can be measured: its function words are known and stand apart."""
    return table(language).is_known and language not in UNSPACED_LANGUAGES


def is_written_in(text: str, language: str) -> bool:
    """Whether `text` is certainly in `language`, an ISO 639-1 code."""
    return is_english(text) if language == "en" else main_language(text) == language


def answer_text(answer: str) -> str:
    """An answer as it is compared: without marks and code."""
    return " ".join(bare(one) for one in split_sentences(without_marks(answer)) if not is_code(one))


def pieces(text: Text, length: int) -> Iterator[str]:
    """The text in pieces of whole sentences, each of at least `length` words, so that they are as long as answers."""
    held: list[str] = []
    for sentence in text.sentences:
        held.append(sentence)
        if sum(len(words(one)) for one in held) >= length:
            yield " ".join(held)
            held = []


def masked(text: str, language: str = "en") -> str:
    """The text with `*` for each word that is no function word of `language`, and `#` for each number."""
    plain = _SPACE.sub(" ", text.replace("’", "'").replace("**", "")).strip()
    return WORD.sub(lambda hit: _mask(hit[0], language), plain)


def _mask(word: str, language: str) -> str:
    if word.lower() in table(language).function_words:
        return word.lower()
    if len(elided(word, language)) > 1:  # `l'eau` is `l'*`
        return _PART.sub(lambda part: _mask(part[0], language), word)
    return "#" if any(letter.isdigit() for letter in word) else "*"


def installed_authors() -> list[Text]:
    """The READMEs of the packages that are installed: prose of many authors that is on every machine."""
    found = []
    for package in importlib.metadata.distributions():
        name, readme = package.metadata["Name"], package.metadata.json.get("description")
        if isinstance(readme, str) and name != "sitetwin":
            found.append(prose(name, readme))
    return _long_enough(found)


def authors_in(folders: Iterable[Path], language: str = "en") -> list[Text]:
    """The documents in `language` in folders of Markdown by other people."""
    files = sorted(file for folder in folders for file in folder.rglob("*.md"))
    return _long_enough(
        [prose(str(file), file.read_text(encoding="utf-8", errors="replace"), language) for file in files]
    )


def _long_enough(texts: Sequence[Text]) -> list[Text]:
    by_author = {text.author: text for text in texts}
    return [text for text in by_author.values() if sum(len(words(one)) for one in text.sentences) >= FEWEST_WORDS]
