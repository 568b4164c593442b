"""Questions near a text that the text does not answer: a visitor asks them, and no note holds the answer."""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.dataset.teachers.extractive.phrases import ends_in_name, holds_name
from pipeline.dataset.teachers.extractive.text import Text


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort of things that people ask alike about."""

    evidence: re.Pattern[str]
    """Words of texts about such things; a text needs two different ones."""
    frames: tuple[tuple[str, str], ...]
    """A question about `{x}`, and words of a text that may answer it."""


_PLACE = Sort(
    re.compile(
        r"\b(?:moved to|liv(?:e|ing) in|apartment|city|town|downtown|weather|visited|neighbou?rhood|mountains?)\b"
    ),
    (
        ("Where do you like to eat in {x}?", r"eat|restaurant|food|lunch"),
        ("What is the weather like in {x}?", r"weather|rain|sunn?y?\b|snow|cold|hot\b|warm"),
        ("How expensive is a flat in {x}?", r"rent|apartment|flat|house|price"),
        ("Do you have friends in {x}?", r"friend|family|know people"),
        ("Which museum should I see in {x}?", r"museum|sights?"),
    ),
)
_HARDWARE = Sort(
    re.compile(
        r"\b(?:bought|purchased|battery|screen|keyboard|camera|drives?|laptop|console|printer|hardware|mouse|display|handheld|phone"
        r"|headset|controller|buttons?|USB|speakers?|sensor|lens|machine|device)\b"
    ),
    (
        ("Where did you buy {x}?", r"bought|buy|ordered|purchased|amazon|store|shop"),
        ("How much did you pay for {x}?", r"[$€£]|paid|pay\b|price|cost|cheap|expensive"),
        ("How heavy is {x}?", r"heav|weigh|light\b|grams?|pounds?"),
        ("How long is the warranty of {x}?", r"warrant|guarantee|years?"),
        ("Does {x} come in other colours?", r"colou?r|black|white|red\b|blue"),
        ("Can I repair {x} at home?", r"repair|replac|fix|screw|broke"),
        ("How loud is {x}?", r"loud|nois|quiet|silent|fan\b"),
        ("Would you give {x} to a child?", r"child|kid|son|daughter|age"),
        ("When will the successor of {x} come out?", r"next|successor|upcoming|future|20[2-9]\d"),
    ),
)
_SOFTWARE = Sort(
    re.compile(
        r"\b(?:install\w*|config\w*|version|packages?|plugins?|servers?|commands?|editor|library|framework|database|script|release"
        r"|repository|source code|open source)\b",
        re.IGNORECASE,
    ),
    (
        ("Which version of {x} did you start with?", r"version|v?\d+\.\d"),
        ("Does {x} also run on a Raspberry Pi?", r"raspberry|arm\b|\bpi\b"),
        ("Is there an app for {x} on phones?", r"phone|mobile|android|ios\b|app\b"),
        ("How long did it take you to learn {x}?", r"learn|took|weeks?|months?|hours?"),
        ("Who first told you about {x}?", r"told|heard|friend|recommend|discover|found"),
        ("Which book about {x} would you recommend?", r"book|read\b|documentation"),
        ("What does {x} cost for a company?", r"cost|price|licen|free\b|pay|[$€]"),
        ("Does {x} work without an internet connection?", r"offline|internet|connect|network|online"),
        ("Is there a good course on {x}?", r"course|learn|tutorial|class"),
        ("How many people use {x}?", r"users?\b|people|million|popular"),
    ),
)
_DEED = Sort(
    re.compile(""),
    (
        ("Is there a video that shows {x}?", r"video|watch|screencast|youtube"),
        ("What went wrong when you first tried {x}?", r"first|mistake|wrong|fail|error"),
        ("Which book explains {x}?", r"book|chapter|manual"),
    ),
)
_FOOD = Sort(
    re.compile(
        r"\b(?:oven|pan\b|bowl|simmer|boil|bake|fry|stir|knead|dough|flour|butter|salt|pepper|sugar|garlic|onions?|tsp|tbsp|teaspoons?"
        r"|tablespoons?|cups?|ingredients|recipe|tasty|delicious|sauce)\b"
    ),
    (
        ("How many calories does {x} have?", r"calor|kcal"),
        ("Can I freeze {x}?", r"freez|frozen"),
        ("Which wine goes with {x}?", r"wine|beer|drink"),
        ("How long does {x} keep in the fridge?", r"fridge|refrigerat|days?\b|keep"),
        ("Is there a vegan version of {x}?", r"vegan|vegetarian"),
        ("Who taught you to make {x}?", r"taught|mother|grandmother|learn|family"),
        ("Do children like {x}?", r"child|kids?\b"),
        ("What does it cost to make {x}?", r"cost|cheap|price|[$€£]"),
    ),
)
_PRODUCT = Sort(
    re.compile(""),
    (
        ("Does {x} also run on a Raspberry Pi?", r"raspberry|arm\b|\bpi\b"),
        ("Is there an app for {x} on phones?", r"phone|mobile|android|ios\b|app\b"),
        ("What does {x} cost for a company?", r"cost|price|licen|free\b|pay|[$€]"),
        ("Is there a good course on {x}?", r"course|learn|tutorial|class"),
        ("How many people use {x}?", r"users?\b|people|million|popular"),
        ("Who maintains {x}?", r"maintain|team|author|develop"),
        ("When did {x} first come out?", r"releas|19\d\d|20\d\d|since"),
        ("Which company is behind {x}?", r"company|inc\b|by [A-Z]"),
    ),
)
_CODE = Sort(
    re.compile(""),
    (
        ("Since which version is there {x}?", r"version|v\d|since|deprecat"),
        ("Will {x} be removed some day?", r"deprecat|remov|obsolete"),
        ("Who came up with the name {x}?", r"name"),
        ("Is {x} any slower on Windows?", r"windows|slow|fast|perform"),
    ),
)
_GUIDE = Sort(
    re.compile(""),
    (
        ("Is there a video about {x}?", r"video|watch|screencast|youtube"),
        ("Which book explains {x} well?", r"book|chapter|manual"),
        ("Is there a course on {x}?", r"course|tutorial|class|training"),
        ("Where can I ask other people about {x}?", r"forum|discord|community|reddit|support|chat|slack"),
        ("What mistakes do beginners make with {x}?", r"mistake|beginner|newcomer|wrong"),
        ("What is the history of {x}?", r"histor|19\d\d|20\d\d|since|first"),
    ),
)
_LIVED = Sort(
    re.compile(r"\b(?:your|lessons?|years?|months?|decade|story|review)\b"),
    (
        ("What did your family say about {x}?", r"family|wife|husband|partner|parents|girlfriend|boyfriend"),
        ("Have you ever given a talk about {x}?", r"talk|conference|meetup|presented"),
        ("Is there a video in which you speak about {x}?", r"video|youtube|screencast"),
        ("Did a newspaper write about {x}?", r"newspaper|press|journalist|magazine"),
        ("Did you speak about {x} in a podcast?", r"podcast|episode|interview"),
    ),
)
"""What an author lived through: `your sixth year as a founder`. There is no course on it and no book."""
_ANY = Sort(
    re.compile(""),
    (
        ("When did you first hear about {x}?", r"first|ago\b|since|years?|20\d\d"),
        ("What do your friends think of {x}?", r"friends?|family|people"),
        ("Have you ever given a talk about {x}?", r"talk|conference|meetup|presented"),
        ("How many hours a week do you spend on {x}?", r"hours?|week|daily|every day|time\b"),
        ("Who taught you what you know about {x}?", r"taught|teach|learn|school|course"),
        ("Which podcast about {x} do you listen to?", r"podcast|radio|listen"),
        ("What are your plans with {x} for next year?", r"next year|plan|future|going to|soon"),
        ("Is there a forum where I can ask about {x}?", r"forum|discord|community|reddit|support|chat"),
    ),
)


_NAME = re.compile(r"(?:the )?[A-Z][\w.+-]*(?: [A-Z\d][\w.+-]*){0,2}|[a-z]+[A-Z]\w*|[a-z]+ \d[\w.]*")
_PERSONAL = re.compile(r"(?<!do )(?<!can )(?<!should )\b(?:I|I'm|I've|I'd|I'll|my)\b")


def refusal_questions(about: str, text: Text) -> Iterator[str]:
    """Yields questions about `about` for which the text has no hint of an answer, in an order that depends on the text.

    Args:
        about: a noun phrase that the text is about.
    """
    said = text.whole.casefold()
    for frame, hints in sorted(
        _sort(about, text.whole).frames, key=lambda frame: zlib.crc32(f"{frame[0]}{text.source.text}".encode())
    ):
        if not re.search(rf"(?<!\w)(?:{hints})", said):
            yield frame.replace("{x}", about)


def is_of_cooking(text: str) -> bool:
    """Whether the text is about food, by its words."""
    return len(set(_FOOD.evidence.findall(text.casefold()))) >= 4


def _sort(about: str, said: str) -> Sort:
    """What `about` is, by the words of the text. Who writes no word about themselves is asked nothing about their life."""
    if is_of_cooking(said):
        return _FOOD
    if not _PERSONAL.search(said) and about.startswith("your "):
        return _LIVED
    if not _PERSONAL.search(said):
        if about[0] == "`":
            return _CODE
        is_product = _NAME.fullmatch(about) and ends_in_name(about) and said.count(about.removeprefix("the ")) > 2
        return _PRODUCT if is_product else _GUIDE
    if re.match(r"[a-z]+ing \S", about):
        return _DEED
    if " " in about and _LIVED.evidence.search(about) and not ends_in_name(about):
        return _LIVED
    is_thing = holds_name(about.removeprefix("the ").removeprefix("your ")) and not re.match(
        r"\w+ing |.*(?: and | on | with | in )", about
    )
    found = [(len(set(sort.evidence.findall(said))), sort) for sort in (_PLACE, _HARDWARE, _SOFTWARE)]
    most, sort = max(found, key=lambda one: one[0])
    return sort if most >= 2 and is_thing else _ANY
