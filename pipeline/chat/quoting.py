"""Quoting first: the sentences of the passages that answer a question, word for word.

A model of a hundred million parameters reads badly and invents freely; a sentence found by meaning and words is the
owner's own. So with such a model the answer is a quotation: `benchmarks.first_answers` measures both.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pipeline.chat.asked_property import AskedProperty, begins_with_label
from pipeline.chat.prompt import heading_line
from pipeline.chat.records import Similarity
from pipeline.index.passages import Passage
from pipeline.text.detecting import main_language
from pipeline.text.languages.tables import Language, table
from pipeline.text.pieces import is_code, is_item, join_sentences, split_sentences
from pipeline.text.verbs import verbs_of
from pipeline.text.words import content_stems, stems_with_parts

MEANING_WEIGHT = 0.6
"""Of a text's cosine with the question; the rest is the share of the question's words that it holds."""
RANK_WEIGHT = 0.1
"""Added in full for the first passage, halved for the second, and so on: retrieval has seen more than the sentence."""
KIND_WEIGHT = 0.3
"""Added where a text holds the kind of thing that is asked for, such as a price, by the table of the question's language. Not
in English, where `AskedProperty` weighs it."""
SEEDS = 12
"""The best sentences, around each of which a quotation is tried: of twelve, some with a fact rank below the fourth."""
QUOTE_CHARS = 420
"""A quotation grows by its neighbouring sentences up to this length."""
CODE_AFTER = 2
"""Where a question asks how something is done, a code block is quoted too that follows after at most so many sentences."""
CODE_CHARS = 600
"""The most that a quotation grows by it."""
SECOND_SHARE = 0.85
"""A second quotation is added when it scores at least this share of the first. Of 399 questions about nine collections 308 are
right with it and 12 seeds, 302 with a share of .9, 299 with that and 4 seeds; a second one stands in 46, 31 and 26 %."""


@dataclass(frozen=True)
class Quote:
    n: int
    """The passage's number, from 1."""
    text: str

    def as_markdown(self) -> str:
        """A block quotation that ends in its mark."""
        mark = f"\n[{self.n}]" if is_code(self.text.rsplit("\n\n", 1)[-1]) else f" [{self.n}]"
        return "\n".join(f"> {line}".rstrip() for line in f"{self.text}{mark}".split("\n"))


@dataclass(frozen=True)
class _Window:
    """Sentences `start` to `end`, exclusive, of a passage."""

    passage: int
    start: int
    end: int


def best_quotes(
    question: str, passages: Sequence[Passage], similarity: Similarity, most: int = 2, *, asked: str = ""
) -> list[Quote]:
    """Up to `most` quotations, the best first, from different passages; [] for no passages.

    Args:
        question: as it stands alone.
        asked: the part of it that this turn asks, which counts as much again; "" for all of it.
    """
    parts = (question, asked or question)
    wanted = AskedProperty(parts[1])
    sentences = [split_sentences(passage.text) for passage in passages]
    single = [_Window(p, s, s + 1) for p, own in enumerate(sentences) for s in range(len(own))]
    scores = _scores(question, parts, wanted, passages, sentences, single, similarity)
    seeds = sorted(single, key=scores.__getitem__, reverse=True)[:SEEDS]
    windows = [_grown(seed, sentences[seed.passage], scores) for seed in seeds]
    grown = list(dict.fromkeys(_key_alone(window, sentences[window.passage], wanted) for window in windows))
    grown_scores = _scores(question, parts, wanted, passages, sentences, grown, similarity)
    language = main_language(question)
    chosen: list[_Window] = []
    for window in sorted(grown, key=grown_scores.__getitem__, reverse=True):
        if chosen and grown_scores[window] < SECOND_SHARE * grown_scores[chosen[0]]:
            break
        if window.passage not in {other.passage for other in chosen}:
            chosen.append(window)
    if table(language).asked_kind(parts[-1]) is None:  # no day, person or number
        chosen = [_with_code(window, sentences[window.passage]) for window in chosen]
    return [
        Quote(w.passage + 1, _shown(sentences[w.passage][w.start : w.end], _last_heading(passages[w.passage])))
        for w in chosen[:most]
    ]


def nearest_last(quotes: Sequence[Quote], passages: int, most: int) -> list[int]:
    """Places of up to `most` of so many passages: those with the best quotations, the best last, as models read best."""
    best = [quote.n - 1 for quote in quotes]
    others = [place for place in range(passages) if place not in best]
    return [*best, *others][:most][::-1]


def _last_heading(passage: Passage) -> str:
    return passage.heading.rpartition(" > ")[2]


def _shown(sentences: Sequence[str], heading: str) -> str:
    """The sentences, below the heading where a list of labels would not say what they are of."""
    text = join_sentences(sentences)
    return f"**{heading}**\n\n{text}" if heading and begins_with_label(sentences[0]) else text


