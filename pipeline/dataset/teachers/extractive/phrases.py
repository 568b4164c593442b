"""Finds English noun phrases by patterns, and words them for another person."""

import re
from dataclasses import dataclass

from pipeline.text.function_words import FUNCTION_WORDS

_ADVERB = r"(?:just|also|even|still|always|often|now|then|never|very|quite|pretty|so|too|kind of|already|once|ever|almost|first|soon|\w+ly)\s+"
ADVERBS = rf"(?:{_ADVERB})*"
BE = ("is", "are", "was", "were")
AUXILIARIES = frozenset(
    "is are was were has have had can could will would should does do did may might must isn't aren't wasn't weren't"
    " hasn't haven't can't won't doesn't don't didn't couldn't wouldn't shouldn't feels feel looks look seems seem sounds works"
    " makes runs comes goes gets takes keeps lets turns stays became made ran came went got took kept".split()
)
TRANSITIVE = (
    "use support provide include allow require store write show give mean need contain hold offer measure name list print return"
    " create add tell find send start bring cover produce take launch introduce replace combine handle"
    " change solve reduce improve prevent cause enable load install generate build remove accept affect connect ask answer"
).split()
_NOT_IN_TOPIC = frozenset(
    """whereas news sometimes often usually now today tomorrow yesterday last almost between during among within against despite i you we he she it they me us them him this that these those there here who which what when where why how if while because as than
    then although though unless until since after before and or but so not no never is are was were be been has have had do does did can
    could will would should may might must to everyone everything anything someone something nothing anyone nobody all none one ones lot
    more less most much many few some any both either neither another other such same very too just also only even thing things way
    case reason rest result aim bit bunch kind sort number issue problem complaint goal plan point myself yourself let lets let's it's i'm i've i'd i'll that's what's there's""".split()
)
_ENDS = re.compile(
    r"\s*(?:[.,;:!?](?=\s|$)|[—–(\"“”]|\s-\s|\b(?:but|because|since|when|while|as|which|that|who|if|so|even|though|although|despite|and|or|than|after|before"
    r"|where|until|unless|whenever|instead|anymore|too|either|anyway|over|more|most|very|really|enough|now|today|yet|again|already|at all|a lot|so far|much|in general|overall|at this point|lately|recently|is|are|was|were|in particular|well|myself)\b).*$",
    re.DOTALL,
)
BACK = re.compile(
    r"\b(?:it|its|this|that|these|those|them|they|their|he|she|his|her|one|ones|here|there|so|same|both|such|following|above|below)\b",
    re.IGNORECASE,
)


BROKEN = re.compile(
    r"(?:^| )(?!(?:of|for|in|on|with|from|at|to|by|like|and|or|about|into|than|under|over|between|through|via|per|as|all|both|behind"
    r"|without|around)\b)[\w'’-]+ (?:the|an?|my|our|your) |[ ](?:per|via|the|an?)$|^(?-i:[A-Z]\w* [a-z]+s [A-Z])"
    r"|[“”„«»]|://| (?:added|said|says|wrote)$",
    re.IGNORECASE,
)
"""An article without a preposition before it stands after a verb: `the thermometer ensures the chicken`. So does a name
after a verb: `GitHub describes Copilot`."""
_OF_TEXT = re.compile(r"\bthe (?:text|passage|page|post|note|article|author|section|guide|paragraph)\b", re.IGNORECASE)
"""In a question these words would refer to the text itself."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A noun phrase that can be asked about."""

    words: str
    """The phrase as another person says it: `your` for `my`."""
    is_name: bool
    plural: bool


def _third_person(verb: str) -> str:
    if verb.endswith("y") and verb[-2] not in "aeou":
        return f"{verb[:-1]}ies"
    return f"{verb}{'es' if verb.endswith(('s', 'sh', 'ch', 'x')) else 's'}"


THIRD_PERSON = {_third_person(verb): verb for verb in TRANSITIVE}


_NOUNS_TOO = frozenset(
    "answers builds calls causes changes covers finds lists loads measures names offers prints results returns shows starts stores".split()
)
_OBJECT = re.compile(
    r"(?:the|an?|my|our|your|its|their|all|any|some|more|no|both|each|every|only|what|how|that|this|these|one|two|three)\b|[`\"“\d]"
)
"""How an object begins: `Node.js builds take …` has none."""


