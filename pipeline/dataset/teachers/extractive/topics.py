"""What a chunk is about, in words that can stand in a visitor's question: no visitor quotes a title."""

import re

from pipeline.content.title_questions import IMPERATIVES
from pipeline.dataset.teachers.extractive.phrases import AUXILIARIES, BACK, BROKEN, THIRD_PERSON, holds_name
from pipeline.text.function_words import FUNCTION_WORDS
from pipeline.text.words import content_stems

_OWNED = frozenset(
    "app blog design filesystem game network project server setup site style website workflow workshop".split()
)
"""What an author who writes about such a thing mostly has: `your home server`."""
ENDS_HERE = re.compile(
    rf"(?:[’']s\b)?\s*(?:$|[,.;:!?)(—–]|(?:{'|'.join(map(re.escape, sorted(FUNCTION_WORDS | AUXILIARIES | set(THIRD_PERSON))))}|\w+ed|\w+ly)\b)"
)
"""What follows a name that is no part of a longer phrase."""
_SYMBOLS = re.compile(r"[^\w\s.,:;'’()/+#&`@-]")
_STATE = re.compile(r"draft|wip|rfc|todo|idea|part \w+|update|archived?|deprecated", re.IGNORECASE)
"""What a title says of the state of its document: `Draft - Podcasts of 2021`."""
_SUBJECT_OF_TITLE = re.compile(
    r"(?P<about>.+?) (?:is|are|was|were|kinda|sucks?|rocks?|isn't|aren't)\b.*", re.IGNORECASE
)
_OPENINGS = re.compile(
    r"(?:too many|so many|more|some|about|introducing|no|new year,|notes on|the joy of|why|thoughts on|a few words on)\s+",
    re.IGNORECASE,
)
_ENDINGS = re.compile(
    r"\s+(?:fun|updates?|adventures?|silliness|redesign|tricks|tips|thoughts|review|basics|stuff|introduction|guide|notes|released|announcement)$",
    re.IGNORECASE,
)
_OWN = re.compile(r"(?:my|our|a|an) (?=(?:new|first|second|own|old)\b)|(?:my|our) ", re.IGNORECASE)
_QUESTION = re.compile(r"(?:what|how|when|why|where|who|which|is|are|do|does|should|can)\b", re.IGNORECASE)
_NO_PHRASE = re.compile(
    r"\b(?:I|we|you|is|are|it|it's|this|that|got|moved|don't|can't|back|apparently|let's|there|hello|goodbye)\b",
    re.IGNORECASE,
)
_LAST_NAME = re.compile(r"(?:.*\s)?((?:[A-Z][\w.+-]*[\w+]|[a-z]+[A-Z]\w*)(?: \d[\w.]*)?)$")
LONGEST_WORDS = 9


_DEEDS = IMPERATIVES | frozenset(
    """access append apply avoid browse buy clean clear clone coerce combine configure convert copy count customize delete disable drop
    dump edit enable enforce execute expand fetch filter force format generate go grep highlight include insert jump list load lock log
    look merge navigate open override paste pass prevent print push quit rebase rename repeat replace reset resolve restore review
    rewrite salt save search select send serve skip sort specify split stage stash stop sync tag toggle trace undo unlock use verify
    view wrap""".split()
)
"""First words of titles that say what is to be done: `Drop commits with git rebase`."""


_ORDERS = frozenset(
    """accept adopt appreciate assign attach begin celebrate chat collect consider contact declare define deliver discover embrace
    enforce ensure establish exclude explore extend extract follow forget gather give handle hire identify ignore implement initialize
    integrate introduce invest invoke iterate join know launch leave let leverage limit maintain manage modify notice obtain perform
    prefer prepare preserve prove provide realize reduce refactor reject remember retire retrieve retry return revise sell send settle
    simplify solve speak specify spend standardize stay strive submit summarize teach tell throw transform treat trigger unify upload
    validate wait""".split()
) | (_DEEDS - set("access build change debug export go import list load log look measure paste pass print push search set stage start stop switch sync tag test trace try update use view watch".split()))  # fmt: skip
"""Verbs that are no noun as well: `Specify archetype` is no subject, `Search results` is one."""
_NO_SUBJECTS = frozenset(
    "additional advanced alpha beta caution default deprecated experimental general important legacy official optional"
    " required returns stable tip type warning".split()
)
_NOTHING_SAID = re.compile(
    r"(?:an? )?(?:api|appendix|change ?log|changes|contact|contents?|docs?|documentation|examples?|faqs?|feedback|general"
    r"|frequently asked questions|getting started|glossary|guides?|help|history|home|index|intro|introduction|license|links|misc(?:ellaneous)?"
    r"|motivation|note|notes|options|other|overview|preface|quick ?start|read ?me|reference|release notes|resources|settings|set ?up|summary"
    r"|support|tips|todo|troubleshooting|tutorials?|untitled|usage|welcome|what's new|installation|configuration)",
    re.IGNORECASE,
)
"""Titles that many documents have, and that tell nobody what a document is about."""


