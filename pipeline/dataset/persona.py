"""Drafts the persona by counting how the author of the public notes writes. It asks no model."""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

from pydantic import BaseModel

from pipeline import files
from pipeline.content.documents import Document
from pipeline.content.frontmatter import lookup
from pipeline.content.parsing import read_text
from pipeline.dataset.records import PairSource
from pipeline.dataset.teachers.extractive.other_languages import language_of
from pipeline.dataset.teachers.extractive.phrases import named
from pipeline.dataset.teachers.extractive.text import ExtractedStatement, Text, is_whole, read
from pipeline.errors import SettingsError, SitetwinError
from pipeline.text.detecting import is_english
from pipeline.text.sentences import sentences

SAMPLES, SAMPLES_CHARS = 4, 420
"""Most samples, and most characters of all samples together: they are part of every chat's prompt."""
FIRST_PERSON = 0.1
"""From this share of sentences with I or we on, the persona speaks in the first person."""
FEWEST_SENTENCES = 5
"""Fewer sentences don't show how somebody writes."""

_WE = re.compile(r"\b(?:we|we're|we've|we'll|our|us|ours)\b", re.IGNORECASE)
_I = re.compile(r"\bI\b|\b(?:my|me|mine|myself)\b")
_PERSONS = {
    "English": (_I, _WE),
    "German": (re.compile(r"\b(?:ich|mir|mich|mein\w*)\b", re.IGNORECASE), re.compile(r"\b(?:wir|uns|unser\w*)\b", re.IGNORECASE)),
    "French": (re.compile(r"\b(?:je|moi|mon|ma|mes)\b|\bj['’]", re.IGNORECASE), re.compile(r"\b(?:nous|notre|nos)\b", re.IGNORECASE)),
    "Dutch": (re.compile(r"\b(?:ik|mij|mijn)\b", re.IGNORECASE), re.compile(r"\b(?:wij|we|ons|onze)\b", re.IGNORECASE)),
}  # fmt: skip
"""Words for I and we, in languages that do not drop them."""
_NEVER = re.compile(r"(?!)")
_YOU = re.compile(r"\b(?:you|your|yours|yourself)\b", re.IGNORECASE)
_SHORT = re.compile(
    r"\b\w+(?:n['’]t|['’](?:m|ve|re|ll|d))\b|\b(?:it|that|there|what|here|he|she)['’]s\b", re.IGNORECASE
)
_LONG = re.compile(
    r"\b(?:I am|I have|I will|I would|(?:you|we|they) (?:are|have|will)|(?:it|that|there) is"
    r"|(?:do|does|did|is|are|was|were|have|has|can|could|would|should|will) not|cannot)\b",
    re.IGNORECASE,
)
_EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")
_SMILEY = re.compile(r"(?<!\S)[:;]-?[)DPp(](?!\w)")
_GREETING = re.compile(r"(?:hi|hello|hey|welcome|dear|good (?:morning|evening))\b[^.!?]*[.!?,]", re.IGNORECASE)
_TURNS = (
    *"honestly basically actually absolutely definitely probably seriously weirdly luckily sadly apparently obviously".split(),
    *"personally anyway overall essentially ideally hopefully frankly literally".split(),
    *"kind of,pretty much,of course,for example,in fact,I think,I guess,I mean,to be honest,as always,for some reason".split(
        ","
    ),
    *"at this point,that said,in short,after all,by the way,so far,at least,at all,for now,no idea,in my opinion".split(
        ","
    ),
    *"a bit,a lot of,in general,not sure,turns out,as usual,on the other hand,in practice,in other words,such as".split(
        ","
    ),
)
"""Words and phrases that distinguish writers of English, whatever their subject."""
_PRIVATE = re.compile(r"[@$€£]|https?:|www\.|\d{3}|\w\.(?:com|org|net)\b|`|“|\"", re.IGNORECASE)


class PersonaGrounds(BaseModel):
    """What was counted. Shares are of all sentences, from 0 to 1."""

    documents: int
    sentences: int
    language: str
    """Name of the language, in English; "" if it was not recognised."""
    first_person: float
    plural: float
    """Sentences with we."""
    addresses_reader: float
    contractions: float
    """Share of the places where a contraction is possible that have one."""
    exclamations: float
    questions: float
    asides: float
    """Sentences with words in parentheses."""
    smileys_per_document: float
    """Emoji and :) together."""
    words_per_sentence: int
    """The median."""
    sentences_per_paragraph: int
    """The median."""
    turns: list[str]
    """The author's frequent turns of phrase, the most frequent first."""
    greeting: str
    """A greeting with which at least a fifth of the documents begin."""
    closing: str
    """A last sentence that several documents share."""


class PersonaDraft(BaseModel):
    """A drafted persona and the counts behind it."""

    name: str
    prompt: str
    samples: list[str]
    grounds: PersonaGrounds


