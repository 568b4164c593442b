"""Questions about a document that its text does not answer."""

import re
import zlib
from collections.abc import Iterator, Sequence

from pipeline.dataset.teachers.extractive.text import Text

_OF_DOCUMENT = (
    ("Who proofread {t} before you published it?", r"proofread|edit(?:ed|or)|review"),
    ("How many people read {t} in its first week?", r"reader|visitor|view|audience|week|reads?\b"),
    ("Which music did you listen to while you wrote {t}?", r"music|song|listen|album|spotify"),
    ("What was the weather like on the day you wrote {t}?", r"weather|rain|sunn?y?\b|snow|cold|hot\b|warm"),
    ("How long did it take you to write {t}?", r"hours?|minutes?|days?\b|took|evening|spent"),
    (
        "What did your family say when they read {t}?",
        r"family|mother|father|parents|wife|husband|brother|sister|mom|dad",
    ),
    ("Which phone number can I call with questions about {t}?", r"phone|call|contact|support"),
    ("Where can I meet you to talk about {t}?", r"address|street|visit|live|meet"),
    ("How much money have you earned with {t}?", r"earn|money|paid|revenue|income|[$€]|sell|sold"),
    ("Into which languages has {t} been translated?", r"translat|language"),
    ("What is your favourite colour, and does it show in {t}?", r"colou?r|favou?rite"),
    ("Which book inspired you to write {t}?", r"book|inspir|novel|author"),
    ("Who paid you to write {t}?", r"paid|pay|sponsor|client|employ"),
    ("When will you give a talk about {t}?", r"talk|conference|meetup|speak|present"),
    ("Which newspaper reported on {t}?", r"newspaper|news\b|press|journal|magazine"),
    ("How many pages would {t} fill in print?", r"pages?|print"),
    ("Which podcast invited you to speak about {t}?", r"podcast|radio|interview"),
    ("What would you write differently in {t} today?", r"today|differ|mistake|regret|hindsight|update"),
)
_OF_NAME = (
    ("You mention {x} in {t}. Who invented it?", r"invent|creat|found|made by|develop|built"),
    ("In {t} you name {x}. Who first told you about it?", r"told|heard|recommend|friend|suggest"),
    ("How many people in the world use {x}, which you mention in {t}?", r"million|people|users|world"),
    ("What did {x} cost in its first year? You speak of it in {t}.", r"cost|price|[$€]|free|cheap|expensive|money"),
    ("In {t} stands {x}. Where does that name come from?", r"name|called|named after|stands for"),
    ("Which school taught you about {x}, as in {t}?", r"school|college|university|class|taught|learn"),
    ("When exactly did you first hear of {x}, which you mention in {t}?", r"first|ago|since|year|20\d\d"),
    ("Who do I call when {x} from {t} breaks?", r"call|support|contact|repair|broke|help"),
)


def refusal_questions(title: str, names: Sequence[str], text: Text) -> Iterator[str]:
    """Yields questions for which the text has no hint of an answer, in an order that depends on the text.

    Args:
        title: the document's title in quotation marks.
        names: names in the text; the first one is asked about.
    """
    said = text.whole.casefold()
    asked = [*_OF_DOCUMENT, *((frame.replace("{x}", name), hints) for name in names[:1] for frame, hints in _OF_NAME)]
    for frame, hints in sorted(asked, key=lambda frame: zlib.crc32(f"{frame[0]}{text.source.text}".encode())):
        if not re.search(rf"(?<!\w)(?:{hints})", said):
            yield frame.replace("{t}", title)