def subject(sentence: str, known: str) -> tuple[Topic, str, str] | None:
    """Topic, verb and rest of a sentence that begins with its subject; None if no pattern fits.

    Args:
        known: the whole text, which shows how a word is written inside a sentence.
    """
    tokens = sentence.split()
    for position, token in enumerate(tokens[:8]):
        word = token.lower().strip("“”\"'")
        # What stands before a bare verb is its subject only in the plural: `Models need memory`, but not `My first use`.
        is_verb = word in AUXILIARIES or word in THIRD_PERSON
        following = tokens[position + 1].lower() if position + 1 < len(tokens) else ""
        # `Bullet lists should …`: what looks like a verb is a noun before one.
        is_noun = word in THIRD_PERSON and (
            following in AUXILIARIES or (word in _NOUNS_TOO and not _OBJECT.match(following))
        )
        if position and not is_noun and (is_verb or (word in TRANSITIVE and _is_plural(tokens[:position]))):
            while position > 1 and re.fullmatch(_ADVERB, f"{tokens[position - 1]} "):
                position -= 1
            topic = _topic(tokens[:position], known)
            return (topic, word, " ".join(tokens[tokens.index(token, position) + 1 :])) if topic else None
        if word in _NOT_IN_TOPIC or token[-1] in ",;:.!?—" or token in ("-", "–", "—"):
            return None
    return None


def topic(phrase: str) -> Topic | None:
    """The noun phrase at the beginning of `phrase`; None if it is not clear without its context."""
    phrase = _ENDS.sub("", phrase).strip()
    tokens = phrase.split()
    if (
        not 1 <= len(tokens) <= 7
        or BACK.search(phrase)
        or BROKEN.search(phrase)
        or _OF_TEXT.search(phrase)
        or not re.match(r"\.?[\w`]", phrase)
    ):
        return None
    if any(token.lower() in _NOT_IN_TOPIC for token in tokens) or re.search(r"\b(?:I|me|you|we)\b", phrase):
        return None
    if re.search(r"['’](?:ll|d|re|ve|m)\b|n['’]t\b", phrase) or tokens[0][0].isdigit():
        return None
    if tokens[-1].lower() in FUNCTION_WORDS or re.fullmatch(r"\w+ly", tokens[-1]):
        return None
    if tokens[0] in FUNCTION_WORDS - {"the", "my", "our", "your", "every"}:
        return None
    return Topic(yours(phrase), ends_in_name(phrase), _is_plural(tokens))


@dataclass(frozen=True, slots=True)
class Thing:
    """A noun phrase at the beginning of a text."""

    topic: Topic
    written: str
    """As it stands there."""


_PREPOSITION = re.compile(
    r"\s(?:with|from|on|at|to|in|by|into|onto|via|using|for|over|through|without|around|under|like|about|out|off|this|that|last)\s.*",
    re.DOTALL,
)


def thing(text: str) -> Thing | None:
    """The noun phrase at the beginning of `text`, without what a preposition adds to it; None if it is not clear.

    Other than in `topic`, `a new lathe` is such a phrase.
    """
    written = _PREPOSITION.sub("", _ENDS.sub("", text)).strip()
    bare = re.sub(r"^(?:an?|some|another|two|three|four|five|several) (?=\w)", "", written)
    found = topic(bare)
    if not found or len(written.split()) > 6:
        return None
    if bare != written:
        opening = written[: len(written) - len(bare)]
        found = Topic(f"{opening}{found.words}", found.is_name and holds_name(bare), found.plural)
    elif not re.match(r"(?:the|my|our|your|its|\d|[A-Z`])", written) and not found.plural and not holds_name(written):
        return None
    return Thing(found, written)


def yours(phrase: str) -> str:
    """The author's words as used in a question to the author: `your` for `my`."""
    phrase = re.sub(r"\b(?:my|our)\b", "your", phrase, flags=re.IGNORECASE)
    return re.sub(r"\bme\b", "you", re.sub(r"\bmyself\b", "yourself", phrase))


def asked_by_reader(phrase: str) -> str:
    """Words to the reader as used in the reader's question: `my` for `your`."""
    phrase = re.sub(r"\byour\b", "my", phrase)
    phrase = re.sub(r"\byourself\b", "myself", phrase)
    return re.sub(r"\byou\b", "I", re.sub(r"\byou(?:'re| are)\b", "I am", phrase))