def draft(documents: Sequence[Document], site: str) -> PersonaDraft:
    """Draft a persona from `documents`, which must be public.

    Args:
        site: the site's name, used if the front matter names no author; "" for none.

    Raises:
        SitetwinError: there are too few sentences to say anything.
    """
    texts = [_read(document) for document in documents]
    grounds = _count(texts)
    if grounds.sentences < FEWEST_SENTENCES:
        raise SitetwinError(
            f"the public notes hold {grounds.sentences} sentences, too few for a persona: "
            "write persona.prompt by hand, or make more notes public (`sitetwin status`)"
        )
    name = _author(documents) or site
    return PersonaDraft(name=name, prompt=_prompt(grounds), samples=_samples(texts, grounds), grounds=grounds)


def as_toml(found: PersonaDraft) -> str:
    """The draft as a `[persona]` block of TOML. Its comments name the counts."""
    grounds = found.grounds
    told = [
        f"# Drafted from {grounds.documents} public notes with {grounds.sentences} sentences; edit it until it sounds right.",
        f"# I or we in {grounds.first_person:.0%} of the sentences, you in {grounds.addresses_reader:.0%}, "
        f"contractions in {grounds.contractions:.0%} of the places for them,",
        f"# exclamation marks in {grounds.exclamations:.1%}, asides in parentheses in {grounds.asides:.0%}; "
        f"{grounds.words_per_sentence} words a sentence, {grounds.sentences_per_paragraph} sentences a paragraph.",
    ]
    samples = "".join(f"  {_string(sample)},\n" for sample in found.samples)
    block = f"name = {_string(found.name)}\nprompt = {_string(found.prompt)}\n"
    note = "# Your own sentences; they stand before every chat, so keep them few."
    written = f"{note}\nsamples = [\n{samples}]\n" if samples else "samples = []\n"
    return "[persona]\n" + "\n".join(told) + "\n" + block + written


def write(file: Path, block: str) -> None:
    """Append `block` to the settings file, and change nothing else.

    Raises:
        SettingsError: the file has a persona already.
    """
    before = file.read_bytes()
    text = before.decode("utf-8")
    if "persona" in tomllib.loads(text):
        raise SettingsError(f"{file} has a persona already: edit it there, or take it out and run this again")
    ending = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not text.strip() else "\n" if text.endswith("\n") else "\n\n"
    after = text + (gap + block).replace("\n", ending)
    tomllib.loads(after)
    files.write_text(file, after)


def _read(document: Document) -> Text:
    return read(PairSource(document.id, document.id, 0, document.title, "", document.text, document.visibility))


def _count(texts: Sequence[Text]) -> PersonaGrounds:
    paragraphs = [
        [sentence for sentence in sentences(block.text) if len(sentence.split()) > 2]
        for text in texts
        for block in text.blocks
        if block.kind == "paragraph"
    ]
    paragraphs = [paragraph for paragraph in paragraphs if paragraph]
    said = [sentence for paragraph in paragraphs for sentence in paragraph]
    whole = "\n".join(said)
    short, long = len(_SHORT.findall(whole)), len(_LONG.findall(whole))
    smileys = sum(len(_EMOJI.findall(text.whole)) + len(_SMILEY.findall(text.whole)) for text in texts)
    english = is_english(whole)
    language = "English" if english else language_of(whole)
    singular, plural = _PERSONS.get(language, (_NEVER, _NEVER))
    return PersonaGrounds(
        documents=len(texts),
        sentences=len(said),
        language=language,
        first_person=_share(said, lambda sentence: singular.search(sentence) or plural.search(sentence)),
        plural=_share(said, plural.search),
        addresses_reader=_share(said, _YOU.search),
        contractions=short / max(1, short + long),
        exclamations=_share(said, lambda sentence: re.search(r"!\W*$", sentence)),
        questions=_share(said, lambda sentence: sentence.rstrip('"”)').endswith("?")),
        asides=_share(said, lambda sentence: re.search(r"\([^)]{8,}\)", sentence)),
        smileys_per_document=smileys / max(1, len(texts)),
        words_per_sentence=round(median(len(sentence.split()) for sentence in said)) if said else 0,
        sentences_per_paragraph=round(median(map(len, paragraphs))) if paragraphs else 0,
        turns=_turns(texts) if english else [],
        greeting=_greeting(texts),
        closing=_closing(texts),
    )


def _share(said: Sequence[str], is_so: Callable[[str], object]) -> float:
    return sum(bool(is_so(sentence)) for sentence in said) / max(1, len(said))


def _turns(texts: Sequence[Text]) -> list[str]:
    """The five most frequent turns of phrase that at least a tenth of the documents, and at least three, share."""
    held: Counter[str] = Counter()
    for text in texts:
        prose = " ".join(block.text for block in text.blocks if block.kind == "paragraph")
        held.update(turn for turn in _TURNS if re.search(rf"\b{turn}\b", prose, re.IGNORECASE))
    often = [turn for turn, count in held.most_common() if count >= max(3, len(texts) / 10)]
    return often[:5]


def _greeting(texts: Sequence[Text]) -> str:
    found = Counter(hit[0] for text in texts if (first := _edge(text, 0)) and (hit := _GREETING.match(first)))
    return found.most_common(1)[0][0] if found.total() >= max(2, len(texts) / 5) else ""


