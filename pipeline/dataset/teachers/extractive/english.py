"""What an English sentence is about, and the question that it answers: by patterns, and nothing where none fits."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.chat.words import FUNCTION_WORDS

_ADVERB = r"(?:(?:just|also|really|finally|even|still|always|usually|often|now|then|never|only|very|quite|pretty|so|too|kind of|mostly|already|once|ever|almost|first|soon|currently|\w+ly)\s+)*"
_BE = "is|are|was|were"
_AUXILIARIES = frozenset(
    f"{_BE.replace('|', ' ')} has have had can could will would should does do did may might must isn't aren't wasn't weren't"
    " hasn't haven't can't won't doesn't don't didn't couldn't wouldn't shouldn't feels feel looks look seems seem sounds works".split()
)
_TRANSITIVE = (
    "use support provide include allow require store write show give mean need contain hold offer measure name list print return"
    " create describe explain add tell find send start bring cover produce take launch introduce replace combine handle"
    " change solve reduce improve prevent cause enable load install generate build remove accept affect connect ask answer"
).split()
_NOT_IN_TOPIC = frozenset(
    """i you we he she it they me us them him this that these those there here who which what when where why how if while because as than
    then although though unless until since after before and or but so not no never is are was were be been has have had do does did can
    could will would should may might must to everyone everything anything someone something nothing anyone nobody all none one ones lot
    more less most much many few some any both either neither another other such same very too just also only even thing things way
    case reason rest result bit bunch kind sort number goal plan point myself yourself let lets let's it's i'm i've i'd i'll that's what's there's""".split()
)
_ENDS = re.compile(
    r"\s*(?:[.,;:!?](?=\s|$)|[—–(\"“”]|\s-\s|\b(?:but|because|since|when|while|as|which|that|who|if|so|even|though|although|despite|and|or|than|after|before"
    r"|where|until|unless|whenever|instead|anymore|too|either|anyway|over|more|most|very|really|enough|now|today|yet|again|already|at all|a lot|so far|much|in general|overall|at this point|lately|recently|is|are|was|were|in particular|well|myself)\b).*$",
    re.DOTALL,
)
_GOOD_OR_BAD = (
    "amazing awesome great terrible horrible awful beautiful ugly perfect fantastic excellent incredible impressive annoying frustrating"
    " painful fun boring nice weird silly cool neat bad best worst wonderful disappointing useful useless clunky cute sad scary"
    " love loved interesting stupid crazy ridiculous lovely brilliant poor garbage crap sucks better worse favorite favourite enjoyable"
    " comfortable unusable pleasant surprising fine good overrated underrated gorgeous hilarious mess"
).split()
_JUDGES = re.compile(rf"\b(?:{'|'.join(_GOOD_OR_BAD)})\b", re.IGNORECASE)
_FEELS = re.compile(
    rf"\b(?:I|we)(?:'m|'ve|'d|'ll|\s+am|\s+have|\s+would|\s+do|\s+don't|\s+did|\s+didn't|\s+was|\s+can't|\s+couldn't)?\s+{_ADVERB}"
    r"(?:like(?! to)|liked|love|loved|hate|hated|prefer|preferred|enjoy|enjoyed|enjoying|dislike|miss|appreciate|appreciated|recommend|regret|think|believe|feel|find|hope"
    r"|wish|doubt|happy|glad|excited|disappointed|impressed|surprised|tired|annoyed|worried|sure|not sure|curious|amazed|wait|care"
    r"|understand|a fan|not a fan|hoping|looking forward|look forward|guess|suppose|consider)\b"
    r"|\bin my opinion\b|\bmy (?:\w+ )?(?:favou?rite|opinion|complaint|issue|problem|hope)|\bpersonally\b",
    re.IGNORECASE,
)

