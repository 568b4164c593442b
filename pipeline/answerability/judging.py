"""Judges whether the passages can answer the question at all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from pipeline.answerability.calibration import CLOSE, WORDS, Scope, load_calibration
from pipeline.answerability.evidence import (
    ASSUMED_BACKGROUND,
    Background,
    background,
    close_background,
    wanted_tokens,
    weigh,
)
from pipeline.answerability.topic import without_topic
from pipeline.embedding.recent import embed_again
from pipeline.embedding.spread import unrelated_cosine
from pipeline.embedding.word_vectors import COMPARED, compares_words
from pipeline.index.passages import Passage
from pipeline.index.reading import nearest_sentences
from pipeline.index.vocabulary import open_statistics
from pipeline.settings import Settings, Visibility
from pipeline.text.detecting import language_among

if TYPE_CHECKING:
    from pipeline.embedding.embedder import Embedder


@dataclass(frozen=True, slots=True)
class Answerability:
    """A judgement of one question."""

    probability: float
    """The probability, 0 to 1, that the passages answer, if as many questions have an answer as have none. Comparable
    between questions of one collection."""
    decline_below: float
    """The question is declined below this probability."""

    @property
    def declined(self) -> bool:
        """Whether the question is to be declined."""
        return self.probability < self.decline_below


AnswerabilityJudge = Callable[[str, Sequence[Passage]], Answerability]
"""Takes a question that is understood without earlier turns, and the passages that were found for it."""


def answerability_judge(settings: Settings, embedder: "Callable[[], Embedder]") -> AnswerabilityJudge:
    """A judge that compares the question's words with the passages' where the embedder allows it.

    With another embedder, or by keywords alone, it uses what was learnt from the collection, and until then the weights
    that hold in general.

    The judge raises a ModelError if the embedder can't be had.
    """

    def judge(question: str, passages: Sequence[Passage]) -> Answerability:
        # Public passages are judged by public text alone, whoever asks: a judgement must not tell of private text.
        private = any(passage.visibility == "private" for passage in passages)
        return _judge(settings, embedder, question, passages, None if private else "public")

    return judge


def _judge(
    settings: Settings,
    load_embedder: "Callable[[], Embedder]",
    question: str,
    passages: Sequence[Passage],
    visibility: Visibility | None,
) -> Answerability:
    by_hand = settings.chat.decline_below
    if not passages:
        return Answerability(0.0, WORDS.decline_below if by_hand is None else by_hand)
    known = load_calibration(settings)
    scope = known.scope(visibility) if known else Scope(chunks=0)
    with open_statistics(settings) as statistics:
        language = language_among(question, statistics.languages(visibility))
        vocabulary = statistics.vocabulary(wanted_tokens(question, language), visibility)
    around, read, lie_close = None, None, False
    if any(passage.similarity is not None for passage in passages):
        embedder = load_embedder()
        # Cosines of vectors by different embedders mean nothing.
        vectors = scope.vectors if known and known.embedder == embedder.name else None
        lie_close = unrelated_cosine(embedder.name) > 0
        assumed = Background(*scope.around) if vectors is not None else ASSUMED_BACKGROUND
        if lie_close:
            vector = embedder.embed_query(without_topic(question, language, vocabulary))
            passages = _by_sentence(passages, vector, embedder)
            around = close_background(vector, vectors, assumed)
        else:
            around = background(embedder.embed_query(question), vectors, assumed)
        read = embedder.embed_tokens if compares_words(embedder.name) else None
    understood = (settings.persona.name, settings.site.name)
    evidence = weigh(
        question, passages, vocabulary, around, understood, language, read if language in COMPARED else None
    )
    # Close cosines have weights of their own for any collection, as the comparison of words has.
    known_weights = {"words": WORDS, "dense": CLOSE} if lie_close else {"words": WORDS}
    model = known_weights.get(evidence.kind) or scope.models[evidence.kind]
    return Answerability(model.probability(evidence), model.decline_below if by_hand is None else by_hand)


def _by_sentence(passages: Sequence[Passage], question: np.ndarray, embedder: "Embedder") -> list[Passage]:
    """The passages, each as near to the question's vector (dimension,) as its nearest sentence."""
    texts = {passage.id: passage.whole_text for passage in passages}
    nearest = nearest_sentences(question, texts, partial(embed_again, embedder))
    return [passage.model_copy(update={"similarity": nearest.get(passage.id)}) for passage in passages]
