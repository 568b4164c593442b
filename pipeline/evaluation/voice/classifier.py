"""A classifier that tells the author's pieces from others', by what is left of them when every fact is masked.

Character n-grams of distorted text (Stamatatos, EACL 2017) in a logistic regression (scikit-learn). It is cross-validated by
document and author, so nothing is judged by a classifier that has read it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.evaluation.voice.texts import masked

FOLDS = 5
LONGEST = 4
"""Characters of the longest n-gram."""


@dataclass(frozen=True)
class Piece:
    """A piece of text, and what must not be on both sides of a fold: its document, author or question."""

    text: str
    group: str


@dataclass(frozen=True)
class Recognised:
    """What the classifier says."""

    accuracy: float
    """Its own, cross-validated: the mean of the shares of the author's and of others' pieces that it tells right."""
    floor: float
    """How much it takes the pieces of others, who make the floor, for the author's, 0 to 1."""
    ceiling: float
    """How much it takes the author's own pieces, which it has not read, for the author's."""
    answers: dict[str, np.ndarray]
    """By system, how much it takes each answer for the author's, 0 to 1."""


def recognise(
    author: Sequence[Piece],
    others: Sequence[Piece],
    model: Sequence[Piece],
    answers: Mapping[str, Sequence[Piece]],
    language: str = "en",
) -> Recognised:
    """Learns the author's voice, and tells how much each answer sounds like it.

    Args:
        author: the author's own pieces.
        others: pieces by other authors; if there are none, the model's make the floor.
        model: what the base model wrote by itself; not the author either.
        answers: what is to be told, by system. An answer is judged by classifiers that have read no answer to its question.
        language: the ISO 639-1 code of all pieces.
    """
    # It takes most of two seconds to import, and only this needs it.
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    known = [*author, *others, *model]
    texts = np.array([masked(piece.text, language) for piece in known], dtype=object)
    is_author = np.arange(len(known)) < len(author)
    fold = np.array([_fold(piece.group) for piece in known])
    found = np.zeros(len(known))
    told = {name: np.zeros(len(pieces)) for name, pieces in answers.items()}
    for out in range(FOLDS):
        classifier = make_pipeline(
            TfidfVectorizer(analyzer="char", ngram_range=(1, LONGEST), sublinear_tf=True, min_df=2, lowercase=False),
            LogisticRegression(class_weight="balanced", max_iter=1000),
        )
        classifier.fit(texts[fold != out], is_author[fold != out])
        if (fold == out).any():
            found[fold == out] = classifier.predict_proba(texts[fold == out])[:, 1]
        for name, pieces in answers.items():
            here = [place for place, piece in enumerate(pieces) if _fold(piece.group) == out]
            if here:
                said = [masked(pieces[place].text, language) for place in here]
                told[name][here] = classifier.predict_proba(said)[:, 1]
    foreign = np.arange(len(known)) >= len(author)
    right = [np.mean(found[is_author] > 0.5), np.mean(found[foreign] <= 0.5)]
    by_others = found[len(author) : len(author) + len(others)] if others else found[len(author) :]
    return Recognised(float(np.mean(right)), float(by_others.mean()), float(found[is_author].mean()), told)


def _fold(group: str) -> int:
    """The same fold for the same group in every run."""
    return sum(group.encode()) % FOLDS
