"""How much each piece of evidence weighs in this collection, learnt from the collection alone.

No one labels anything. A pseudo-question made of a chunk's own words is answered by the search as it is, and not by
the same search without that chunk's document. A logistic regression tells the two apart by their evidence. It starts
from what held in general, which few notes move little and many notes a lot.
"""

import base64
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ValidationError

from pipeline import files
from pipeline.answerability.evidence import Background, Evidence, background, wanted_tokens, weigh
from pipeline.answerability.pseudo_questions import PseudoQuestion, pseudo_questions
from pipeline.index import Index
from pipeline.index.passages import Passage
from pipeline.index.vocabulary import Statistics, open_statistics
from pipeline.settings import Settings, Visibility
from pipeline.text import tokens

if TYPE_CHECKING:
    from pipeline.embedding.embedder import Embedder

VERSION = 2
"""Raise it when evidence or pseudo-questions change, so that what was learnt before is learnt again."""
QUESTIONS = 400
"""With 200 it hung on which were drawn whether a question was declined: of 60 that the docs answer 0 to 4 were, by
keywords alone. With 400, and the assumptions as firm beside them, the spread is a half to a third."""
SAMPLED_CHUNKS = 600
REACH = 50
"""Passages asked for, so that some are left without the document that answers."""
DUPLICATE = 0.8
"""Share of the tokens of two chunks in common, from which one answers for the other."""
SAMPLED_VECTORS = 200
CHANGED = 0.1
"""Share by which the number of chunks may change before it is learnt again."""

FALSE_REFUSALS = {"dense": 0.11, "keyword": 0.06}
"""Share of the pseudo-questions which may be refused though the passages answer them. With vectors it is twice that
without: pseudo-questions are no natural sentences, and their cosines fall short of those of people's questions. On the
golden questions made before this (docs, blog, vault) both meant less than 5 % of people's questions."""
ASSUMED_QUESTIONS = 100
"""As many questions' weight has what is assumed of the threshold before anything is learnt."""


class Model(BaseModel):
    """A logistic regression: evidence to the probability that the passages answer, at even odds."""

    weights: list[float]
    """Of `Evidence.row`."""
    decline_below: float
    """Below this probability the passages are taken not to answer."""

    def probability(self, evidence: Evidence) -> float:
        return float(_sigmoid(np.dot(evidence.row(), self.weights)))


# Weights: prominence (with vectors only), coverage, named, fitting, constant. Fitted on 472 questions of
# chunking-evaluation with and without the passages that answer them, and on the first golden questions.
ASSUMED = {
    "dense": Model(weights=[0.7, 3.5, 1.0, 1.5, -7.0], decline_below=0.3),
    "keyword": Model(weights=[4.0, 1.0, 1.5, -4.8], decline_below=0.26),
}
# How firmly each weight is held to what is assumed (the precision of a normal distribution around it): pseudo-questions
# say little about names, amounts and persons, and their cosines less than those of people's questions.
_PRECISION = {"dense": [60.0, 4.0, 40.0, 40.0, 1.0], "keyword": [4.0, 40.0, 40.0, 1.0]}


_SCOPES: tuple[Visibility | None, ...] = ("public", None)


class Scope(BaseModel):
    """What was learnt from public text, or from all of it."""

    chunks: int
    dimension: int = 0
    """Of the vectors; 0 without."""
    sample: str = ""
    """The vectors (chunks, dimension) of some chunks, float16 in base64: how near a question is to just anything."""
    models: dict[str, Model] = ASSUMED
    """`dense` for passages with a cosine, `keyword` for those without."""

    @property
    def vectors(self) -> np.ndarray | None:
        """The sample, float32; None without vectors."""
        if not self.dimension:
            return None
        return np.frombuffer(base64.b64decode(self.sample), "<f2").astype(np.float32).reshape(-1, self.dimension)


class Calibration(BaseModel):
    version: int
    embedder: str | None
    public: Scope
    everything: Scope

    def scope(self, visibility: Visibility | None) -> Scope:
        return self.public if visibility == "public" else self.everything


def calibration_path(settings: Settings) -> Path:
    return settings.state / "answerability.json"


def load_calibration(settings: Settings) -> Calibration | None:
    """What was learnt last; None when nothing was, or by another version of sitetwin."""
    path = calibration_path(settings)
    if not path.is_file():
        return None
    try:
        known = Calibration.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError:
        return None
    return known if known.version == VERSION else None


