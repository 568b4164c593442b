"""The table of each language, read from a file such as `de.toml`."""

import re
import tomllib
from collections.abc import Iterable
from functools import cache, cached_property
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from pipeline.text.languages.scripts import LETTER

_FOLDER = Path(__file__).parent
_SIGNS = "[$€£¥￥₹₽₩₫₺₴₪฿]"
_MONEY = rf"{_SIGNS}\s?\d|\d\s?{_SIGNS}"
_IN_ANY_LANGUAGE = {"amount": r"\d|", "time": r"\d|", "price": rf"{_MONEY}|"}
"""What stands near an answer of a kind in any language: a digit; for a price a digit with the sign of a currency."""
_STEMMERS = {
    "ca": "catalan", "el": "greek", "eo": "esperanto", "et": "estonian", "eu": "basque",
    "fa": "persian", "fi": "finnish", "ga": "irish", "hu": "hungarian", "hy": "armenian", "id": "indonesian",
    "lt": "lithuanian", "nb": "norwegian", "ne": "nepali", "nn": "norwegian", "no": "norwegian",
    "ro": "romanian", "sr": "serbian", "st": "sesotho", "ta": "tamil", "yi": "yiddish",
}  # fmt: skip
"""Snowball's stemmers for languages that have no table here."""


def _split(value: object) -> object:
    return frozenset(value.split()) if isinstance(value, str) else value


def _in_order(value: object) -> object:
    return tuple(value.split()) if isinstance(value, str) else value


def _longest_first(value: object) -> object:
    return tuple(sorted(value.split(), key=lambda ending: -len(ending))) if isinstance(value, str) else value


