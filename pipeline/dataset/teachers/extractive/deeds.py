"""Finds by patterns the question that an English sentence in the first person answers: why, how, when, what for."""

import re
from collections.abc import Iterator

from pipeline.dataset.teachers.extractive.asking import AskedSentence
from pipeline.dataset.teachers.extractive.phrases import ADVERBS, BACK, holds_name, thing, yours

_PAST = dict(
    pair.split(":")
    for pair in """bought:buy got:get built:build wrote:write made:make found:find used:use ran:run chose:choose kept:keep lost:lose
    saw:see sent:send sold:sell took:take taught:teach learned:learn learnt:learn drew:draw left:leave brought:bring gave:give
    broke:break tried:try replaced:replace purchased:purchase created:create received:receive moved:move noticed:notice
    installed:install upgraded:upgrade added:add removed:remove updated:update changed:change ordered:order released:release
    developed:develop designed:design implemented:implement configured:configure tested:test played:play picked:pick
    migrated:migrate rebuilt:rebuild rewrote:rewrite redesigned:redesign recorded:record solved:solve fixed:fix
    measured:measure enabled:enable posted:post published:publish converted:convert reviewed:review printed:print
    ripped:rip downloaded:download combined:combine tweaked:tweak visited:visit cooked:cook planted:plant started:start
    switched:switch signed:sign owned:own wanted:want needed:need chased:chase swapped:swap ported:port set:set put:put
    """.split()
)
_PRESENT = frozenset(
    "use run host keep have own play write build make recommend store sell teach collect cook grow measure"
    " maintain develop avoid carry need".split()
)
_PERFECT = {
    "tried": "tried",
    "seen": "seen",
    "written": "written",
    "taken": "taken",
    "given": "given",
    "had": "had",
} | {
    past: past
    for past in _PAST
    if past.endswith("ed") or past in ("bought", "built", "made", "found", "lost", "sold", "set")
}
_USED_FOR = re.compile(r"(?:[^\s,]+ ){1,8}?for ((?:[\w'-]+ ?){1,6})[.!]")
_USED_TO = re.compile(r"(?!to\b)(?:[^\s,]+ ){1,8}?to ((?:[a-z]+) (?:[\w'`-]+ ?){1,7})[.,!]")
_BECAUSE = re.compile(
    r",? (?:mostly |mainly |partly |just |simply )?(?:because|since|so that|as it|as I|so I (?:can|could|don't|didn't|wouldn't))\b"
)
_PURPOSE = re.compile(r" (?:in order )?to (?:[a-z]{2,})\b")
_MEANS = re.compile(r" (?:by \w+ing|using|via|with the help of|through) ")
_PRICE = re.compile(r" for (?:only |just |about |around |under |a mere )?(?:[$€£]\d|\d+ (?:dollars|euros|pounds))")
_DAY = re.compile(
    r"\b(?:in|since|on) (?:(?:early|late|mid)[ -])?(?:(?:January|February|March|April|May|June|July|August|September|October|November|December)\b.{0,9})?(?:19|20)\d\d\b",
    re.IGNORECASE,
)
_SPAN = re.compile(
    r" (?:for|since) (?:about |around |over |nearly |almost |the (?:last|past) )?(?:an?|\d+|two|three|four|five|six|several|many|a few|some|19\d\d|20\d\d|years|months|ages)\b"
)
_FROM = re.compile(r" (?:from|at|on) (?:a |the )?(?:[A-Z]\w+|shop|store|neighbou?r|friend|auction|website)")
_ONE_MORE = re.compile(r"\b(?:called|named|another|other|second|third|fourth|extra|additional|few|some|several|own)\b")
"""Who asks knows of no first one."""
_BOUGHT = frozenset("buy purchase get order".split())
_MADE_FOR = frozenset("set build write make create use buy purchase install add start order get design develop".split())
_ASKED_OF = frozenset(
    "tried used using use run running host own have play played playing write writing build built building make read recommend store"
    " sell sold teach collect cook grow maintain develop avoid bought buy try visit visited learn learned learning switch switched"
    " migrate migrated installed install upgraded upgrade replaced replace owned rewrite rebuild redesign ported port".split()
)
"""Verbs of deeds that a visitor asks after with a name: `Do you use Emacs?`, `Did you try Zig?`, but not `Did you add Foo?`."""
_LASTING = frozenset(
    "using running playing building writing making reading working learning teaching collecting cooking growing maintaining developing"
    " hosting keeping selling recording living drawing painting studying following baking brewing".split()
)
"""What somebody does for so long that a visitor asks since when."""
_OPEN = frozenset("buy purchase use choose build pick learn".split())
"""Verbs after which `what did you …?` is a question that a visitor asks, when it says about what."""


