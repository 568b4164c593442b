"""Finds answers that speak of the author as of somebody else, where the author should speak."""

import re
from collections.abc import Iterator, Sequence

from pipeline.dataset.filters.evidence import PairEvidence, evidence_of
from pipeline.dataset.filters.leftovers import prose, without_blocks
from pipeline.dataset.records import Candidate
from pipeline.text.function_words import FUNCTION_WORDS
from pipeline.text.pieces import split_sentences
from pipeline.text.words import words

_FIRST_PERSON = re.compile(r"\b(?:I|I'm|I've|my|me|mine|myself)\b")
_AUTHOR = re.compile(
    r"\b(?:the|this) (?:author|writer|blogger|narrator|person|poster|(?:site|blog|website|page|post|article)(?:'s)? (?:owner|author|writer|creator)"
    r"|(?:owner|author|writer|creator|person behind) (?:of )?(?:the|this) (?:site|blog|website|page|post))(?:'s)?\b"
    r"|\b(?:the|this) (?:maker|builder|developer|engineer|programmer|designer|founder|teacher|cook|baker|gardener|photographer|interviewer|runner"
    r"|travell?er|cyclist|hiker|musician|pianist|beekeeper)(?:'s)?\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"(?:^|^(?:In|At|On|After|Before|Since|Over|During|For|With)\b[^,]{1,40}, |^(?:Because|Now|Yes,?|No,?|Today|Usually) "
    r"|[,;]\s+(?:and|but|so|because|as|where)?\s*)(he|she|his|her)\b(?!\s*[/(])|^(?:It (?:took|cost|gave)|According to) (him|her|them)\b",
    re.IGNORECASE,
)
_NOUN = re.compile(r"\b(?:the|this) (?:[a-z]+(?:er|or|ist)|narrator|owner|cook)\b", re.IGNORECASE)
"""Who may be the author, if the text has the same words around `I`: `the developer`, `the baker`."""
_AS_ONE = "theauthor"
_SUBJECTS = frozenset(("they", "he", "she", _AS_ONE))
_OWN = {"their": ("my",), "them": ("me",), "his": ("my",), "him": ("me",), "her": ("my", "me")}
_SHORT = {
    "has": ("i've",),
    "have": ("i've",),
    "is": ("i'm",),
    "are": ("i'm",),
    "had": ("i'd",),
    "would": ("i'd",),
    "will": ("i'll",),
}
_PLAIN = {"has": "have", "is": "am", "are": "am", "does": "do", "were": "was"}
_WINDOWS = ((0, 3), (1, 2), (2, 1), (3, 0), (0, 2), (1, 1))
"""How many words before and behind a pronoun are compared with the text."""
_SOMEBODY = re.compile(r"\b(?:he|she|him|her|his|hers)\b", re.IGNORECASE)
_PERSON = re.compile(
    r"\b(?:who|wife|husband|spouse|partner|(?:grand|god|step)?(?:mother|father|son|daughter|ma|pa)|mom|mum|mommy|dad|daddy|sister|brother|aunt|uncle|cousin"
    r"|niece|nephew|(?:boy|girl)?friend|boss|manager|colleague|co-?worker|teacher|professor|mentor|coach|doctor|nurse|neighbou?r|land(?:lord|lady)"
    r"|roommate|child|kid|baby|boy|girl|man|woman|guy|lady|customer|client|student|dog|cat|puppy|developer|designer|engineer|founder|writer|author"
    r"|director|singer|player|painter|speaker|photographer|programmer|maintainer|user|reader|CEO|[a-z]+ist)\b",
    re.IGNORECASE,
)
"""Words for whom `he` and `she` may stand."""
_NAME_WITHIN = re.compile(r"(?<=[\w,] )[A-Z][a-z]+")
_INTRODUCED = re.compile(
    r"\b(?:I'm|I am|[Mm]y name is|[Mm]y name's) (?P<name>[A-Z][^\W\d_]+(?: [A-Z][^\W\d_]+)?)(?=[,.!]| and I\b)"
)
_NATIONAL = re.compile(r".*(?:ish|ese|[ei]an|ic|man|ench|utch|wiss)$")
_YOU = re.compile(r"\byour?\b", re.IGNORECASE)
_ASKED_FOR_NAME = re.compile(r"\bwho (?:are you|is behind)|\byour (?:\w+ )?name|\bcall you\b", re.IGNORECASE)
_TITLES = frozenset("Mr. Mrs. Ms. Dr. Mr Mrs Ms Dr Prof. Herr Frau Monsieur Madame M. Mme".split())


def third_person(candidate: Candidate) -> str:
    """The reason to refuse an answer that names the author, or says "the author" or "he", where "I" should stand; or ""."""
    if candidate.pair.kind == "refusal":
        return ""
    evidence = evidence_of(candidate.sources)
    text = "\n".join(source.text for source in candidate.sources).replace("’", "'")
    question = candidate.pair.question
    named = f"{candidate.text}\n{question}"
    speaks = _FIRST_PERSON.search(text) is not None
    names = [] if _ASKED_FOR_NAME.search(question) else [*filter(None, (candidate.author, _introduced(text)))]
    before = question
    for sentence in split_sentences(prose(candidate.pair.answer).replace("’", "'")):
        if not evidence.says(sentence):
            hit = next(filter(None, (_own_name(sentence, name) for name in names)), "")
            if not hit and speaks:
                hit = _new(_AUTHOR, sentence, named)
            if not hit and (speaks or _YOU.search(question)):
                hit = _somebody(sentence, before, text)
            if hit:
                return _says(hit)
        before = f"{before} {sentence}"
    # Also within quotation marks: the text shows what stood there.
    own = split_sentences(without_blocks(candidate.pair.answer)) if speaks else []
    return next((_says(hit) for sentence in own if (hit := _for_the_authors(sentence, evidence))), "")


def _says(hit: str) -> str:
    return f"the answer speaks of the author as “{hit}”, not as “I”"


def _for_the_authors(sentence: str, evidence: PairEvidence) -> str:
    """A word for somebody else where the text has the same words around `I` or `my`."""
    said = words(_NOUN.sub(_AS_ONE, sentence))
    for place, word in enumerate(said):
        for mine, skipped in _mine(word, said[place + 1 : place + 2]):
            after = said[place + 1 + skipped :]
            for before, behind in _WINDOWS:
                window = (*said[max(0, place - before) : place], *mine, *after[:behind])
                is_new = not evidence.has(said[max(0, place - before) : place + 1 + behind])
                # `their partner says` is said of the author, where the text has `my partner says`.
                told = len(window) > 3 or (
                    word in _OWN and behind and _PERSON.fullmatch(after[0].removesuffix("'s") if after else "")
                )
                if len(window) > 2 and told and is_new and evidence.has(window):
                    return "the author" if word == _AS_ONE else word
    return ""


def _mine(word: str, following: Sequence[str]) -> Iterator[tuple[tuple[str, ...], int]]:
    """The words in the first person for which `word` may stand, and how many of the following words they include."""
    if word in _OWN:
        yield from (((mine,), 0) for mine in _OWN[word])
    elif word in _SUBJECTS:
        yield from (((mine,), 0) for mine in ("i", "i've", "i'm", "i'd", "i'll"))
        for verb in following:
            yield from (((mine,), 1) for mine in _SHORT.get(verb, ()))
            # `he likes`
            yield ("i", _PLAIN.get(verb, verb.removesuffix("s"))), 1


def _own_name(sentence: str, author: str) -> str:
    """The author's name in `sentence`, unless it introduces the author or belongs to somebody with another surname."""
    first, *rest = author.split()
    # Also the surname alone: `Falk writes`.
    rest_alone = rf"|{re.escape(rest[-1])}" if rest and len(rest[-1]) > 2 else ""
    whole = rf"(?:{re.escape(first)}(?:\s+{re.escape(' '.join(rest))})?{rest_alone})" if rest else re.escape(first)
    for hit in re.finditer(rf"(?<![\w@./-]){whole}(?![\w@/-]|\.\w)", sentence):
        before, after = sentence[: hit.start()], sentence[hit.end() :]
        introduced = re.search(
            r"\b(?:I'm|I am|me|name is|name's|called|named|known as|©)\s*[“\"]?$", before, re.IGNORECASE
        )
        *_, last = ("", *before.split())
        is_other_name = (
            last[:1].isupper() and last.isalpha() and last.lower() not in FUNCTION_WORDS and last not in _TITLES
        )
        somebody_else = re.match(r"\s+[A-Z][a-z]", after) or is_other_name
        if not introduced and not somebody_else and not _FIRST_PERSON.search(sentence):
            return hit[0]
    return ""


def _new(pattern: re.Pattern[str], sentence: str, known: str) -> str:
    hit = pattern.search(sentence)
    return hit[0] if hit and hit[0].casefold() not in known.casefold() else ""


def _introduced(text: str) -> str:
    """The author's name, if the text gives it: `I'm Tomasz, a developer`."""
    found = (hit["name"] for hit in _INTRODUCED.finditer(text))
    return next((name for name in found if not _NATIONAL.fullmatch(name)), "")


def _somebody(sentence: str, before: str, text: str) -> str:
    """He or she where only the author can be meant, as nobody else was spoken of.

    Args:
        before: the question and the answer's sentences before this one.
    """
    hit = _PRONOUN.search(sentence)
    if hit is None or _FIRST_PERSON.search(sentence):
        return ""
    spoken_of = f"{before} {sentence[: hit.start(hit.lastindex or 0)]}"
    if _PERSON.search(spoken_of) or _SOMEBODY.search(spoken_of):
        return ""
    others = _SOMEBODY.search(text) and (_NAME_WITHIN.search(spoken_of) or not _YOU.search(before))
    return "" if others else hit[hit.lastindex or 0]