def refresh_calibration(settings: Settings, index: Index, embedder: "Callable[[], Embedder]") -> bool:
    """Learns again when the collection or its embedder changed; whether it did. Takes some seconds.

    Raises:
        SitetwinError: as `Index.search`.
    """
    with open_statistics(settings) as statistics:
        known, name = load_calibration(settings), statistics.embedder_name()
        chunks = {visibility: statistics.vocabulary((), visibility).chunks for visibility in _SCOPES}
        if known and known.embedder == name and all(_is_near(known.scope(v).chunks, n) for v, n in chunks.items()):
            return False
        public = _learn(settings, index, embedder, statistics, "public")
        # Without private text there is nothing else to learn.
        everything = public if chunks["public"] == chunks[None] else _learn(settings, index, embedder, statistics, None)
    found = Calibration(version=VERSION, embedder=name, public=public, everything=everything)
    files.write_text(calibration_path(settings), json.dumps(found.model_dump()))
    return True


def _is_near(before: int, now: int) -> bool:
    return abs(now - before) <= CHANGED * before


def _learn(
    settings: Settings,
    index: Index,
    embedder: "Callable[[], Embedder]",
    statistics: Statistics,
    visibility: Visibility | None,
) -> Scope:
    rng = random.Random(VERSION)
    chunks, embedded = statistics.sample(SAMPLED_CHUNKS, visibility, rng)
    asked = pseudo_questions(chunks, QUESTIONS, rng)
    vectors = np.stack(embedded[:SAMPLED_VECTORS]) if embedded else None
    answered: list[Evidence] = []
    unanswered: list[Evidence] = []
    for question in asked:
        passages = index.search(question.text, REACH, visibility=visibility).passages
        around = _background(embedder, question.text, passages, vectors)
        wanted, k = wanted_tokens(question.text), settings.retrieval.passages
        answered.append(weigh(question.text, passages[:k], statistics.vocabulary(wanted, visibility), around))
        if others := _without(question, passages)[:k]:
            vocabulary = statistics.vocabulary(wanted, visibility, without=question.chunk.document)
            unanswered.append(weigh(question.text, others, vocabulary, around))
    models = {"keyword": _fit("keyword", _blind(answered), _blind(unanswered))}
    dense = [evidence for evidence in answered if evidence.prominence is not None]
    if dense:
        models["dense"] = _fit("dense", dense, [evidence for evidence in unanswered if evidence.prominence is not None])
    size = statistics.vocabulary((), visibility).chunks
    scope = Scope(chunks=size, models=ASSUMED | models)
    if vectors is not None:
        scope.dimension = vectors.shape[1]
        scope.sample = base64.b64encode(vectors.astype("<f2").tobytes()).decode()
    return scope


def _without(question: PseudoQuestion, passages: Sequence[Passage]) -> list[Passage]:
    """The passages that can't answer: of other documents, and not almost the same text."""
    own = set(tokens.tokens(question.chunk.text))

    def is_copy(passage: Passage) -> bool:
        other = set(tokens.tokens(passage.text))
        return len(own & other) >= DUPLICATE * len(own | other)

    return [p for p in passages if p.document != question.chunk.document and not is_copy(p)]


def _background(
    embedder: "Callable[[], Embedder]", question: str, passages: Sequence[Passage], vectors: np.ndarray | None
) -> Background | None:
    if vectors is None or all(passage.similarity is None for passage in passages):
        return None
    return background(embedder().embed_query(question), vectors)


def _blind(all_evidence: Sequence[Evidence]) -> list[Evidence]:
    """As a search by keywords alone would give it."""
    return [Evidence(None, evidence.coverage, evidence.named, evidence.fitting) for evidence in all_evidence]


def _fit(kind: str, answered: Sequence[Evidence], unanswered: Sequence[Evidence]) -> Model:
    assumed = ASSUMED[kind]
    if not answered or not unanswered:
        return assumed
    rows = np.array([evidence.row() for evidence in (*answered, *unanswered)])
    labels = np.repeat([1.0, 0.0], [len(answered), len(unanswered)])
    weights = fit_logistic(rows, labels, np.array(assumed.weights), np.array(_PRECISION[kind]))
    found = np.quantile(_sigmoid(rows[: len(answered)] @ weights), FALSE_REFUSALS[kind])
    trust = len(answered) / (len(answered) + ASSUMED_QUESTIONS)
    return Model(
        weights=[round(float(weight), 4) for weight in weights],
        decline_below=round(float(trust * found + (1 - trust) * assumed.decline_below), 4),
    )


def fit_logistic(rows: np.ndarray, labels: np.ndarray, assumed: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """Weights (features,) of the most probable logistic regression, by Newton's method.

    Args:
        rows: (examples, features).
        labels: (examples,), 1 or 0.
        assumed: (features,), the mean of the normal distribution that the weights are expected from.
        precision: (features,), one over its variance.
    """
    weights = assumed.astype(float)
    for _ in range(50):
        likely = _sigmoid(rows @ weights)
        gradient = rows.T @ (likely - labels) + precision * (weights - assumed)
        curvature = (rows * (likely * (1 - likely))[:, None]).T @ rows + np.diag(precision)
        step = np.linalg.solve(curvature, gradient)
        weights = weights - step
        if np.abs(step).max() < 1e-8:
            break
    return weights


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))))
