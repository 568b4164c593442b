"""The marks [n] of an answer: which passage each sentence rests on, and the passage's words that say so."""

import re
from collections.abc import Sequence, Set

from pipeline.chat.records import Citation, Similarity
from pipeline.chat.sentence_stream import sentence_stream
from pipeline.index.passages import Passage
from pipeline.text.numbers import counted, numbers
from pipeline.text.pieces import bare, is_code, split_sentences
from pipeline.text.words import content_stems, stems_with_parts

_MARK = re.compile(r"\[(\d{1,3})\]")
_MARKS = re.compile(r"(`[^`\n]*`)|[ \t]*\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\](?!\()")
"""Marks of a model, one or many in one bracket; in code there are none."""
_END = re.compile(r"[.!?。！？]+$")

SUPPORTED = 0.6
"""Share of a sentence's content words that a passage must hold for the sentence to rest on it."""
TIE = 0.1
"""Passages that are no further behind the best one may hold it as well: meaning decides."""
MEANT = 0.5
"""Cosine from which on a sentence in other words than the passage's rests on it."""


def without_marks(sentence: str) -> str:
    """The sentence without a model's marks."""
    return sentence if is_code(sentence) else _MARKS.sub(lambda found: found[1] or "", sentence)


def marks_of(sentence: str) -> list[int]:
    """The numbers that a model's marks name."""
    if is_code(sentence):
        return []
    groups = [found[2] for found in _MARKS.finditer(sentence) if found[2]]
    return list(dict.fromkeys(int(n) for group in groups for n in re.findall(r"\d+", group)))


def marked(sentence: str, marks: Sequence[str]) -> str:
    """The sentence with marks before its full stop; headings, rows of tables and what introduces a list get none."""
    text = sentence.rstrip()
    space = sentence[len(text) :]
    if not marks or not text or text.endswith(":") or text.lstrip().startswith(("|", "#")):
        return sentence
    if is_code(text):
        return f"{text}\n{''.join(marks)}{space}"
    end = found.start() if (found := _END.search(text)) else len(text)
    return f"{text[:end].rstrip()} {''.join(marks)}{text[end:]}{space}"


def mark(answer: str, passages: Sequence[Passage], similarity: Similarity, *, keeps_marks: bool) -> str:
    """The answer with the marks of the passages that its sentences rest on; a sentence that rests on none gets none.

    Args:
        answer: whole, of any model.
        keeps_marks: whether the answer's own marks number these passages. They stay where their passage holds the sentence.
    """
    text = ""
    for said in sentence_stream(iter([answer])):
        sentence = without_marks(said.text)
        named = marks_of(said.text) if keeps_marks else []
        on = supporting_passages(sentence, passages, similarity, named) if passages and sentence.strip() else []
        text += marked(sentence, [f"[{n}]" for n in on])
    return text


def cited_numbers(answer: str) -> list[int]:
    """Each n that the answer names, in the order of first naming."""
    return list(dict.fromkeys(int(n) for n in _MARK.findall(answer)))


def support(sentence: str, text: str, known: Set[str] = frozenset()) -> float:
    """Share, 0 to 1, of the sentence's content words that `text` holds; 0 if it lacks one of its numbers.

    Args:
        known: numbers that it may lack.
    """
    stems = set(content_stems(_MARK.sub("", sentence)))
    if not stems or not numbers(_MARK.sub("", sentence)) - known <= counted(text):
        return 0.0
    return len(stems & stems_with_parts(text)) / len(stems)


def supporting_passages(
    sentence: str,
    passages: Sequence[Passage],
    similarity: Similarity,
    named: Sequence[int] = (),
    least: float = MEANT,
    asked: str = "",
) -> list[int]:
    """The numbers, from 1, of the passages that a sentence rests on; [] if it rests on none.

    Args:
        sentence: without marks.
        named: numbers that the model named; those that hold the sentence are taken, and no other.
        least: the cosine from which on meaning alone will do.
        asked: the question. What the sentence repeats of its numbers, a passage need not hold.
    """
    known = numbers(asked)
    texts = [f"{passage.title} {passage.heading} {passage.text}" for passage in passages]
    scores = [support(sentence, text, known) for text in texts]
    if kept := [n for n in named if 1 <= n <= len(texts) and scores[n - 1] >= SUPPORTED]:
        return kept
    best = max(scores, default=0.0)
    said = numbers(sentence) - known
    if best >= SUPPORTED:
        likely, least = [place for place, score in enumerate(scores) if score >= best - TIE], -1.0
        # "4 in 8 GB" holds the words of "4 GB" as well.
        likely = [place for place in likely if _says(texts[place], sentence)] or likely
    else:
        likely = [place for place, text in enumerate(texts) if said <= counted(text)]
    if len(likely) == 1 and least < 0:
        return [likely[0] + 1]
    if not likely or not content_stems(sentence):
        return []
    cosines = similarity(sentence, [texts[place] for place in likely])
    closest = max(range(len(likely)), key=cosines.__getitem__)
    return [likely[closest] + 1] if cosines[closest] >= least else []


def _says(text: str, sentence: str) -> bool:
    """Whether a text holds a sentence word for word."""
    wanted = re.escape(_END.sub("", sentence.strip()))
    return re.search(rf"(?<![\w.,]){wanted}(?!\w)", text, re.IGNORECASE) is not None


def citations(answer: str, passages: Sequence[Passage], asked: str = "") -> list[Citation]:
    """A citation for each passage that the answer names, with the passage's sentence that says it best.

    Args:
        asked: the question, where the answer quotes whole paragraphs: the sentence among them that is nearest to it.
    """
    return [_citation(n, answer, passages[n - 1], asked) for n in cited_numbers(answer) if 1 <= n <= len(passages)]


def _citation(n: int, answer: str, passage: Passage, asked: str) -> Citation:
    sentences = split_sentences(passage.text)
    said = stems_with_parts(asked or " ".join(s for s in split_sentences(answer) if f"[{n}]" in s) or answer)
    if asked:
        quoted = stems_with_parts(answer)
        sentences = [s for s in sentences if quoted.issuperset(content_stems(s))] or sentences
    quote = max(sentences, key=lambda s: len(said & set(content_stems(s))), default=passage.text)
    return Citation(
        n=n, document=passage.document, title=passage.title, url=passage.url, heading=passage.heading,
        quote=bare(quote), visibility=passage.visibility,
    )  # fmt: skip