_IRREGULAR = dict(
    pair.split(":")
    for pair in """bought:buy got:get built:build wrote:write made:make found:find used:use did:do ran:run chose:choose kept:keep lost:lose
    read:read saw:see sent:send sold:sell spent:spend took:take took:take taught:teach learned:learn learnt:learn drew:draw began:begin
    knew:know thought:think held:hold set:set put:put left:leave brought:bring gave:give broke:break switched:switch tried:try
    replaced:replace purchased:purchase created:create received:receive moved:move realized:realize realised:realise discovered:discover
    noticed:notice decided:decide managed:manage started:start wanted:want needed:need planned:plan expected:expect installed:install
    upgraded:upgrade added:add removed:remove updated:update changed:change wrapped:wrap ordered:order released:release developed:develop
    designed:design implemented:implement configured:configure tested:test played:play picked:pick figured:figure migrated:migrate
    rebuilt:rebuild rewrote:rewrite redesigned:redesign recorded:record experienced:experience followed:follow solved:solve fixed:fix
    listed:list opened:open measured:measure included:include enabled:enable copied:copy posted:post published:publish converted:convert
    reviewed:review printed:print formatted:format shared:share deleted:delete ripped:rip signed:sign downloaded:download
    mentioned:mention assumed:assume hoped:hope missed:miss combined:combine tweaked:tweak visited:visit cooked:cook planted:plant
    """.split()
)
_PRESENT = frozenset(
    "use run host keep have own play write build make do read recommend store work try sell teach collect cook grow measure take see"
    " maintain develop rely avoid carry need get call".split()
)
_PERFECT = frozenset(
    "used built written made found tried added moved replaced installed upgraded updated released started switched named run read seen"
    " bought created implemented changed learned played published set put removed recorded converted finished migrated"
    " rebuilt rewritten designed redesigned developed".split()
)
_THAT_VERBS = frozenset(
    "found noticed realized realised discovered decided learned learnt figured knew thought expected assumed hoped".split()
)
_TO_VERBS = frozenset("wanted tried planned decided needed managed started hoped chose learned expected".split())
_PARTICLES = "up|out|off|down|back|over|together|away|around"
_OBJECT = re.compile(
    r"(?:a|an|the|my|our|some|several|two|three|four|five|\d\S*|[A-Z`][\w`.+-]*|\w+s|all|every|another|both|new|any|no|quite a)\s|[A-Z`]\w*[.,]",
    re.ASCII,
)
_BACK = re.compile(
    r"\b(?:it|its|this|that|these|those|them|they|their|he|she|his|her|one|ones|here|there|so|same|both|such|following|above|below)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in words that follow a comma or stand alone after a capital."""

    question: str
    alone: bool
    """Whether it names a thing that is known without the document's title."""
    grade: int
    """How sure it is that the sentence answers it, from 1 to 10."""


@dataclass(frozen=True, slots=True)
class Topic:
    words: str
    """As another person says them: `your` for `my`."""
    is_name: bool
    plural: bool


def subject(sentence: str, known: str) -> tuple[Topic, str, str] | None:
    """Topic, verb and the rest of a sentence that begins with what it is about; `known` tells names from other words."""
    tokens = sentence.split()
    for position, token in enumerate(tokens[:8]):
        word = token.lower().strip("“”\"'")
        is_verb = word in _AUXILIARIES or word in _THIRD or word in _TRANSITIVE
        if (
            position
            and is_verb
            and (word in _AUXILIARIES or position > 1 or token in _THIRD or tokens[0].endswith("s"))
        ):
            while position > 1 and re.fullmatch(_ADVERB.removesuffix("*"), tokens[position - 1] + " "):
                position -= 1
            topic = _topic(tokens[:position], known)
            return (topic, word, " ".join(tokens[tokens.index(token, position) + 1 :])) if topic else None
        if word in _NOT_IN_TOPIC or token[-1] in ",;:.!?—" or token in ("-", "–", "—"):
            return None
    return None


def topic(phrase: str, known: str) -> Topic | None:
    """The noun phrase that a stretch of words begins with, when it can be spoken of without what is around it."""
    phrase = _ENDS.sub("", phrase).strip()
    tokens = phrase.split()
    if not 1 <= len(tokens) <= 7 or _BACK.search(phrase) or not re.match(r"[\w`]", phrase):
        return None
    if any(token.lower() in _NOT_IN_TOPIC for token in tokens) or re.search(r"\b(?:I|me|you|we)\b", phrase):
        return None
    if tokens[-1].lower() in FUNCTION_WORDS or re.fullmatch(r"\w+ly", tokens[-1]):
        return None
    if tokens[0] in ("a", "an", "at"):
        return None
    return Topic(yours(phrase), _ends_in_name(phrase), _is_plural(tokens))


_NO_DEFINITION = re.compile(
    r"the (?:same|reason|only|most|case|one)\b|one of (?:the )?(?:those|these)"
    r"|an? (?:\w+ly )?(?:bit|little|lot|few|[\w-]+ (?:issue|problem|improvement|one|thing)|issue|problem|pain|must|"
    + "|".join(_GOOD_OR_BAD)
    + r")\b"
)  # fmt: skip


def from_subject(sentence: str, known: str) -> Iterator[Asked]:
    """`What is X?`, `What does X need?`."""
    found = subject(sentence, known)
    if not found:
        return
    about, verb, rest = found
    if verb in _BE.split("|") and re.match(r"(?:a|an|the|one of)\s", rest) and not _NO_DEFINITION.match(rest):
        yield Asked(f"what {verb} {about.words}?", about.is_name, 9)
    base = _THIRD.get(verb) or (verb if verb in _TRANSITIVE and about.plural else "")
    if base and rest and _asks_for_object(rest):
        yield Asked(f"what {'does' if verb in _THIRD else 'do'} {about.words} {base}?", about.is_name, 9)


def from_author(sentence: str) -> Iterator[Asked]:
    """`What did you buy?` of a sentence in the first person."""
    if re.match(r"(?:if|when|while|unless)\b", sentence, re.IGNORECASE) or re.search(r"\bnot\b|n't\b", sentence[:60]):
        return
    match = re.match(
        rf"(?:[^,]{{1,60}},\s+)?(I|We)(?P<aux>'ve| have|'m| am|'re| are|'ll| will)?\s+{_ADVERB}(?P<verb>[a-z]+)\s+(?P<rest>.+)",
        sentence,
    )
    if not match:
        return
    aux, verb, rest = (match["aux"] or "").strip(), match["verb"], match["rest"]
    if aux in ("'ve", "have"):
        yield from _perfect(verb, rest)
    elif aux in ("'m", "am", "'re", "are"):
        yield from _progressive(verb, rest, "what are you")
    elif aux in ("'ll", "will"):
        if verb in _PRESENT or verb in _IRREGULAR.values():
            yield Asked("what will you do?", False, 7)
    else:
        yield from _simple(verb, rest)


def _simple(verb: str, rest: str) -> Iterator[Asked]:
    if (
        verb in ("use", "used")
        and (hit := re.fullmatch(r"(?:\S+ ){1,8}?for ((?:[\w'-]+ ?){1,6})[.!]", rest))
        and not _BACK.search(hit[1])
    ):
        yield Asked(f"what {'do' if verb == 'use' else 'did'} you use for {yours(hit[1])}?", False, 10)
        return
    past = _IRREGULAR.get(verb)
    base = past or (verb if verb in _PRESENT else "")
    if not base:
        return
    auxiliary = "did" if past and verb not in ("read", "put", "set") else "do"
    if verb in ("read", "put", "set"):
        return
    if verb in _TO_VERBS and (hit := re.match(r"to (\w+) ", rest)):
        yield Asked(f"what did you {base} to do?", False, 9)
    elif verb in _THAT_VERBS and re.match(r"(?:out )?(?:that|how|what|I)\s", rest):
        yield Asked(f"what did you {base}{' out' if verb == 'figured' else ''}?", False, 9 if verb != "thought" else 8)
    elif verb == "moved" and re.match(r"to [A-Z]", rest):
        yield Asked("where did you move?", False, 8)
    elif hit := re.match(rf"({_PARTICLES})\s(?=(?:a|an|the|my|some|[A-Z`])\b)", rest):
        yield Asked(f"what {auxiliary} you {base} {hit[1]}?", False, 9)
    elif (
        _OBJECT.match(rest)
        and not _BACK.match(rest)
        and base
        not in (
            "do",
            "think",
            "know",
            "move",
            "work",
            "rely",
            "figure",
            "hope",
            "sign",
            "decide",
            "manage",
            "assume",
            "begin",
            "expect",
            "start",
            "realize",
            "realise",
        )
    ):
        if base in ("have", "make", "take", "get") and re.match(
            r"(?:a (?:bit|lot|few)|to|some time|no|the (?:same|time|change|switch|decision|mistake))\b", rest
        ):
            return
        yield Asked(f"what {auxiliary} you {base}?", False, 9 if base not in ("have", "get", "need") else 8)


def _perfect(verb: str, rest: str) -> Iterator[Asked]:
    if verb == "been":
        inner = re.match(rf"{_ADVERB}(\w+ing)\s+(.+)", rest)
        if inner:
            yield from _progressive(inner[1], inner[2], "what have you been")
    elif verb in _PERFECT and _OBJECT.match(rest) and not _BACK.match(rest) and not re.match(r"to\b", rest):
        yield Asked(f"what have you {verb}?", False, 9)
    elif verb in ("moved", "switched", "upgraded", "migrated") and re.match(r"(?:from|to|over)\b", rest):
        yield Asked("what have you changed?", False, 8)


def _progressive(verb: str, rest: str, opening: str) -> Iterator[Asked]:
    if not verb.endswith("ing") or verb in ("being", "having", "getting", "hoping", "thinking", "feeling", "doing"):
        return
    if verb in ("going", "trying", "planning", "hoping") and re.match(r"(?:on|to) \w+", rest):
        particle = "to do" if rest.startswith("to ") else "on"
        yield Asked(f"{opening} {verb} {particle}?", False, 9 if verb != "going" else 8)
    elif hit := re.match(rf"(on|with|at|for|to|{_PARTICLES})\s+(?=(?:a|an|the|my|some|several|[A-Z`])\b)", rest):
        if verb in (
            "working",
            "playing",
            "looking",
            "waiting",
            "switching",
            "trying",
            "setting",
            "moving",
            "listening",
            "messing",
        ):
            yield Asked(f"{opening} {verb} {hit[1]}?", False, 9)
    elif _OBJECT.match(rest) and verb not in ("going", "moving", "working", "looking", "trying", "coming", "living"):
        yield Asked(f"{opening} {verb}?", False, 9)


def from_opinion(sentence: str, known: str, seed: int) -> Iterator[Asked]:
    """`What do you think of X?`."""
    if hit := re.match(
        r"(?:my|the) (?:(?:\w+) )?(?P<what>fav(?:ou?)rite (?:[\w-]+ ){0,5}?)(?P<verb>is|are|was|were) (?!not|n't|part|also)",
        sentence,
        re.IGNORECASE,
    ):
        if not _BACK.search(hit["what"]):
            yield Asked(f"what {hit['verb']} your {yours(hit['what'].strip())}?", _holds_name(hit["what"]), 9)
        return
    liking = re.search(
        rf"\bI(?P<not>\s+(?:would|could|do|don't|did|didn't|can't|never|can)|'d)?\s+{_ADVERB}(?P<verb>like|love|hate|prefer|enjoy|dislike|adore|miss|appreciate|recommend|regret|liked|loved|hated|enjoyed)\s+(?P<rest>.+)",
        sentence,
    )
    if liking and (about := topic(re.sub(r"^(?:the )?(?:idea|concept|fact) (?:of|that) ", "", liking["rest"]), known)):
        if liking["verb"] == "recommend":
            yield Asked(f"would you recommend {about.words}?", about.is_name, 9)
        else:
            yield Asked(_opinion_of(about, seed), about.is_name, 9)
        return
    feeling = re.search(
        rf"\bI(?:'m| am| was|'ve been| have been)\s+{_ADVERB}(?:not )?{_ADVERB}(?:happy|glad|excited|sad|disappointed|impressed|surprised|tired|annoyed|worried|curious|a (?:\w+ )?fan|amazed)\s+(?:by|with|of|about|at|for) (?P<rest>.+)",
        sentence,
    )
    if feeling and (about := topic(feeling["rest"], known)):
        yield Asked(_opinion_of(about, seed), about.is_name, 9)
        return
    clause = re.search(
        r"\b(?:I (?:\w+ly |still |also |don't )?(?:think|believe|feel like|find|doubt|hope|wish|guess|suspect)|in my opinion,?)\s+(?:that )?(?P<rest>.+)",
        sentence,
        re.IGNORECASE,
    )
    found = subject(clause["rest"], known) if clause else subject(sentence, known)
    if found and (clause or found[1] in _AUXILIARIES) and not re.match(r"(?:a|an|each|every)\s", found[0].words):
        yield Asked(_opinion_of(found[0], seed), found[0].is_name, 9 if clause or _JUDGES.search(sentence) else 7)


def is_opinion(text: str) -> bool:
    """Whether the author speaks of a liking, a feeling or a judgement."""
    return bool(_FEELS.search(text))


def judges(text: str) -> bool:
    return bool(_JUDGES.search(text))


def speaks_of_author(text: str) -> bool:
    return bool(re.search(r"\b(?:I|I'm|I've|I'd|I'll|my|we|we're|our)\b", text))


_VERB_PHRASE = r"(?P<do>[a-z]+(?: [^.,;:!?()—]+?)??)"

_NO_DEEDS = FUNCTION_WORDS - {"make", "use", "get", "do", "show", "look", "let", "tell"} | {
    "be",
    "clarify",
    "start",
    "begin",
    "date",
}
_WAYS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?:In order to|To) {_VERB_PHRASE}, (?P<tell>.+)",
        rf"If you(?:'d like| want| need| would like| prefer|'re looking) to {_VERB_PHRASE}, (?P<tell>.+)",
        rf"(?:Then )?(?:[Yy]ou can|[Yy]ou'll want to|[Yy]ou need to) (?:then |also |now |easily |just |simply )?{_VERB_PHRASE} (?P<tell>(?:by|with|using|via|through|in) .+)",
        rf"Use (?P<tell>`?[^.,;:!?]{{2,50}}?) to {_VERB_PHRASE}[.:]",
    )
)


