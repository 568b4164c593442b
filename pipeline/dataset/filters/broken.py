"""Finds texts that a model broke off, and words that it repeats because it has lost the thread."""

import re
from collections import Counter
from collections.abc import Sequence

from pipeline.dataset.filters.evidence import PairEvidence, evidence_of, shortened
from pipeline.dataset.filters.leftovers import prose, without_blocks
from pipeline.dataset.filters.said_again import said_again
from pipeline.dataset.records import Candidate
from pipeline.text.function_words import FUNCTION_WORDS
from pipeline.text.pieces import is_code, split_sentences
from pipeline.text.words import words

_OPEN_END = re.compile(r"(?:[,:\[–—]|(?<!:)\()\s*$|\s-\s*$")
_OPEN_QUOTE = re.compile(r'(?:^|[\s(])"\w[^"]*$|“[^”]*$')
"""A quotation that was begun; `prose` has taken those out that end."""
_OPEN_WORD = re.compile(
    r"\b(?:the|an?|and|or|but|because|which|whose|my|your|our|their|with|from|of|than|into|"
    r"such as|as well as|in order to|its|his|her|roughly|approximately|exactly|not at|I still|(?:because|since|which) (?:I|it|we|they) (?:am|is|was|are|were|have|had)|and how|and why|and what|and when)$"
)
LAST_WORDS = 3
"""So many last words of an answer are looked for in the text."""
SENTENCE_WORDS = 6
"""An answer of so many words with a verb is a sentence and has an end; `in Bergen, since 2012` is none."""
_VERB = re.compile(
    r"\b(?:is|are|was|were|am|has|have|had|do|does|did|can|could|will|would|should|may|might|must|[A-Za-z]+n['’]t|I['’]\w+|it['’]s"
    r"|(?:I|you|we|they) [a-z]+|it [a-z]+s|use|uses|used|because|although|whereas|took|broke|made|went|got|came|found|gave|kept|wrote|said"
    r"|told|thought|felt|left|lost|held|began|grew|knew|saw|ran|became|brought|bought|built|spent|sent|paid|chose|put|meant)\b",
    re.IGNORECASE,
)
_ITEM = r"^\s*(?:[-*+]|\d+[.)])\s"
_GOES_ON = re.compile(r" *\w| *\n *[a-z]")
"""How a sentence goes on. A line may be broken within it; the next word is small then."""
_LINK = re.compile(r"\[([^\[\]]*)\]\([^()\s]*\)")
_CLAUSE_ENDS = r"[*_`”\"')\]]*(?:\s*[,.;:!?()\[–—|…]|\s-\s|\s*\n\s*(?:\n|[-*+#>]|\d+[.)])|\s*$)"
_OPEN_ANSWER = re.compile(
    r"(?:\S+\s+){3,}(?:to|not|any|only|before|after|until|by|on|at|in|for|is|are|was|were|be|been|that|when|if|while|through|between|about"
    r"|this|these|every|each|who|very|more|also|will|would|can|could|should|I|we|they)$"
)
"""Words that end a question, but no answer of some length."""
_OPEN_BEFORE_MARK = re.compile(r"\b(?:the|an|and|my|your|our|because|such as|as well as)[.?!]$")
_INFLECTIONS = frozenset("s es ed d ing er ly n en e t".split())
_TRAILS_OFF = re.compile(r"(?:…|\.\.\.)$")
_FINISHED = re.compile(r"[.?!…。？！؟](?:\[\d+\])?[\"'”’»)*_`\s]*(?:\([^()]*\)\s*)?$")
_ENDS_IN_CODE = re.compile(r"[”)]$|#\d+$|\bhttps?://\S+$|\S+@\S+$|[\w/]+\.\w+$")
_MAY_REPEAT = frozenset("had that very so really no yes much far long bye ha her".split())
_NEVER_THRICE = frozenset("had that her".split())
_LONGEST_REPEATED = 12
"""Most words of a phrase that is looked for twice in a row."""
_TOKEN = re.compile(r"`[^`\n]*`|“[^”]*”|\"[^\"\n]*\"|[\w][\w'’.+-]*\w|\w|[.?!…]+")
_STEP_BY_STEP = frozenset("by after upon time day year person place side face".split())
_AND_ON = frozenset("again over on more up down around round through years miles less".split())
"""`again and again and again` somebody says, `gather and gather and` nobody."""


def broken(candidate: Candidate) -> str:
    """The reason to refuse a pair of which a sentence breaks off or says words twice, or ""."""
    pair, evidence = candidate.pair, evidence_of(candidate.sources)
    for name, text in (("question", pair.question), ("answer", "" if pair.kind == "refusal" else pair.answer)):
        own = prose(text).strip()
        if own and (
            _is_cut_off(own, candidate.text, evidence)
            or (name == "answer" and _is_unfinished(own, pair.answer, candidate.text, evidence))
        ):
            return f"the {name} breaks off: “…{own[-40:]}”"
        if twice := _twice(without_blocks(text), candidate.text, evidence):
            return f"the {name} says “{shortened(twice)}” one after the other"
    if pair.kind != "refusal" and (again := said_again(pair.answer, evidence)):
        return f"the answer says “{shortened(again)}” again"
    return ""


