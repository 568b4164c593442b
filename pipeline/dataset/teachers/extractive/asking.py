"""Finds by patterns the question that an English sentence answers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.dataset.teachers.extractive.phrases import (
    ADVERBS,
    AUXILIARIES,
    BACK,
    BE,
    THIRD_PERSON,
    TRANSITIVE,
    Topic,
    asked_by_reader,
    ends_in_name,
    holds_name,
    subject,
    topic,
    yours,
)
from pipeline.text.function_words import FUNCTION_WORDS

_GOOD_OR_BAD = (
    "amazing awesome welcome great terrible horrible awful beautiful ugly perfect fantastic excellent incredible impressive annoying frustrating"
    " painful fun boring nice weird silly cool neat bad best worst wonderful disappointing useful useless clunky cute sad scary"
    " love loved interesting stupid crazy ridiculous lovely brilliant poor garbage crap sucks better worse favorite favourite enjoyable"
    " comfortable unusable pleasant surprising fine good overrated underrated gorgeous hilarious mess"
).split()
_JUDGES = re.compile(rf"\b(?!best practice)(?:{'|'.join(_GOOD_OR_BAD)})\b", re.IGNORECASE)
_FEELS = re.compile(
    rf"\b(?:I|we)(?:'m|'ve|'d|'ll|\s+am|\s+have|\s+would|\s+do|\s+don't|\s+did|\s+didn't|\s+was|\s+can't|\s+couldn't)?\s+{ADVERBS}"
    r"(?:like(?! to)|liked|love|loved|hate|hated|prefer|preferred|enjoy|enjoyed|enjoying|dislike|miss|appreciate|appreciated|recommend|regret|think|believe|feel|find|hope"
    r"|wish|doubt|happy|glad|excited|disappointed|impressed|surprised|tired|annoyed|worried|sure|not sure|curious|amazed|wait|care"
    r"|understand|a fan|not a fan|hoping|looking forward|look forward|guess|suppose|consider)\b"
    r"|\bin my opinion\b|\bmy (?:\w+ )?(?:favou?rite|opinion|complaint|issue|problem|hope)|\bpersonally\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class AskedSentence:
    """A question in lower case, which can follow a comma or be capitalised."""

    question: str
    alone: bool
    """Whether it is clear without the document's title, because it names its subject."""
    grade: int
    """How certainly the sentence answers the question, from 1 to 10."""


_NO_DEFINITION = re.compile(
    r"the (?:same|reason|only|most|case|one|future|best|worst|\w+est|way|kind|sort|next|first|last|\w+ (?:I|we|you)(?:'ll)?)\b|one of (?:the )?(?:those|these)"
    r"|an? (?:\w+ )?(?:term|word|name)\b(?! for)|an? (?:\w+ly )?(?:bit|little|lot|few|[\w-]+ (?:issue|problem|improvement|one|thing)|issue|problem|pain|must|"
    + "|".join(_GOOD_OR_BAD)
    + r")\b"
)  # fmt: skip


_SAYS_NOTHING = frozenset("use have get make take keep want like look go do try".split())
"""Verbs after which nobody asks: `What does Splatoon 2 use?`"""
_ONLY_HERE = re.compile(r"the [a-z]+|the (?:default|current|new|old|first|last|other|main|next) [a-z]+")
"""Subjects that only the text makes clear: nobody asks `what is the value?`."""
_REASON = re.compile(
    r"(?P<what>(?:[\w'’-]+ ){0,4}[\w'’-]+),? (?:mostly |mainly |partly |only |simply )?(?:because|since|thanks to|due to) "
)