_ORDER = r"([^.,;:!?()—]+?)(?:$| (?:by|using|via) .+| with (?:`|the following|this).*)"


def way(sentence: str) -> Asked | None:
    """`How do I …?` of a sentence that tells how."""
    for pattern in _WAYS:
        hit = pattern.fullmatch(sentence) or (pattern.match(sentence) if sentence.startswith("Use ") else None)
        if not hit:
            continue
        phrase = hit["do"].strip()
        first = phrase.split()[0]
        if not 2 <= len(phrase.split()) <= 12 or first in _NO_DEEDS or _BACK.search(phrase):
            return None
        if re.search(r"\b(?:I|me|my|we|us)\b", phrase) or re.match(
            r"(?:I|we|it|this|that|my|you['’]re)\b", hit["tell"]
        ):
            return None
        return Asked(f"how do I {asked_by_reader(phrase)}?", _holds_name(phrase), 9)
    return None


def order(sentence: str, verbs: frozenset[str]) -> Asked | None:
    """`How do I …?` of a sentence that orders it, and then shows how."""
    first, _, rest = sentence.rstrip(":").partition(" ")
    if first.lower() not in verbs - {"start", "begin"} or not rest or not (hit := re.match(_ORDER, rest)):
        return None
    phrase = hit[1].strip()
    if (
        not 2 <= len(phrase.split()) <= 11
        or _BACK.search(phrase)
        or re.search(r"\b(?:I|me|my|we|us|following|example)\b", phrase)
    ):
        return None
    return Asked(f"how do I {first.lower()} {asked_by_reader(phrase)}?", _ends_in_name(phrase), 9)