Words = Annotated[frozenset[str], BeforeValidator(_split)]
Kind = Literal["person", "price", "colour", "amount", "date", "time"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FollowUps(_Part):
    """How a question shows that it leans on the one before it."""

    pointers: Words = frozenset()
    """Words that stand for something said before: `it`."""
    about: str = ""
    """A pattern of a whole question that only names a new subject: `what about …`."""
    links: Words = frozenset()
    """Words that join a question to the one before it: `and`."""


class PseudoQuestions(_Part):
    """What questions are made of that nobody asked."""

    frames: tuple[str, ...] = ("{}?",)
    """Questions with a gap."""
    foreign: Annotated[tuple[str, ...], BeforeValidator(_in_order)] = ()
    """Words that few collections hold."""


class Titles(_Part):
    """Questions about a page. `{t}` is its title, `{x}` a heading."""

    of_title: str = ""
    of_heading: str = ""


class PairWords(_Part):
    """What tells faults of a pair of question and answer, in another language than English, whose rules are finer."""

    labels: Words = frozenset()
    """Words that name a question or an answer: `Frage`. Patterns."""
    first_person: Words = frozenset()
    """Words in which an author speaks of herself."""
    third_person: Words = frozenset()
    """Words in which others speak of an author."""
    author: str = ""
    """A pattern of what others call an author."""
    declines: str = ""
    """A pattern of an answer that declines."""
    points_at_text: str = ""
    """A pattern of what points at the text that the pair was made from."""
    open_ends: Words = frozenset()
    """Words that end no sentence."""


class Language(_Part):
    """What rules need to know about a language. The defaults are for one without a table."""

    code: str
    """ISO 639-1."""
    name: str = ""
    """What a prompt calls it; "" if it has no file."""
    stemmer: str = ""
    """Snowball's name of its stemmer; "" if it has none."""
    capitals: Literal["names", "nouns", "none"] = "names"
    """What has a capital within a sentence: names alone, all nouns, or nothing as the script has none."""
    elides: bool = False
    """Whether an apostrophe ends a word, as in `l'eau`."""
    compounds: bool = False
    """Whether nouns are written together as one word, the last of which says what it is."""
    verbs: bool = False
    """Whether the stemmer leaves `ge` and `t` on verbs, as Snowball's German one does."""
    tones: bool = False
    """Whether marks tell words apart as much as letters do, so that a word is looked up with its marks."""
    endings: Annotated[tuple[str, ...], BeforeValidator(_longest_first)] = ()
    """Particles and endings that are cut off, for a language without a stemmer."""
    refusal: str = ""
    opening: str = ""
    """A question after which anybody may say anything."""
    stop_words: Words = frozenset()
    """Words that a keyword search leaves out."""
    function_words: Words = frozenset()
    """All words that any question is made of, whatever it is about; `stop_words` are among them."""
    happens: Words = frozenset()
    """Words of a question for all that a time held: "what happened", "what did I write"."""
    sums: Words = frozenset()
    """Words of a question that wants something reckoned: `times`."""
    works: tuple[str, ...] = ()
    """Patterns of how a sentence begins that asks for a work and for no fact: `write me a poem`, `translate`."""
    polite: str = ""
    """A pattern of what may stand before it: `please `, `can you `."""
    asks: dict[Kind, tuple[str, ...]] = {}
    """Patterns of questions for each kind of thing. The first kind that fits counts."""
    counts: str = ""
    """A pattern of a question that wants things counted. Its groups are the words that may be the things."""
    holds: dict[Kind, Words] = {}
    """Patterns of words, one of which stands near an answer of that kind. `_IN_ANY_LANGUAGE` holds what needs no words."""
    asks_property: str = ""
    """A pattern of a question for a property of a thing. Its group is the words that may be the property's noun."""
    shapes: dict[str, str] = {}
    """What an answer looks like, by a pattern of the property's noun: a number for `port|size`."""
    answers: dict[str, str] = {}
    """What an answer looks like, by a pattern of the question: a number with a unit of time for `wie lange`. The first that
    fits counts."""
    particles: Words = frozenset()
    """Words at the end of a clause that belong before its verb: `schalte ich aus` asks how to `ausschalten`."""
    follow_ups: FollowUps = FollowUps()
    pseudo_questions: PseudoQuestions = PseudoQuestions()
    titles: Titles = Titles()
    pairs: PairWords = PairWords()

    @property
    def is_known(self) -> bool:
        """Whether its words are known."""
        return bool(self.stop_words)

    def asked_kind(self, question: str) -> Kind | None:
        """What kind of thing `question` asks for, if the table tells."""
        lowered = question.lower()
        return next((kind for kind, pattern in self._asks if pattern.search(lowered)), None)

    def holds_kind(self, kind: Kind) -> re.Pattern[str] | None:
        """The pattern of what stands near an answer of that kind; None if the table can't tell."""
        return self._holds.get(kind)

    def asked_nouns(self, question: str) -> list[str]:
        """The words for the property that `question` asks for: `port` for `which port does it use`."""
        found = re.search(self.asks_property, question.lower()) if self.asks_property else None
        return list(takewhile(lambda word: word not in self.function_words, found[1].split())) if found else []

    def shape(self, nouns: Iterable[str]) -> re.Pattern[str] | None:
        """The pattern of what the property with such a noun looks like; None if the table can't tell."""
        return next((shape for noun, shape in self._shapes if any(map(noun.fullmatch, nouns))), None)

    def answer_shape(self, question: str) -> re.Pattern[str] | None:
        """The pattern of what an answer to `question` looks like; None if the table can't tell."""
        lowered = question.lower()
        return next((shape for asks, shape in self._answers if asks.search(lowered)), None)

    def counted(self, question: str) -> list[str]:
        """The words of `question` that may be what it wants counted; [] if it wants nothing counted."""
        found = re.search(self.counts, question.lower()) if self.counts else None
        return [word for word in found.groups() if word and word not in self.function_words] if found else []

    def pattern(self, patterns: "str | Iterable[str]") -> re.Pattern[str]:
        """One of `patterns` as a whole word, in any case; anywhere in a text without spaces."""
        alternatives = (patterns,) if isinstance(patterns, str) else tuple(patterns)
        return re.compile(self._any(alternatives).pattern, re.IGNORECASE)

    def asks_for_work(self, sentence: str) -> bool:
        """Whether `sentence` asks for a work, such as a poem or a translation."""
        return self._works is not None and self._works.match(sentence.lower().lstrip(" ¿¡")) is not None

    @cached_property
    def _shapes(self) -> list[tuple[re.Pattern[str], re.Pattern[str]]]:
        return [(re.compile(f"(?:{noun})s?"), re.compile(shape)) for noun, shape in self.shapes.items()]

    @cached_property
    def _answers(self) -> list[tuple[re.Pattern[str], re.Pattern[str]]]:
        return [(self._any((asks,)), self.pattern(shape)) for asks, shape in self.answers.items()]

    @cached_property
    def _works(self) -> re.Pattern[str] | None:
        begins = rf"(?:{self.polite})*" if self.polite else ""
        return re.compile(f"{begins}{self._any(self.works).pattern}") if self.works else None

    @cached_property
    def _asks(self) -> list[tuple[Kind, re.Pattern[str]]]:
        return [(kind, self._any(patterns)) for kind, patterns in self.asks.items()]

    @cached_property
    def _holds(self) -> dict[Kind, re.Pattern[str]]:
        found: dict[Kind, re.Pattern[str]] = {
            kind: re.compile(_IN_ANY_LANGUAGE.get(kind, "") + self._any(words).pattern, re.IGNORECASE)
            for kind, words in self.holds.items()
            if kind != "person"
        }
        if "person" in self.holds:
            found["person"] = re.compile("|".join(self.holds["person"]))
        elif self.capitals == "names" and self.is_known:
            found["person"] = _WITHIN
        return found

    def _any(self, patterns: "tuple[str, ...] | frozenset[str]") -> re.Pattern[str]:
        """One of `patterns` as a whole word; anywhere in a text without spaces."""
        alternatives = "|".join(sorted(patterns))
        if self.code in ("ja", "zh"):
            return re.compile(rf"(?:{alternatives})")
        return re.compile(rf"(?<!\w)(?:{alternatives})(?!{LETTER})")


_WITHIN = re.compile(r"(?<=[\w,;»”\"] )[A-ZÀ-ÖØ-ÞĀĂĄĆČĐĒĘĚĞĪĮİŁŃŇŌŐŘŚŞŠŢŤŪŮŰŹŻŽƠƯА-ЯЁЄІЇҐΑ-Ω]\w+")
"""A word with a capital that does not begin a sentence."""


@cache
def table(code: str) -> Language:
    """The table of a language by its ISO 639-1 code; one with the defaults if there is no file."""
    file = _FOLDER / f"{code}.toml"
    if code not in known_codes():
        return Language(code=code, stemmer=_STEMMERS.get(code, ""))
    read = tomllib.loads(file.read_text(encoding="utf-8"))
    found = Language(code=code, **read)
    return found.model_copy(update={"function_words": found.function_words | found.stop_words})


@cache
def known_codes() -> tuple[str, ...]:
    """The ISO 639-1 codes of the languages that have a table."""
    return tuple(sorted(file.stem for file in _FOLDER.glob("*.toml")))