def from_subject(sentence: str, known: str) -> Iterator[AskedSentence]:
    """Yields questions such as `What is X?` and `What does X need?`. See `subject` for `known`."""
    found = subject(sentence, known)
    if not found:
        return
    about, verb, rest = found
    if verb in BE and (hit := _REASON.match(rest)) and not BACK.search(hit["what"]):
        yield AskedSentence(f"why {verb} {about.words} {yours(hit['what'])}?", about.is_name, 10)
    # `2025 was a big year`, `wheels were a feature`
    is_told = re.match(r"(?:the )?\d", about.words) or (verb in ("was", "were") and not about.is_name)
    if is_told or _ONLY_HERE.fullmatch(about.words):
        return
    is_common = re.match(r"(?:the|your) [a-z'’ -]+$", about.words)
    if (
        verb in BE
        and re.match(r"(?:a|an|the)\s" if is_common else r"(?:a|an|the|one of)\s", rest)
        and not _NO_DEFINITION.match(rest)
    ):
        yield AskedSentence(f"what {verb} {about.words}?", about.is_name, 9)
    base = THIRD_PERSON.get(verb) or (verb if verb in TRANSITIVE and about.plural else "")
    is_bare = re.fullmatch(r"[a-z]+", about.words) and not about.plural
    if (
        base
        and base not in _SAYS_NOTHING
        and rest
        and _asks_for_object(rest)
        and not is_bare
        and not re.match(r"an? [^`A-Z\d]+$", about.words)
    ):
        yield AskedSentence(f"what {'does' if verb in THIRD_PERSON else 'do'} {about.words} {base}?", about.is_name, 9)


def from_opinion(sentence: str, known: str, seed: int) -> Iterator[AskedSentence]:
    """Yields questions such as `What do you think of X?`. `seed` chooses the wording; see `subject` for `known`."""
    if hit := re.match(
        r"(?:my|the) (?:(?:\w+) )?(?P<what>fav(?:ou?)rite (?:[\w-]+ ){0,5}?)(?P<verb>is|are|was|were) (?!not|n't|part|also)",
        sentence,
        re.IGNORECASE,
    ):
        if not BACK.search(hit["what"]):
            yield AskedSentence(f"what {hit['verb']} your {yours(hit['what'].strip())}?", holds_name(hit["what"]), 9)
        return
    liking = re.search(
        rf"\bI(?P<not>\s+(?:would|could|do|don't|did|didn't|can't|never|can)|'d)?\s+{ADVERBS}(?P<verb>like|love|hate|prefer|enjoy|dislike|adore|miss|appreciate|recommend|regret|liked|loved|hated|enjoyed)\s+(?P<rest>.+)",
        sentence,
    )
    if (
        liking
        and not re.match(r"[\w' ]+, [\w' ]+,? and ", liking["rest"])
        and (about := topic(re.sub(r"^(?:the )?(?:idea|concept|fact) (?:of|that) ", "", liking["rest"])))
    ):
        if liking["verb"] == "recommend":
            yield AskedSentence(f"would you recommend {about.words}?", about.is_name, 9)
        else:
            yield AskedSentence(_opinion_of(about, seed), about.is_name, 9)
        return
    feeling = re.search(
        rf"\bI(?:'m| am| was|'ve been| have been)\s+{ADVERBS}(?:not )?{ADVERBS}(?:happy|glad|excited|sad|disappointed|impressed|surprised|tired|annoyed|worried|curious|a (?:\w+ )?fan|amazed)\s+(?:by|with|of|about|at|for) (?P<rest>.+)",
        sentence,
    )
    if feeling and (about := topic(feeling["rest"])):
        yield AskedSentence(_opinion_of(about, seed), about.is_name, 9)
        return
    clause = re.search(
        r"\b(?:I (?:\w+ly |still |also |don't )?(?:think|believe|feel like|find|doubt|hope|wish|guess|suspect)|in my opinion,?)\s+(?:that )?(?P<rest>.+)",
        sentence,
        re.IGNORECASE,
    )
    deed = re.match(r"(?P<what>[A-Z][a-z]+ing (?:[\w'’.+`-]+ ){1,7}?)(?:is|was) ", sentence)
    if deed and _JUDGES.search(sentence) and not BACK.search(deed["what"]) and deed["what"].split()[0] not in _NO_DEED:
        words = deed["what"].strip()
        doing = Topic(yours(f"{words[0].lower()}{words[1:]}"), holds_name(words[1:]), False)
        yield AskedSentence(_opinion_of(doing, seed), doing.is_name, 9)
        return
    found = subject(clause["rest"], known) if clause else subject(sentence, known)
    # `The best checkpoint is the last one` judges nothing.
    if found and (
        found[1] in _MODAL or not (clause or is_opinion(sentence) or _JUDGES.search(found[2].partition(",")[0]))
    ):
        return
    if (
        found
        and (clause or found[1] in AUXILIARIES)
        and not re.match(r"(?:a|an|each|every)\s|(?:the )?\d", found[0].words)
    ):
        yield AskedSentence(
            _opinion_of(found[0], seed), found[0].is_name, 9 if clause or _JUDGES.search(sentence) else 7
        )