def is_imperative(sentence: str, verbs: frozenset[str]) -> bool:
    return sentence.split()[0].lower().rstrip(",") in verbs


def yours(phrase: str) -> str:
    """The author's words in a question to the author."""
    phrase = re.sub(r"\b(?:my|our)\b", "your", phrase, flags=re.IGNORECASE)
    return re.sub(r"\bmyself\b", "yourself", phrase)


def asked_by_reader(phrase: str) -> str:
    """Words addressed to the reader in the reader's question."""
    phrase = re.sub(r"\byour\b", "my", phrase)
    phrase = re.sub(r"\byourself\b", "myself", phrase)
    return (
        re.sub(r"\byou(?:'re| are)\b", "I am", phrase)
        if re.search(r"\byou(?:'re| are)\b", phrase)
        else re.sub(r"\byou\b", "I", phrase)
    )


_MARKED_NAME = re.compile(
    r"(?<=[a-z0-9,;:)] )(?:[A-Z][\w.+-]*[\w+]|[a-z]+[A-Z]\w*)(?: (?:[A-Z][\w.+-]*[\w+]|[a-z]?\d[\w.]*))*"
)
_NO_NAMES = frozenset(
    "I I'm January February March April May June July August September October November December Monday Tuesday Wednesday Thursday Friday"
    " Saturday Sunday Gbps Mbps OK TL;DR Yes No The This That It A An My You We Also But And So If When English American".split()
)