def says_nothing(title: str) -> bool:
    """Whether the title is one that many documents have, such as `Introduction`."""
    return bool(_NOTHING_SAID.fullmatch(without_symbols(title)))


def topic_of_folder(document: str) -> str:
    """What the folder of the document with this id is about: `vue testing library` of `vue-testing-library/intro.md`."""
    folder = re.sub(r"[-_]+", " ", document.rpartition("/")[0].rpartition("/")[2].rpartition(":")[2]).strip()
    return folder if " " in folder and len(folder.split()) <= 4 and re.fullmatch(r"[a-zA-Z ]+", folder) else ""


def topic_of(title: str, text: str) -> str:
    """What a document of this title is about, as a noun phrase for a question; "" if the title does not tell.

    `Steam Deck is Neat` gives `the Steam Deck`, `Too Many Phones` `phones`, `My First iPhone` `your first iPhone`.

    Args:
        text: shows which words are names and which of them have an article.
    """
    phrase = re.sub(r",\s*\w+ly$", "", without_symbols(title).replace("...", ""))
    if phrase.count("-") > 1 and " " not in phrase:
        # The name of a file: `brand-guidelines-2020`.
        phrase = phrase.replace("-", " ")
    # `Key Mime Pi: a keyboard`, `Using Nix (Part Two)`
    begin = re.split(r":\s| [-–—] ", re.sub(r"\s+\([^()]*\)$", "", phrase), maxsplit=1)[0].strip()
    phrase = (
        begin if content_stems(begin) and not _STATE.fullmatch(begin) else phrase.removeprefix(begin).lstrip(" -–—:")
    )
    if how := re.fullmatch(r"how to ([a-z]+) (\S.*)", phrase, re.IGNORECASE):
        phrase = f"{_gerund(how[1].lower()).capitalize()} {how[2]}"
    if _QUESTION.match(phrase) or _NOTHING_SAID.fullmatch(phrase):
        return ""
    if hit := _SUBJECT_OF_TITLE.fullmatch(phrase):
        phrase = hit["about"]
        if " " not in phrase and (phrase.islower() or not _NO_PHRASE.search(phrase)):
            return with_article(_as_in(phrase, text), text)
    deed = re.fullmatch(r"([A-Z][a-z]+) (\S.*)", phrase)
    is_order = deed and re.match(r"(?:an?|the|your|my)\b|[a-z]+ly$", deed[2], re.IGNORECASE)
    if (
        deed
        and (is_order or (deed[1].lower() in _DEEDS and " " in deed[2]))
        and deed[1].lower() not in FUNCTION_WORDS
        and deed[1][-3:] != "ing"
    ):
        phrase = f"{_gerund(deed[1].lower())} {deed[2]}"
    phrase = _OPENINGS.sub("", phrase) if _OPENINGS.match(phrase) else phrase
    shortened = _ENDINGS.sub("", phrase)
    if shortened.split()[-1:] and shortened.split()[-1].lower() not in FUNCTION_WORDS:
        phrase = shortened if holds_name(_as_in(shortened, text)) or len(shortened.split()) > 1 else phrase
    if BACK.search(phrase) or _NO_PHRASE.search(phrase):
        last = _LAST_NAME.fullmatch(phrase)
        phrase = last[1] if last and _is_name_in(last[1], text) else ""
    if not 1 <= len(phrase.split()) <= LONGEST_WORDS or not content_stems(phrase):
        return ""
    if phrase.split()[0].lower() in FUNCTION_WORDS - {"the", "your", "my", "our", "a", "an"}:
        return ""
    if owned := _OWN.match(phrase):
        return f"your {_as_in(phrase[owned.end() :], text)}"
    phrase = _as_in(phrase, text)
    if phrase.startswith("new "):
        return f"your {phrase}"
    if phrase.split()[-1] in _OWNED and not re.match(r"(?:the|your|\w+ing) ", phrase):
        found = with_article(phrase, text)
        return f"your {phrase}" if found == phrase else found
    # `A Review of My Time at Remix`
    phrase = re.sub(r"\b(?:my|our)\b", "your", phrase, flags=re.IGNORECASE)
    if re.fullmatch(r"[A-Z][a-z]+s", phrase) and phrase not in text:
        phrase = phrase.lower()
    if not holds_name(phrase) and " " not in phrase and not phrase.endswith("s"):
        return f"your {phrase}" if re.search(rf"\b(?:my|our) (?:\w+ )?{re.escape(phrase)}\b", text) else ""
    return with_article(phrase, text)