def from_author(sentence: str) -> Iterator[AskedSentence]:
    """Yields questions such as `Why did you buy a lathe?` for a sentence in the first person, the most telling first."""
    if re.match(r"(?:if|when|while|unless)\b", sentence, re.IGNORECASE) or re.search(r"\bnot\b|n't\b", sentence[:60]):
        return
    match = re.match(
        rf"(?P<before>[^,]{{1,60}},\s+)?(?:I|We)(?P<aux>'ve| have|'m| am|'re| are)?\s+{ADVERBS}(?P<verb>[a-z]+)\s+(?P<rest>.+)",
        sentence,
    )
    if not match:
        return
    aux, verb, rest = (match["aux"] or "").strip(), match["verb"], match["rest"]
    if aux in ("'ve", "have") and verb == "been" and (inner := re.match(rf"{ADVERBS}(\w+ing)\s+(.+)", rest)):
        yield from _lasting(inner[1], inner[2])
    elif aux in ("'ve", "have") and verb in _PERFECT:
        yield from _asked(f"have you {_PERFECT[verb]}", verb, _PAST.get(verb, ""), rest, sentence)
    elif aux in ("'m", "am", "'re", "are") and verb.endswith("ing"):
        yield from _asked(f"are you {verb}", verb, "use" if verb == "using" else "", rest, sentence)
    elif not aux and (base := _PAST.get(verb)):
        yield from _asked(f"did you {base}", base, base, rest, sentence)
    elif not aux and verb in _PRESENT:
        yield from _asked(f"do you {verb}", verb, verb, rest, sentence)


def _asked(opening: str, verb: str, base: str, rest: str, sentence: str) -> Iterator[AskedSentence]:
    """Yields the questions about a deed.

    Args:
        opening: auxiliary, `you` and verb: `did you buy`.
        base: the verb's infinitive; "" if it is not known.
        rest: what follows the verb in the sentence.
    """
    if base == "use" and (hit := _USED_FOR.fullmatch(rest)) and not BACK.search(hit[1]):
        yield AskedSentence(f"what {opening} for {yours(hit[1])}?", False, 10)
    if base == "use" and (hit := _USED_TO.match(rest)) and not BACK.search(hit[1]) and not _about_author(hit[1]):
        yield AskedSentence(f"what {opening} to {yours(hit[1]).strip()}?", holds_name(hit[1]), 10)
    particle = re.match(r"(?:up|out|off|down|over|together|away) (?=(?:a|an|the|my|our|some|[A-Z`])\b)", rest)
    if particle:
        opening, rest = f"{opening} {particle[0].strip()}", rest[particle.end() :]
    found = thing(rest)
    if not found:
        return
    after = rest[len(found.written) :]
    asked, is_clear = f"{opening} {found.topic.words}?", found.topic.is_name
    if _BECAUSE.match(after) or (base in _MADE_FOR and _PURPOSE.match(after)):
        yield AskedSentence(f"why {asked}", is_clear, 10)
    if _MEANS.match(after) and not _about_author(found.written):
        yield AskedSentence(f"how {asked}", is_clear, 10)
    if base in _BOUGHT and _PRICE.match(after):
        yield AskedSentence(f"how much did you pay for {found.topic.words}?", is_clear, 10)
    if base in _BOUGHT and _FROM.match(after):
        yield AskedSentence(f"where {asked}", is_clear, 10)
    if _DAY.search(sentence) and opening.startswith("did"):
        yield AskedSentence(f"when {asked}", is_clear, 9)
    if found.topic.is_name and verb in _ASKED_OF and not _ONE_MORE.search(found.topic.words):
        yield AskedSentence(asked, is_clear, 8)
    is_whole = re.match(r"(?:I|We)\b", sentence) and not found.topic.words.startswith("your ")
    if is_whole and base in _OPEN and not opening.startswith("have") and not _ONE_MORE.search(found.topic.words):
        yield AskedSentence(f"what {opening}?", False, 7)


def _lasting(verb: str, rest: str) -> Iterator[AskedSentence]:
    """Yields questions for `I've been using a lathe for years`."""
    found = thing(rest)
    if found and verb in _LASTING:
        if _SPAN.match(rest[len(found.written) :]):
            yield AskedSentence(f"how long have you been {verb} {found.topic.words}?", found.topic.is_name, 10)
        if found.topic.is_name:
            yield AskedSentence(f"have you been {verb} {found.topic.words}?", True, 8)
    hit = re.match(r"(on|with) (?=(?:a|an|the|my|some|several|[A-Z`])\b)", rest)
    if hit and verb in ("working", "playing", "messing"):
        yield AskedSentence(f"what have you been {verb} {hit[1]}?", False, 8)


def _about_author(phrase: str) -> bool:
    return bool(re.search(r"\b(?:I|me|we|us)\b", phrase))