def _closing(texts: Sequence[Text]) -> str:
    found = Counter(last for text in texts if (last := _edge(text, -1)) and len(last.split()) <= 12)
    last, count = found.most_common(1)[0] if found else ("", 0)
    return last if count >= max(3, len(texts) / 10) else ""


def _edge(text: Text, end: int) -> str:
    """The first (0) or last (-1) sentence of a text."""
    paragraphs = [block.text for block in text.blocks if block.kind == "paragraph" and block.text]
    return sentences(paragraphs[end])[end] if paragraphs else ""


def _prompt(grounds: PersonaGrounds) -> str:
    return " ".join(_instructions(grounds))


_MOST_SENTENCES = ("two", "two", "two", "three", "four")


def _instructions(grounds: PersonaGrounds) -> Iterator[str]:
    if grounds.first_person >= FIRST_PERSON:
        we = grounds.plural > grounds.first_person / 2
        yield f"Speak as the author of these notes, in the first person ({'we' if we else 'I'})."
    elif grounds.language in _PERSONS:
        yield "Speak for the author of these notes, without I."
    else:
        yield "Speak as the author of these notes."
    if grounds.language not in ("", "English"):
        yield f"Write {grounds.language}."
    if grounds.addresses_reader >= 0.1:
        yield "Address the reader as you." if grounds.language == "English" else "Address the reader."
    if grounds.language == "English" and grounds.contractions >= 0.5:
        yield "Use contractions such as I'm and don't."
    elif grounds.language == "English" and grounds.contractions <= 0.15:
        yield "No contractions: do not, it is."
    yield f"Sentences have about {grounds.words_per_sentence} words; an answer has one to {_MOST_SENTENCES[min(4, grounds.sentences_per_paragraph)]} sentences."
    if grounds.exclamations >= 0.05:
        yield "Now and then a sentence ends in an exclamation mark."
    elif grounds.exclamations < 0.005:
        yield "No exclamation marks."
    if grounds.asides >= 0.08:
        yield "Put asides in parentheses."
    if grounds.smileys_per_document >= 0.5:
        yield "A smiley or an emoji is welcome, rarely."
    elif grounds.smileys_per_document < 0.05:
        yield "No emoji."
    if grounds.turns:
        yield f"Turns of phrase you like: {', '.join(grounds.turns)}."
    if grounds.greeting:
        yield f"Begin with a greeting, such as: {grounds.greeting}"
    if grounds.closing:
        yield f"You often close with: {grounds.closing}"


def _samples(texts: Sequence[Text], grounds: PersonaGrounds) -> list[str]:
    """The most typical sentences without names and private things, at most one per document."""
    best: list[tuple[float, str]] = []
    for text in texts:
        scored = [
            (_typical(statement, grounds), statement.head) for statement in text.statements if _is_safe(statement)
        ]
        if grounds.first_person >= FIRST_PERSON:
            scored = [entry for entry in scored if any(word.search(entry[1]) for word in _PERSONS[grounds.language])]
        if scored:
            best.append(max(scored))
    chosen: list[str] = []
    for _, sentence in sorted(best, reverse=True):
        if len(chosen) < SAMPLES and sum(map(len, chosen)) + len(sentence) <= SAMPLES_CHARS:
            chosen.append(sentence)
    return chosen


def _typical(statement: ExtractedStatement, grounds: PersonaGrounds) -> float:
    """How typical a statement is: the weights of the author's habits that it shows, less its difference in length."""
    head = statement.head
    singular, plural = _PERSONS.get(grounds.language, (_NEVER, _NEVER))
    signs = [(2 * grounds.first_person, singular), (grounds.plural, plural)]
    signs += [(grounds.addresses_reader, _YOU), (grounds.contractions, _SHORT)]
    score = sum(weight for weight, pattern in signs if pattern.search(head))
    score += 0.5 * any(re.search(rf"\b{turn}\b", head, re.IGNORECASE) for turn in grounds.turns)
    return score - abs(len(head.split()) - grounds.words_per_sentence) / 20


def _is_safe(statement: ExtractedStatement) -> bool:
    """Whether a statement has no names, numbers, addresses or quotations. Everybody reads a sample, without its note."""
    head = statement.head
    return (
        is_whole(head)
        and 7 <= len(head.split()) <= 26
        and not named(head)
        and not statement.names
        and not _PRIVATE.search(head)
        and not head[0].islower()
        and not re.search(r"\b(?:that|this|these|those|it|they|them|here)\b|\d", head, re.IGNORECASE)
        and not re.search(r"(?<=[\w,;)] )(?!I\b|I')[A-ZÀ-Þ]\w", head)
        and head.count("(") == 0
    )


def _author(documents: Sequence[Document]) -> str:
    """The author that the front matter of more than half of the documents names; "" if there is none."""
    found: Counter[str] = Counter()
    for document in documents:
        author = lookup(read_text(document.path.read_bytes(), document.path.suffix.lower()).values, "author")
        if isinstance(author, str) and author.strip():
            found[author.strip()] += 1
    name, count = found.most_common(1)[0] if found else ("", 0)
    return name if 2 * count > len(documents) else ""


def _string(text: str) -> str:
    """`text` as a basic string of TOML. JSON's strings differ from it in one character only."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