def named(sentence: str) -> list[str]:
    """Names that stand inside the sentence, in their order."""
    first = sentence.split()[0]
    begins = (
        bool(re.match(r"[A-Z]", first)) and first.lower() not in FUNCTION_WORDS and not re.search(r"(?:ly|,)$", first)
    )
    # After `Control` at the beginning `Panel` is half a name.
    found = [
        hit[0].rstrip(".") for hit in _MARKED_NAME.finditer(sentence) if not (begins and hit.start() == len(first) + 1)
    ]
    return [name for name in dict.fromkeys(found) if _is_known(name)]


def _is_known(name: str) -> bool:
    return name.split()[0] not in _NO_NAMES and len(name) > 2 and not re.search(r"-[a-z]+$", name)


def _opinion_of(about: Topic, seed: int) -> str:
    frames = (
        "what do you think of {}?",
        "how do you feel about {}?",
        "what is your opinion of {}?",
        "what do you think about {}?",
    )
    return frames[seed % len(frames)].format(about.words)


def _third(verb: str) -> str:
    if verb.endswith("y") and verb[-2] not in "aeou":
        return f"{verb[:-1]}ies"
    return f"{verb}{'es' if verb.endswith(('s', 'sh', 'ch', 'x')) else 's'}"


_THIRD = {_third(verb): verb for verb in _TRANSITIVE}


