"""Holds how much each piece of evidence weighs, and learns it from a collection where it does not hold in general.

Where the question's words are compared with the passages' (`alignment`), fixed weights hold in any collection. Otherwise
they are learnt, and nobody labels anything. A pseudo-question is made of a chunk's own words. The search finds its
answer; the same search without that chunk's document does not. A logistic regression learns to tell the two apart by
their evidence. It starts from weights that hold in general. A few notes change them little, many notes a lot.
"""

import base64
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ValidationError

from pipeline import files
from pipeline.answerability.evidence import (
    ASSUMED_BACKGROUND,
    Background,
    Evidence,
    background,
    wanted_tokens,
    weigh,
)
from pipeline.answerability.pseudo_questions import PseudoQuestion, pseudo_questions
from pipeline.embedding.word_vectors import COMPARED, compares_words
from pipeline.index import Index
from pipeline.index.passages import Passage
from pipeline.index.vocabulary import Statistics, open_statistics
from pipeline.settings import Settings, Visibility
from pipeline.text import tokens

if TYPE_CHECKING:
    from pipeline.embedding.embedder import Embedder

VERSION = 6
"""Raise it when evidence or pseudo-questions change. Then every site learns again."""
QUESTIONS = 400
"""How many pseudo-questions are asked. With 200, chance decided too much: of 60 questions that the docs answer, 0 to 4
were declined by keywords alone, depending on the draw. With 400, and `_PRECISION` as it is, the spread is a third to a
half of that."""
SEED = 5
"""Of the chance that makes pseudo-questions."""
SAMPLED_CHUNKS = 600
REACH = 50
"""How many passages a pseudo-question asks for, so that some remain without the document that answers."""
DUPLICATE = 0.8
"""If two chunks share at least this part of their tokens, one answers the questions of the other."""
SAMPLED_VECTORS = 200
ASSUMED_FOR = "all-MiniLM-L6-v2-"
"""How the name of the embedder begins that `ASSUMED_BACKGROUND` was measured with."""
BACKGROUND_QUESTIONS = 40
FEWEST_COSINES = 20
"""How many pseudo-questions tell the background of another embedder, and how many cosines they must have."""
CHANGED = 0.1
"""The share by which the number of chunks may change before the site learns again."""

FALSE_REFUSALS = {"dense": 0.11, "keyword": 0.06}
"""The share of pseudo-questions that may be refused although the passages answer them.

With vectors the share is twice that without. Pseudo-questions are no natural sentences, so their cosines are lower than
those of people's questions. On the golden questions made before this (docs, blog, vault) both shares refused less than
5 % of people's questions."""
LEAST_LIMIT = {"dense": 0.42, "keyword": 0.0}
"""The limit is at least this. With vectors, pseudo-questions put it near .3 in every collection of multilingual-e5-small, and
of 40 questions that help pages do not answer 16 passed. At .42 four passed, and one more was declined of the 234 questions
with an answer in 13 languages (docs/languages.md)."""
ASSUMED_QUESTIONS = 100
"""The assumed threshold counts as much as this many pseudo-questions."""


class Model(BaseModel):
    """A logistic regression that gives the probability that the passages answer.

    It assumes that as many questions have an answer as have none.
    """

    weights: list[float]
    """One for each number of `Evidence.row`, in its order."""
    decline_below: float
    """A question is declined if its probability is below this."""

    def probability(self, evidence: Evidence) -> float:
        """The probability, 0 to 1, that the passages answer."""
        return float(_sigmoid(np.dot(evidence.row(), self.weights)))


# Weights: prominence (with vectors only), coverage, named, fitting, constant. Fitted on 472 questions of
# chunking-evaluation with and without the passages that answer them, and on the first golden questions.
ASSUMED = {
    "dense": Model(weights=[0.7, 3.5, 1.0, 1.5, -7.0], decline_below=LEAST_LIMIT["dense"]),
    "keyword": Model(weights=[4.0, 1.0, 1.5, -4.8], decline_below=0.26),
}
WORDS = Model(weights=[3.85, 15.53, 3.1, 2.5, -16.82], decline_below=0.4)
"""How much the comparison of words weighs, in any collection.

Weights: subject, wording, named, fitting, constant. Fitted on 361 questions about five collections of 30 to 1,873
documents, each collection and each kind of question weighing the same, with a normal prior around 0. What is learnt from
a collection's own words was worse: it teaches that words matter and meaning does not. The limit is that at which nine of
ten refusals were right in collections that had no part in the fit (docs/measured-answers.md)."""
CLOSE = Model(weights=[1.7, 3.5, 1.0, 1.5, -8.4], decline_below=LEAST_LIMIT["dense"])
"""The weights for an embedder whose cosines lie close together (`embedding.spread`), in any collection.

Weights as in `ASSUMED`, where the prominence is that of the nearest sentence to the question without the topic. Chosen on
220 questions to eight collections of help pages in German and Chinese and 500 of the sets of `benchmarks.languages`; half of
them have no answer there. What a collection's pseudo-questions teach was worse: the cosines of questions that nobody would
ask tell little, so it weighed them .3 to .6 (docs/languages.md)."""
# The precision (one over the variance) of the normal distribution around each assumed weight: the higher it is, the less
# the weight changes. It is high where pseudo-questions teach little: for names, amounts and persons, and for the
# cosines, which are lower than those of people's questions.
_PRECISION = {"dense": [60.0, 4.0, 40.0, 40.0, 1.0], "keyword": [4.0, 40.0, 40.0, 1.0]}


_SCOPES: tuple[Visibility | None, ...] = ("public", None)


