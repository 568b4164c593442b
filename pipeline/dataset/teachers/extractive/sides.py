"""Asks what the author likes, dislikes and plans about a thing, where a sentence praises, blames or promises."""

import re

_SAYS = (
    r"(?:\b(?:is|are|was|were|feels?|looks?|works?|runs?|it's|they're|really|very|so|super|quite|absolutely|pretty|incredibly) (?:\w+ ){0,2}"
    r"|^(?:(?:very|really|quite|super|absolutely) )?)"
)
_GOOD = re.compile(
    rf"{_SAYS}(?:amazing|awesome|great|perfect|fantastic|excellent|incredible|impressive|wonderful|brilliant|lovely|gorgeous|neat|fun|nice"
    r"|pleasant|comfortable|useful|easy|simple|fast|responsive|flexible|solid|approachable|painless|convenient|beautiful|intuitive)\b"
    r"|\bI (?:\w+ )?(?:love|enjoy)\b",
    re.IGNORECASE,
)
_BAD = re.compile(
    rf"{_SAYS}(?:terrible|horrible|awful|ugly|annoying|frustrating|painful|a pain|clunky|disappointing|useless|garbage|crap|a mess"
    r"|unusable|weird|slow|expensive|cheap|unreliable|broken|buggy|inconsistent|lacking|missing|bad|poor|janky|worse|difficult|outdated"
    r"|incomplete)\b|\bI (?:\w+ )?hate\b|^(?:Unfortunately|Sadly)\b|\bannoyance\b|\bsucks?\b",
    re.IGNORECASE,
)
_TURNS = re.compile(
    r"\b(?:not|never|no|but|however|although|though|isn't|aren't|wasn't|don't|doesn't|didn't|can't|couldn't|wouldn't|won't|without"
    r"|hardly|instead of|less|if|would|could|should)\b",
    re.IGNORECASE,
)
_PLANS = re.compile(
    r"(?:At some point|One day|Soon|Next|Eventually|For now|Maybe)?,?\s*\bI(?:'ll| will|'m going to| am going to|'m planning to| plan to"
    r"| hope to|'d (?:like|love) to)\b|\bI (?:\w+ ){0,2}want to\b"
)
_PLANNED = ("what are your plans?", "what do you want to do next?", "what do you still want to do?")
_LIKED = ("what do you like about {c}?", "what is good about {c}?", "what do you enjoy about {c}?")
_BLAMED = ("what don't you like about {c}?", "what is the trouble with {c}?", "what are the downsides of {c}?")


def praise_or_blame(sentence: str) -> tuple[str, ...]:
    """Questions about a thing `{c}` of which the sentence says something good or bad; () if it says both or neither."""
    sentence = re.sub(r"\([^)]*\)", "", sentence)
    if _TURNS.search(sentence) or re.match(r"(?:I|We)(?: was| were| am| are|'m|'re|'ve been| have been)\b", sentence):
        return ()
    good, bad = _GOOD.search(sentence), _BAD.search(sentence)
    return () if bool(good) == bool(bad) else _LIKED if good else _BLAMED


def plans(sentence: str) -> tuple[str, ...]:
    """Questions that a sentence about the author's plans answers, where it is known what they concern; () otherwise."""
    if re.search(r"\byou\b", sentence):
        # `I'd like to invite each of you` is no plan.
        return ()
    hit = _PLANS.match(sentence) or _PLANS.search(sentence[:40])
    return _PLANNED if hit and not _TURNS.search(sentence[: hit.end() + 8]) else ()