def _is_cut_off(own: str, text: str, evidence: PairEvidence) -> bool:
    open_brackets = own.count("(") - own.count(")") - own.count(":(")
    if _OPEN_END.search(own) or own.count("`") % 2 or open_brackets > 0:
        return True
    if not _FINISHED.search(own) and _OPEN_QUOTE.search(own.replace("“…”", "")):
        return True
    if hit := _TRAILS_OFF.search(own):
        *_, last = ("", *own[: hit.start()].split())
        return not re.search(rf"{re.escape(last)}\s?(?:…|\.\.\.)", text)
    # Only English function words are known that cannot end a sentence.
    if evidence.english and (_OPEN_WORD.search(own) or _OPEN_BEFORE_MARK.search(own)):
        return True
    sentences = split_sentences(own)
    if _last_item_breaks_off(own, text):
        return True
    return (
        len(sentences) > 1
        and all(_FINISHED.search(sentence) for sentence in sentences[:-1])
        and not any(is_code(sentence) or re.match(_ITEM, sentence) for sentence in sentences)
        and not _FINISHED.search(sentences[-1])
        and not _ENDS_IN_CODE.search(sentences[-1])
        and not _ends_there(own[-24:], text)
        and not _ends_a_clause(own, text)
    )


def _last_item_breaks_off(own: str, text: str) -> bool:
    """Whether all items of a list end with a mark but the last one."""
    *before, last = ("", *own.splitlines())
    items = [line.strip() for line in before if re.match(_ITEM, line)]
    return (
        len(items) > 1
        and all(item.endswith((".", "!", "?")) for item in items)
        and re.match(_ITEM, last) is not None
        and not last.rstrip().endswith((".", "!", "?", "”", ")", ":"))
        and not _ends_there(last[-24:], text)
    )


def _is_unfinished(own: str, answer: str, text: str, evidence: PairEvidence) -> bool:
    """Whether an answer without an end mark is more than a word or a phrase: a sentence, or the beginning of the text's."""
    if not _FINISHED.search(answer) and _begins_a_sentence(answer, text, evidence):
        return True
    *_, last = (own, *split_sentences(own))
    # A row of a table has no end mark either.
    if (
        _FINISHED.search(last)
        or is_code(last)
        or re.search(r"\|| — [^—]{1,30}$", last)
        or re.search(_ITEM, own, re.MULTILINE)
    ):
        return False
    if _ends_there(own[-24:], text) or _ends_a_clause(answer, text):
        return False
    if _ends_in_a_word(own, text):
        return True
    if _goes_on(answer, evidence) or (evidence.english and _OPEN_ANSWER.search(own)):
        return True
    is_sentence = evidence.english and len(last.split()) >= SENTENCE_WORDS and _VERB.search(last)
    return bool(is_sentence) and not _ENDS_IN_CODE.search(last)


def _ends_in_a_word(own: str, text: str) -> bool:
    """Whether the last word is the beginning of the word that follows the same word in the text: `free pl`, `free plan`."""
    hit = re.search(r"(\w+)\W+(\w{2,})$", own)
    if hit is None or re.search(rf"(?<!\w){re.escape(hit[2])}(?!\w)", text, re.IGNORECASE):
        return False
    rest = re.search(rf"(?<!\w){re.escape(hit[1])}\W+{re.escape(hit[2])}(\w+)", text, re.IGNORECASE)
    return rest is not None and rest[1] not in _INFLECTIONS


def _begins_a_sentence(answer: str, text: str, evidence: PairEvidence) -> bool:
    """Whether the answer's last sentence is the beginning of one of the text, which goes on there without any mark."""
    *_, last = ("", *split_sentences(answer))
    said = words(last)
    begin = f" {' '.join(said)} "
    if (
        len(said) <= LAST_WORDS
        or is_code(last)
        or not any(sentence.startswith(begin) for sentence in evidence.bare_sentences)
    ):
        return False
    return not _ends_a_clause(last, text)


def _ends_a_clause(answer: str, text: str) -> bool:
    """Whether the text has a mark behind the answer's last words: then only the answer's full stop is missing."""
    end = r"\W+".join(map(re.escape, words(answer)[-LAST_WORDS:])) + _CLAUSE_ENDS
    return re.search(end, _LINK.sub(r"\1", text).replace("’", "'"), re.IGNORECASE) is not None