class Scope(BaseModel):
    """What was learnt from public text, or from all text."""

    chunks: int
    """The number of chunks at that time."""
    dimension: int = 0
    """The dimension of the vectors; 0 if there are none."""
    sample: str = ""
    """The vectors (chunks, dimension) of some chunks, float16 in base64. They tell how near a question is to any text."""
    around: tuple[float, float] = ASSUMED_BACKGROUND
    """The mean and the deviation of the cosines of most questions with all chunks."""
    models: dict[str, Model] = ASSUMED
    """`dense` is for passages with a cosine, `keyword` for those without."""

    @property
    def vectors(self) -> np.ndarray | None:
        """The sample (chunks, dimension) float32; None if there are no vectors."""
        if not self.dimension:
            return None
        return np.frombuffer(base64.b64decode(self.sample), "<f2").astype(np.float32).reshape(-1, self.dimension)


class Calibration(BaseModel):
    """The file `answerability.json`."""

    version: int
    embedder: str | None
    """The name of the embedder of the sampled vectors; None if there are none."""
    public: Scope
    everything: Scope

    def scope(self, visibility: Visibility | None) -> Scope:
        """What was learnt from public text for `public`, from all text otherwise."""
        return self.public if visibility == "public" else self.everything


def calibration_path(settings: Settings) -> Path:
    """The file of the site's calibration."""
    return settings.state / "answerability.json"


def load_calibration(settings: Settings) -> Calibration | None:
    """The calibration on disk; None if there is none, or if another version of sitetwin made it."""
    path = calibration_path(settings)
    if not path.is_file():
        return None
    try:
        known = Calibration.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError:
        return None
    return known if known.version == VERSION else None


def refresh_calibration(settings: Settings, index: Index, embedder: "Callable[[], Embedder]") -> bool:
    """Learns again if the collection or its embedder has changed. This takes some seconds.

    Where the words of all likely questions are compared, there is nothing to learn.

    Returns:
        Whether it learnt.

    Raises:
        SitetwinError: a search failed, as `Index.search` says.
    """
    with open_statistics(settings) as statistics:
        known, name = load_calibration(settings), statistics.embedder_name()
        if (
            settings.retrieval.mode != "keyword"
            and compares_words(name)
            and statistics.languages().keys() <= set(COMPARED)
        ):
            return False
        chunks = {visibility: statistics.vocabulary((), visibility).chunks for visibility in _SCOPES}
        if known and known.embedder == name and all(_is_near(known.scope(v).chunks, n) for v, n in chunks.items()):
            return False
        public = _learn(settings, index, embedder, statistics, "public")
        # Without private text, all text is the public text.
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
    chunks, embedded = statistics.sample(SAMPLED_CHUNKS, visibility)
    asked = pseudo_questions(chunks, QUESTIONS, SEED)
    vectors = np.stack(embedded[:SAMPLED_VECTORS]) if embedded else None
    assumed = _usual_background(asked, vectors, embedder)
    answered: list[Evidence] = []
    unanswered: list[Evidence] = []
    for question in asked:
        passages = index.search(question.text, REACH, visibility=visibility, sentences=False).passages
        around = _background(embedder, question.text, passages, vectors, assumed)
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
    scope = Scope(chunks=size, around=assumed, models=ASSUMED | models)
    if vectors is not None:
        scope.dimension = vectors.shape[1]
        scope.sample = base64.b64encode(vectors.astype("<f2").tobytes()).decode()
    return scope


def _usual_background(
    asked: Sequence[PseudoQuestion], vectors: np.ndarray | None, embedder: "Callable[[], Embedder]"
) -> Background:
    """The background of most questions; the assumed one for its own embedder, and where there is too little to learn from."""
    if vectors is None or len(vectors) < 2 or embedder().name.startswith(ASSUMED_FOR):
        return ASSUMED_BACKGROUND
    # A real question's cosines hold that of its answer too.
    found = np.concatenate(
        [np.empty(0), *(vectors @ embedder().embed_query(question.text) for question in asked[:BACKGROUND_QUESTIONS])]
    )
    if len(found) < FEWEST_COSINES:
        return ASSUMED_BACKGROUND
    return Background(float(found.mean()), float(found.std()))


def _without(question: PseudoQuestion, passages: Sequence[Passage]) -> list[Passage]:
    """The passages that can't answer: those of other documents whose text is not almost the same."""
    own = set(tokens.tokens(question.chunk.text))

    def is_copy(passage: Passage) -> bool:
        other = set(tokens.tokens(passage.text))
        return len(own & other) >= DUPLICATE * len(own | other)

    return [p for p in passages if p.document != question.chunk.document and not is_copy(p)]


def _background(
    embedder: "Callable[[], Embedder]",
    question: str,
    passages: Sequence[Passage],
    vectors: np.ndarray | None,
    assumed: Background,
) -> Background | None:
    if vectors is None or all(passage.similarity is None for passage in passages):
        return None
    return background(embedder().embed_query(question), vectors, assumed)


def _blind(all_evidence: Sequence[Evidence]) -> list[Evidence]:
    """The evidence that a search by keywords alone would give."""
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
    limit = float(trust * found + (1 - trust) * assumed.decline_below)
    return Model(
        weights=[round(float(weight), 4) for weight in weights],
        decline_below=round(max(limit, LEAST_LIMIT[kind]), 4),
    )


def fit_logistic(rows: np.ndarray, labels: np.ndarray, assumed: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """Fits a logistic regression with a normal prior on its weights: the maximum a posteriori, by Newton's method.

    Source: Bishop, Pattern Recognition and Machine Learning, 2006, sections 4.3.3 and 4.5.

    Args:
        rows: the evidence, (examples, features).
        labels: (examples,), 1 for answered and 0 for not.
        assumed: the mean of the prior, (features,).
        precision: one over the variance of the prior, (features,).

    Returns:
        The weights (features,) float64.
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
