"""The voice of several systems: three measures, each between a floor and a ceiling, and their mean.

The measures see different things and hardly agree with each other (arXiv 2604.26460), and an ensemble beats any of them
(arXiv 2508.06374); so each is printed, and their mean is the voice: 0 is what other authors' text reaches, 1 what the
author's own held-out text reaches.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations

import numpy as np

from pipeline.evaluation.doubt import Difference, Estimate, percentiles, two_sided
from pipeline.evaluation.figures import Figure
from pipeline.evaluation.voice.about import ABOUT
from pipeline.evaluation.voice.classifier import Piece, recognise
from pipeline.evaluation.voice.distance import DRAWS, Distance, drawings, joined
from pipeline.evaluation.voice.features import Counter, form, function_words, table
from pipeline.evaluation.voice.texts import Text, answer_text, is_written_in, pieces
from pipeline.text.words import words

FEWEST_ANSWERS = 5
BUDGET = 600
"""Words of the joined texts, if there are as many."""
FEWEST_WORDS = 120
"""A system whose answers have fewer words has no voice to measure."""
LEAST_TOLD = 0.75
"""A measure that tells the author from others less often has no say in the voice."""
DISTANCES: dict[str, Counter] = {"voice_words": function_words, "voice_form": form}


@dataclass
class Voices:
    """What was found."""

    figures: dict[str, dict[str, Figure]] = field(default_factory=dict)
    """By system and measure."""
    differences: list[tuple[str, str, str, Difference]] = field(default_factory=list)
    """Between systems, by the mean of the measures."""
    told: dict[str, float] = field(default_factory=dict)
    """By measure, how often it tells the author from others, .5 is guessing: of unread pieces, or of pairs of texts."""
    notes: list[str] = field(default_factory=list)


def measure_voices(
    answers: Mapping[str, Mapping[str, str]],
    own: Sequence[Text],
    held_out: Sequence[Text],
    others: Sequence[Text],
    base: str = "",
    language: str = "en",
) -> Voices:
    """Places each system's answers between other authors and the author.

    Args:
        answers: by system and question, what was said; refusals are left out.
        own: the author's documents from which the voice is learnt.
        held_out: the author's other documents, which make the ceiling.
        others: documents by other authors, which make the floor. Without any, the answers of `base` make it.
        base: the system whose answers are the model's own prose; "" if there is none.
        language: of the documents, an ISO 639-1 code.
    """
    texts = {name: {question: answer_text(answer) for question, answer in of.items()} for name, of in answers.items()}
    texts = {name: of for name, of in texts.items() if len(of) >= FEWEST_ANSWERS and _size(of.values()) >= FEWEST_WORDS}
    lengths = [len(words(text)) for of in texts.values() for text in of.values()]
    length = int(np.clip(np.median(lengths), 15, 80)) if lengths else 0
    model = {question: text for question, text in texts.get(base, {}).items() if is_written_in(text, language)}
    floor = [list(pieces(text, length)) for text in others] if others else [list(model.values())]
    learnt, rest = (
        ([one for text in part for one in pieces(text, length)] for part in (own, held_out)) if lengths else ([], [])
    )
    if not texts or min(len(floor if others else model), len(learnt), len(rest)) < FEWEST_ANSWERS:
        return Voices(
            notes=["The voice was not measured: there is too little prose of the systems, the author or others."]
        )
    budget = int(min([BUDGET, _size(rest), *(_size(of.values()) for of in texts.values())]))
    questions = list(dict.fromkeys(question for of in texts.values() for question in of))
    found = Voices(figures={name: {} for name in texts})
    placed: dict[str, list[np.ndarray]] = {name: [] for name in texts}
    for key, count in DISTANCES.items():
        samples, far, near = _distances(
            partial(table, count=count, language=language), texts, learnt, rest, floor, budget
        )
        told = float(np.mean(near[:, None] < far[None, :]))
        _record(found, placed, texts, key, samples, float(far.mean()), float(near.mean()), told)
    own_pieces = [Piece(one, text.author) for text in (*own, *held_out) for one in pieces(text, length)]
    foreign = [Piece(one, text.author) for text in others for one in pieces(text, length)]
    by_model = [Piece(text, question) for question, text in model.items()]
    by_question = {name: [Piece(text, question) for question, text in of.items()] for name, of in texts.items()}
    seen = recognise(own_pieces, foreign, by_model, by_question, language)
    _record(
        found,
        placed,
        texts,
        "voice_ngrams",
        {name: _resampled(seen.answers[name]) for name in texts},
        seen.floor,
        seen.ceiling,
        seen.accuracy,
    )
    for name, parts in placed.items():
        if parts:
            found.figures[name]["voice"] = Figure(
                all=_estimate(np.mean(parts, axis=0), len(texts[name])), floor=0, ceiling=1
            )
    for a, b in combinations((name for name in texts if placed[name]), 2):
        gap = np.mean(placed[b], axis=0) - np.mean(placed[a], axis=0)
        low, high = percentiles(gap)
        difference = Difference(value=float(gap.mean()), low=low, high=high, p=two_sided(gap), count=len(questions))
        found.differences.append((a, b, "voice", difference))
    found.notes += [
        f"Voices were compared on texts of about {budget} words, the floor on "
        + (f"{len(others)} other authors" if others else f"{len(model)} answers of the base model")
        + f", the ceiling on {len(held_out)} held-out documents.",
    ]
    return found


def _distances(
    counts: Callable[[Sequence[str]], np.ndarray], texts: Mapping[str, Mapping[str, str]], learnt: Sequence[str], rest: Sequence[str],
    floor: Sequence[Sequence[str]], budget: int,
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:  # fmt: skip
    """The distances of joined answers by system, of others' text by who wrote it, and of the author's held-out text."""
    sizes = [_sizes(learnt), *(_sizes(of) for of in floor)]
    distance = Distance(counts(learnt), [counts(of) for of in floor], sizes, budget)
    held = joined(counts(rest), _sizes(rest), budget, np.random.default_rng(0), DRAWS)
    samples = {}
    for name, of in texts.items():
        said = list(of.values())
        samples[name] = distance.of(joined(counts(said), _sizes(said), budget, np.random.default_rng(0), DRAWS))
    return samples, distance.foreign, distance.of(held)


def _record(
    found: Voices,
    placed: dict[str, list[np.ndarray]],
    texts: Mapping[str, Mapping[str, str]],
    key: str,
    samples: Mapping[str, np.ndarray],
    floor: float,
    ceiling: float,
    told: float,
) -> None:
    """Writes down a measure, and where it places each system if it can tell the author from others."""
    found.told[key] = told
    for name, values in samples.items():
        found.figures[name][key] = Figure(all=_estimate(values, len(texts[name])), floor=floor, ceiling=ceiling)
    title = ABOUT[key].title.lower()
    found.notes.append(
        f"Of texts that it has not read, “{title}” tells the author's from others' in {told:.0%} (50% is guessing)"
        + ("." if told >= LEAST_TOLD else ", so it is no part of the voice.")
    )
    if told < LEAST_TOLD:
        return
    for name, values in samples.items():
        placed[name].append((values - floor) / (ceiling - floor))


def _resampled(values: np.ndarray) -> np.ndarray:
    """The means of answers that are drawn with replacement, (DRAWS,)."""
    drawn = drawings(np.ones(len(values)), len(values), np.random.default_rng(0), DRAWS)
    return np.array([values[places].mean() for places in drawn])


def _estimate(samples: np.ndarray, count: int) -> Estimate:
    low, high = percentiles(samples)
    return Estimate(value=float(samples.mean()), low=low, high=high, count=count)


def _sizes(texts: Sequence[str]) -> np.ndarray:
    return np.array([max(1, len(words(text))) for text in texts], float)


def _size(texts: Iterable[str]) -> int:
    return sum(len(words(text)) for text in texts)