def _scores(
    question: str,
    parts: Sequence[str],
    asked: AskedProperty,
    passages: Sequence[Passage],
    sentences: Sequence[Sequence[str]],
    windows: Sequence[_Window],
    similarity: Similarity,
) -> dict[_Window, float]:
    if not windows:
        return {}
    # The heading says what a sentence is about, as it does in the index.
    texts = [
        f"{heading_line(passages[w.passage])}\n{join_sentences(sentences[w.passage][w.start : w.end])}" for w in windows
    ]
    language = main_language(question)
    shape = _shape_of_answer(parts[-1], table(language))
    verbs = verbs_of(question, language) | verbs_of(parts[-1], language)
    wanted = [stems for part in parts if (stems := set(content_stems(part, language)))]
    scores = {}
    for window, text, cosine in zip(windows, texts, similarity(question, texts), strict=True):
        held = stems_with_parts(text, language)
        held |= {verb for verb, forms in verbs.items() if not forms.isdisjoint(held)}
        shared = sum(len(stems & held) / len(stems) for stems in wanted) / max(len(wanted), 1)
        heading = _last_heading(passages[window.passage])
        told = asked.weight(sentences[window.passage][window.start : window.end], heading)
        words = MEANING_WEIGHT * cosine + (1 - MEANING_WEIGHT) * shared
        scores[window] = words + told + RANK_WEIGHT / 2**window.passage
        if language != "en":
            said = "\n".join(sentences[window.passage][window.start : window.end])
            scores[window] += KIND_WEIGHT * shape(said)
    return scores


def _shape_of_answer(question: str, rules: Language) -> Callable[[str], float]:
    """A function that tells how surely a text holds what is asked for: the shape of the answer, or a thing of its kind.

    A quarter where words alone may count, as `einer` may.
    """
    kind, shape = rules.asked_kind(question), rules.answer_shape(question)
    pattern = shape or (rules.holds_kind(kind) if kind else None)

    def share(said: str) -> float:
        if pattern is None or not pattern.search(said):
            return 0.0
        return 0.25 if not shape and kind in ("amount", "time") and not any(map(str.isdigit, said)) else 1.0

    return share


def _grown(seed: _Window, sentences: Sequence[str], scores: dict[_Window, float]) -> _Window:
    """The seed with its neighbours, the better one first, as far as the length allows; after a colon always the next.

    An item of a list or a row of a table grows by its own list and the line above it: the rest is about something else.
    """
    start, end = seed.start, seed.end
    length = len(sentences[start])
    whole = _own_list(sentences, start) if is_item(sentences[start]) else range(len(sentences))

    def score(position: int) -> float:
        return scores[_Window(seed.passage, position, position + 1)]

    while start > whole.start or end < whole.stop:
        introduces = end < whole.stop and sentences[end - 1].endswith(":")
        forward = end < whole.stop and (introduces or start == whole.start or score(end) >= score(start - 1))
        neighbour = end if forward else start - 1
        if not introduces and length + len(sentences[neighbour]) > QUOTE_CHARS:
            break
        length += len(sentences[neighbour])
        start, end = (start, end + 1) if forward else (start - 1, end)
    return _Window(seed.passage, start, end)


def _key_alone(window: _Window, sentences: Sequence[str], asked: AskedProperty) -> _Window:
    """The one row whose key is what the question asks for: the rows around it are of other keys. Else the window."""
    named = {place: asked.named_by_key(sentences[place]) for place in range(window.start, window.end)}
    place = max(named, key=named.__getitem__)
    return _Window(window.passage, place, place + 1) if named[place] else window


def _with_code(window: _Window, sentences: Sequence[str]) -> _Window:
    """The window with the code block that follows it, and what leads to that."""
    last = sentences[window.end - 1]
    if is_code(last) or is_item(last):
        return window
    after = sentences[window.end : window.end + CODE_AFTER + 1]
    end = next((place for place, sentence in enumerate(after, 1) if is_code(sentence)), 0)
    return replace(window, end=window.end + end) if sum(map(len, after[:end])) <= CODE_CHARS else window


def _own_list(sentences: Sequence[str], item: int) -> range:
    """The places of the list around an item, and of the line that introduces it."""

    def belongs(place: int) -> bool:
        before = sentences[place - 1] if place > 0 else ""
        return is_item(sentences[place]) or (is_item(before) and before.endswith(":"))

    start, end = item, item + 1
    while start > 0 and belongs(start - 1):
        start -= 1
    while end < len(sentences) and belongs(end):
        end += 1
    if start > 0 and sentences[start - 1].endswith(":"):
        start -= 1
    return range(start, end)