_MARKED_NAME = re.compile(
    r"(?<=[a-z0-9,;:)] )(?:\.?[A-Z][\w.+-]*[\w+]|[a-z]+[A-Z]\w*)(?: (?:[A-Z][\w.+-]*[\w+]|[a-z]?\d[\w.]*))*"
)
_NO_NAMES = frozenset(
    "I I'm January February March April May June July August September October November December Monday Tuesday Wednesday Thursday Friday"
    " Saturday Sunday Gbps Mbps OK TL;DR Yes No The This That It A An My You We Also But And So If When English American".split()
)


def named(sentence: str) -> list[str]:
    """The names inside the sentence, in order. A name at its beginning is not recognised."""
    first = sentence.split()[0]
    begins = (
        bool(re.match(r"[A-Z]", first)) and first.lower() not in FUNCTION_WORDS and not re.search(r"(?:ly|,)$", first)
    )
    # In `Control Panel` at the beginning of a sentence, `Panel` is only half a name.
    found = [
        hit[0].rstrip(".") for hit in _MARKED_NAME.finditer(sentence) if not (begins and hit.start() == len(first) + 1)
    ]
    return [name for name in dict.fromkeys(found) if _is_known(name)]


def _is_known(name: str) -> bool:
    return name.split()[0] not in _NO_NAMES and len(name) > 2 and not re.search(r"-[a-z]+$", name)


def _topic(tokens: list[str], known: str) -> Topic | None:
    phrase = " ".join(tokens)
    first = tokens[0]
    if (
        len(tokens) > 6
        or any(token.lower().strip('“”"') in _NOT_IN_TOPIC for token in tokens)
        or BACK.search(phrase)
        or BROKEN.search(phrase)
        or _OF_TEXT.search(phrase)
    ):
        return None
    if len(tokens) > 1 and first.lower() in ("the", "a", "an", "my", "our", "your", "every", "each"):
        opening = "my" if first.lower() == "your" else yours(first.lower())
        words = f"{opening} {yours(' '.join(tokens[1:]))}"
        return Topic(words, ends_in_name(words), _is_plural(tokens))
    if first.lower() in FUNCTION_WORDS or re.fullmatch(r"\w+ly|\w+ing", first) or tokens[-1].lower() in FUNCTION_WORDS:
        return None
    lowered = " ".join((first.lower(), *tokens[1:]))
    is_name = (
        first[0] == "`"
        or first[0].islower()
        or bool(re.search(r"\d|[A-Z]", first[1:]))
        or (len(tokens) > 1 and bool(re.match(r"[A-Z][a-z]|\d", tokens[1])))
        or bool(re.search(r"['’]s$", first))
        or known.split("\n")[0] == first
        or bool(re.search(rf"(?<=[a-z,;] ){re.escape(first)}\b", known))
    )
    # `Battery life` can't be a name, for its second word would have a capital too.
    is_common = len(tokens) > 1 and tokens[1].islower() and tokens[1] not in FUNCTION_WORDS
    if not is_name and not is_common and not re.search(rf"(?<=[\w,;] ){re.escape(first.lower())}\b", known):
        return None
    phrase = phrase if is_name else lowered
    return Topic(phrase, ends_in_name(phrase), _is_plural(tokens))


def holds_name(phrase: str) -> bool:
    """Whether `phrase` contains a name: code, a capital, a digit or a mixed-case word."""
    return bool(re.search(r"`[^`]+`|\b[A-Z]\w*[A-Za-z0-9]\b|\b\w*\d\w*\b|\b[a-z]+[A-Z]", phrase))


def ends_in_name(phrase: str) -> bool:
    """Whether `phrase` is the name of a thing. `the new CSS stuff` is not: only the text calls it so."""
    words = phrase.split()
    # Only readers of the text know `XP` and `the Index`.
    if re.fullmatch(r"`?[A-Z]{1,4}s?`?", words[-1]) or (
        len(words) == 2 and words[0] in ("the", "your") and words[1].istitle()
    ):
        return False
    return holds_name(words[-1]) or phrase.endswith("`")


_SINGULAR = frozenset("windows css dns ios macos os https sass".split())


def _is_plural(tokens: list[str]) -> bool:
    """Whether the word before the first preposition is a plural: `the pages of the site`."""
    core = tokens
    for position, token in enumerate(tokens):
        if position and token in ("of", "for", "in", "on", "with", "from", "at", "to", "like"):
            core = tokens[:position]
            break
    return bool(re.search(r"(?<![sSuUIi'])s$", core[-1])) and core[-1].lower() not in _SINGULAR