def _asks_for_object(rest: str) -> bool:
    return not re.match(
        r"(?:to|in|on|at|by|for|with|from|when|if|because|that|is|are|was|were|has|have|as|it|them|this|up|well|out|of)\b",
        rest,
    )


def _topic(tokens: list[str], known: str) -> Topic | None:
    phrase = " ".join(tokens)
    first = tokens[0]
    if len(tokens) > 6 or any(token.lower().strip('“”"') in _NOT_IN_TOPIC for token in tokens) or _BACK.search(phrase):
        return None
    if len(tokens) > 1 and first.lower() in ("the", "a", "an", "my", "our", "your", "every", "each"):
        opening = "my" if first.lower() == "your" else yours(first.lower())
        words = f"{opening} {yours(' '.join(tokens[1:]))}"
        return Topic(words, _ends_in_name(words), _is_plural(tokens))
    if first.lower() in FUNCTION_WORDS or re.fullmatch(r"\w+ly|\w+ing", first) or tokens[-1].lower() in FUNCTION_WORDS:
        return None
    if (
        first.startswith("`")
        or re.search(r"\d|[A-Z]", first[1:])
        or (first[0].isupper() and len(tokens) > 1 and re.match(r"[A-Z0-9]", tokens[1]))
    ):
        return Topic(phrase, _ends_in_name(phrase), _is_plural(tokens))
    if first[0].islower():
        return Topic(phrase, _ends_in_name(phrase), _is_plural(tokens))
    if re.search(rf"(?<=[a-z,;] ){re.escape(first)}\b", known) or known.split("\n")[0] == first:
        return Topic(phrase, _ends_in_name(phrase), _is_plural(tokens))
    if re.search(rf"(?<=[\w,;] ){re.escape(first.lower())}\b", known):
        return Topic(
            " ".join((first.lower(), *tokens[1:])),
            _ends_in_name(" ".join(tokens[1:]) or first.lower()),
            _is_plural(tokens),
        )
    return None


def _holds_name(phrase: str) -> bool:
    return bool(re.search(r"`[^`]+`|\b[A-Z]\w*[A-Za-z0-9]\b|\b\w*\d\w*\b|\b[a-z]+[A-Z]", phrase))


def _ends_in_name(phrase: str) -> bool:
    """Whether it is a thing of that name; `the new CSS stuff` is what the text calls so."""
    words = phrase.split()
    # `XP` and `the Index` are known to those who have read the text.
    if re.fullmatch(r"[A-Z]{1,4}s?", words[-1]) or (
        len(words) == 2 and words[0] in ("the", "your") and words[1].istitle()
    ):
        return False
    return _holds_name(words[-1]) or phrase.endswith("`")


def _is_plural(tokens: list[str]) -> bool:
    """By the word before the first preposition: `the pages of the site`."""
    core = tokens
    for position, token in enumerate(tokens):
        if position and token in ("of", "for", "in", "on", "with", "from", "at", "to", "like"):
            core = tokens[:position]
            break
    return bool(re.search(r"(?<![sSuUIi'])s$", core[-1])) and core[-1].lower() not in (
        "windows",
        "css",
        "dns",
        "ios",
        "macos",
        "os",
        "https",
        "sass",
    )