def _goes_on(answer: str, evidence: PairEvidence) -> bool:
    """Whether a sentence of the text has the last words too and goes on after them, and none ends with them."""
    end = f" {' '.join(words(answer)[-LAST_WORDS:])} "
    said = [sentence for sentence in evidence.bare_sentences if end in sentence]
    if len(words(answer)) <= LAST_WORDS or not said:
        return False
    return not any(sentence.endswith(end) for sentence in said)


def _ends_there(end: str, text: str) -> bool:
    """Whether somewhere in the text a sentence ends with `end`: then only the full stop is missing."""
    return any(not _GOES_ON.match(text, hit.end()) for hit in re.finditer(re.escape(end), text))


def _twice(own: str, text: str, evidence: PairEvidence) -> str:
    """Words that stand one after the other twice, unless the text has them so."""
    tokens = list(_TOKEN.finditer(own))
    said = [token[0].casefold() for token in tokens]
    for length in (*range(1, _LONGEST_REPEATED + 1), *_half(said)):
        for start in range(len(said) - 2 * length + 1):
            phrase, times = said[start : start + length], 1
            while phrase == said[start + times * length : start + (times + 1) * length]:
                times += 1
            if times > 1 and _is_slip([token[0] for token in tokens[start : start + 2 * length]], times, evidence):
                found = own[tokens[start].start() : tokens[start + times * length - 1].end()]
                between = own[tokens[start + length - 1].end() : tokens[start + length].start()]
                is_list = "," in between and tokens[start][0].islower() and tokens[start + length][0][0].isupper()
                if re.search(r"[-–—|/:]", between) or is_list:
                    # `Rust Bot - Rust Bot for …` explains a name by itself; `a certificate, Certificate of …` lists.
                    continue
                # `Duran Duran`, unless the text has the name once.
                is_name = (
                    length == 1
                    and found.istitle()
                    and not (phrase[0] in FUNCTION_WORDS or phrase[0] in text.casefold())
                )
                bare = f" {' '.join(words(found))} "
                if not is_name and bare not in evidence.words:
                    return found
    sentences = [sentence.strip() for sentence in split_sentences(own)]
    seen = Counter(sentence.casefold() for sentence in sentences if len(sentence.split()) > 3)
    again = next((sentence for sentence in sentences if seen[sentence.casefold()] > 1), "")
    return again or _said_once(own, evidence)


def _said_once(own: str, evidence: PairEvidence) -> str:
    """Words that stand twice in a row where the text has them once between the same words, in any language."""
    said = words(own)
    for length in (*range(1, _LONGEST_REPEATED + 1), *_half(said)):
        for start in range(len(said) - 2 * length + 1):
            middle, end = start + length, start + 2 * length
            if said[start:middle] != said[middle:end]:
                continue
            if length == 1 and re.search(
                rf"\b{re.escape(said[start])}[.!?]\s+{re.escape(said[start])}\b", own, re.IGNORECASE
            ):
                # `No. No key is part of the page.`
                continue
            before, after = said[max(0, start - 2) : start], said[end : end + 2]
            known = len(before) + len(after) > 1 or length > LAST_WORDS
            if known and evidence.has((*before, *said[middle:end], *after)) and not evidence.has(said[start:end]):
                return " ".join(said[start:end])
    return ""


def _half(said: Sequence[str]) -> tuple[int, ...]:
    """Half the number of words, where all of them may stand twice."""
    return (len(said) // 2,) if len(said) % 2 == 0 and len(said) > 2 * _LONGEST_REPEATED else ()


def _is_slip(twice: Sequence[str], times: int, evidence: PairEvidence) -> bool:
    """Whether nobody says a phrase twice in a row. `very very` and `step by step by` somebody says."""
    length = len(twice) // 2
    phrase = [word.casefold() for word in twice[:length]]
    real = [word for word in phrase if re.search(r"[^\W\d_]", word)]
    if not re.match(r"\w|[`“\"]", phrase[0]):
        return False
    if length == 1:
        # Other languages say a word twice: `vous vous`, `die die`.
        may_repeat = phrase[0] in _MAY_REPEAT and not (times > 2 and phrase[0] in _NEVER_THRICE)
        is_word = len(real) == 1 and (len(phrase[0]) > 1 or phrase[0] in ("a", "i")) and not may_repeat
        return is_word and (evidence.english or times > 2)
    if any(re.fullmatch(r"[.?!…]+", word) for word in phrase) and length < 5:
        # `I like the Deck. The Deck is neat.`
        return bool(real) and twice[length][0].islower()
    if any(word[0] == "`" for word in phrase):
        return True
    if length == 2 and "and" in phrase:
        return not (_AND_ON & set(phrase) or any(word.endswith("er") for word in phrase))
    return len(real) > 1 and not (length == 2 and (_STEP_BY_STEP & set(phrase) or phrase[0] == phrase[1]))