def with_article(name: str, text: str) -> str:
    """`name` with the article or `your` that it mostly has in `text`: `the Steam Deck`, `your Index`, `Python`.

    In `the ZFS pool` the article is the pool's.
    """
    found = re.finditer(rf"(?<![\w-])(?P<before>[\w'’]+\s+)?{re.escape(name)}(?![\w-])", text)
    before = [hit["before"] or "" for hit in found if ENDS_HERE.match(text[hit.end() :])]
    before = [word.strip().casefold() for word in before if word.islower() or word.strip() in ("The", "My", "Our", "")]
    mine, article = sum(word in ("my", "our") for word in before), before.count("the")
    if 2 * (mine + article) <= len(before) or name[0] == "`":
        return name
    return f"your {name}" if mine > article else f"the {name}"


def without_symbols(heading: str) -> str:
    """A heading without emoji and other decoration."""
    return " ".join(_SYMBOLS.sub(" ", heading).split()).strip(" .,:;-")


def as_subject(heading: str, text: str) -> str:
    """The heading as a noun phrase for a question; "" if it is a sentence, a question or a deed."""
    # `2. The test script`, `routes (Array)`
    phrase = re.sub(r"^\d+[.)] +| +\([^()]*\)$", "", without_symbols(heading))
    tokens = phrase.split()
    if (
        not 1 <= len(tokens) <= 4
        or re.search(r"/| -{1,3} |: ", heading)
        or re.search(r"\?$|^\S+!", heading.strip())
        or BACK.search(phrase)
        or BROKEN.search(phrase)
        or _NO_PHRASE.search(phrase)
    ):
        return ""
    first = tokens[0].lower()
    if first in FUNCTION_WORDS - {"the", "your", "my"} or re.fullmatch(
        r"\w+ing|[\w-]+ed|enter|configure|delete|watch|look|re-\w+", first
    ):
        return ""
    if len(tokens) > 1 and (first in IMPERATIVES | _ORDERS or (first in _DEEDS and tokens[1] in ("to", "with"))):
        return ""
    if re.fullmatch(r"[a-z]+ly", tokens[-1]) or (len(tokens) == 1 and first in _NO_SUBJECTS):
        return ""
    if first in ("the", "my"):
        return f"{'the' if first == 'the' else 'your'} {_as_in(' '.join(tokens[1:]), text)}"
    phrase = _as_in(phrase, text)
    if (
        len(tokens) == 1
        and phrase not in text
        and re.fullmatch(r"[A-Z][a-z]+(?:ion|ing|ment|ness|ity|ware|age|ance|ence|s)", phrase)
    ):
        phrase = phrase.lower()
    return with_article(phrase, text)


_WITHOUT_CODE = re.compile(r"```.*?```|`[^`]*`|\S*(?:[/@]|\w\.\w)\S*", re.DOTALL)
_PLAIN = frozenset(
    """first second third new old own mice adventures app apps backup backups basics blog book books camera code comics cooking design development domain drive drives editor
    experience features file filesystem fitness game games garden hardware health home installation keyboard language languages laptop
    library machine machines modding music network networking note notes performance phone phones photography plugins programming project
    projects recipes server servers setup shop site software storage store stores style subdirectory system theme tools travel update
    web website work workflow workshop""".split()
)
"""Words that a title writes large and a sentence small, where the text does not show it."""


def in_small_letters(title: str, text: str) -> str:
    """The title without the capitals that only a title gives its words; its first letter stays."""
    small = _as_in(title, text)
    return f"{title[:1]}{small[1:]}"


def _as_in(phrase: str, text: str) -> str:
    """The phrase with the small letters that its words have inside sentences: a title writes them large."""
    tokens = phrase.split()
    text = _WITHOUT_CODE.sub(" ", text)
    small, unknown = set[int](), set[int]()
    for position, token in enumerate(tokens):
        bare = re.sub(r"\W+$", "", token)
        if not (re.fullmatch(r"[A-Z][a-z'’-]+s?", bare) or bare == "A"):
            continue
        is_small = re.search(rf"(?<![\w“\"-]){re.escape(bare.lower())}(?![\w-])", text)
        is_large = re.search(rf"(?<=[\w,;)] ){re.escape(bare)}(?![\w-])", text)
        if (
            (is_small and not is_large)
            or (not is_large and bare.lower() in FUNCTION_WORDS | _PLAIN)
            or (not position and bare.endswith("ing"))
        ):
            small.add(position)
        elif not is_large:
            unknown.add(position)
    # Where one word is small inside sentences, the title writes all words large; `Privacy and keys` only its first.
    is_title = len(tokens) > 2 and len(small | unknown) > len(tokens) / 2
    if small - {0} or is_title or any(token.islower() and token not in FUNCTION_WORDS for token in tokens):
        small |= unknown
    return " ".join(token.lower() if position in small else token for position, token in enumerate(tokens))


def _gerund(verb: str) -> str:
    if verb.endswith("e") and not verb.endswith("ee"):
        return f"{verb[:-1]}ing"
    doubled = re.fullmatch(r"[^aeiou]*[aeiou][bdgmnprt]", verb)
    return f"{verb}{verb[-1] if doubled else ''}ing"


def _is_name_in(name: str, text: str) -> bool:
    return len(name) > 3 and bool(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text))