_NO_DEED = frozenset("Everything Anything Something Nothing During According Following Being Having".split())
_MODAL = frozenset("can could will would should may might must can't won't couldn't wouldn't shouldn't".split())


def is_opinion(text: str) -> bool:
    """Whether the author expresses a liking, a feeling or a judgement in `text`."""
    return bool(_FEELS.search(text))


def judges(text: str) -> bool:
    """Whether `text` calls something good or bad."""
    return bool(_JUDGES.search(text))


def speaks_of_author(text: str) -> bool:
    """Whether `text` has a word such as I or my."""
    return bool(re.search(r"\b(?:I|I'm|I've|I'd|I'll|my|we|we're|our)\b", text))


_VERB_PHRASE = r"(?P<do>[a-z]+(?: [^.,;:!?()—]+?)??)"

_NO_DEEDS = FUNCTION_WORDS - set("make use get do show look let tell".split()) | set(
    "be clarify start begin date continue conclude illustrate demonstrate summarize summarise sum recap repeat finish help".split()
)
_WAYS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?:In order to|To) {_VERB_PHRASE}, (?P<tell>.+)",
        rf"If you(?:'d like| want| need| would like| prefer|'re looking) to {_VERB_PHRASE}, (?P<tell>.+)",
        rf"(?:Then )?(?:[Yy]ou can|[Yy]ou'll want to|[Yy]ou need to) (?:then |also |now |easily |just |simply |even |always |only |still |actually )?{_VERB_PHRASE} (?P<tell>(?:by|with|using|via|through|in) .+)",
        rf"Use (?P<tell>`?[^.,;:!?]{{2,50}}?) to {_VERB_PHRASE}[.:]",
    )
)


_ORDER = r"([^.,;:!?()—]+?)(?:$| (?:by|using|via) .+| with (?:`|the following|this).*)"


def way(sentence: str) -> AskedSentence | None:
    """The question `How do I …?` for a sentence that tells how; None if it does not."""
    for pattern in _WAYS:
        hit = pattern.fullmatch(sentence) or (pattern.match(sentence) if sentence.startswith("Use ") else None)
        if not hit:
            continue
        phrase = hit["do"].strip()
        first = phrase.split()[0]
        if not 2 <= len(phrase.split()) <= 12 or first in _NO_DEEDS or BACK.search(phrase):
            return None
        if re.match(r"make sure\b|\w+ you\b|either\b|both\b", phrase):
            return None
        if re.search(r"\b(?:I|me|my|we|us)\b", phrase) or re.match(
            r"(?:I|we|it|this|that|there|my|you['’]re)\b", hit["tell"]
        ):
            return None
        return AskedSentence(f"how do I {asked_by_reader(phrase)}?", holds_name(phrase), 9)
    return None


def order(sentence: str, verbs: frozenset[str]) -> AskedSentence | None:
    """The question `How do I …?` for a sentence that begins with one of `verbs` as an order; None if it does not."""
    first, _, rest = sentence.rstrip(":").partition(" ")
    if first.lower() not in verbs - {"start", "begin"} or not rest or not (hit := re.match(_ORDER, rest)):
        return None
    phrase = hit[1].strip()
    # `Create content preceded by front matter` is cut in the middle.
    if hit.end(1) < len(rest) and phrase.endswith("ed"):
        return None
    if (
        not 2 <= len(phrase.split()) <= 11
        or BACK.search(phrase)
        or (first.lower(), phrase.split()[0]) == ("make", "sure")
        or re.search(r"\b(?:I|me|my|we|us|following|example)\b", phrase)
    ):
        return None
    return AskedSentence(f"how do I {first.lower()} {asked_by_reader(phrase)}?", ends_in_name(phrase), 9)


def is_imperative(sentence: str, verbs: frozenset[str]) -> bool:
    """Whether the sentence begins with one of `verbs`."""
    return sentence.split()[0].lower().rstrip(",") in verbs


def _opinion_of(about: Topic, seed: int) -> str:
    frames = (
        "what do you think of {}?",
        "how do you feel about {}?",
        "what is your opinion of {}?",
        "what do you think about {}?",
    )
    return frames[seed % len(frames)].format(about.words)


def _asks_for_object(rest: str) -> bool:
    return not re.match(
        r"(?:to|in|on|at|by|for|with|from|when|if|because|that|is|are|was|were|has|have|as|it|them|this|up|well|out|of)\b",
        rest,
    )
