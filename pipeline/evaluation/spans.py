"""Questions with the exact spans of a text that answer them, and measures of how well retrieved spans match those.

Layout and measures come from Smith & Troynikov, "Evaluating Chunking Strategies for Retrieval" (Chroma, 2024):
`questions.csv` (question, references, corpus_id) beside one `<corpus_id>.md` for each text.
"""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import SitetwinError

Span = tuple[int, int]
"""The start and end of a span in a text, in characters."""


@dataclass(frozen=True, slots=True)
class SpanQuestion:
    """A question, the id of the text that answers it, and where it does."""

    text: str
    corpus: str
    answers: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class SpanSet:
    """Texts and questions about them."""

    corpora: dict[str, str]
    """The texts by id."""
    questions: list[SpanQuestion]


@dataclass(frozen=True, slots=True)
class SpanScores:
    """Shares from 0 to 1. A character of an answer counts once. One of a chunk counts as often as it was retrieved."""

    recall: float
    """The share of the answers' characters that were retrieved."""
    precision: float
    """The share of the retrieved characters that belong to an answer."""
    iou: float
    """Intersection over union: the answers' characters that were retrieved, over all that were or should have been."""


def read_spans(folder: Path) -> SpanSet:
    """The data set in `folder`.

    Raises:
        SitetwinError: a file is missing or has another layout, or a span does not hold the words that `questions.csv` says.
    """
    corpora: dict[str, str] = {}
    questions = []
    try:
        with (folder / "questions.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                id, references = row["corpus_id"], json.loads(row["references"])
                if id not in corpora:
                    corpora[id] = (folder / f"{id}.md").read_text(encoding="utf-8")
                answers = tuple((int(found["start_index"]), int(found["end_index"])) for found in references)
                if [corpora[id][start:end] for start, end in answers] != [found["content"] for found in references]:
                    raise SitetwinError(
                        f"{id}.md does not hold the answers to {row['question']!r}: get both files anew"
                    )
                questions.append(SpanQuestion(row["question"], id, answers))
    except OSError as error:
        raise SitetwinError(
            f"{error.filename} can't be read ({error.strerror}): name a folder with questions.csv and its corpora"
        ) from None
    except (KeyError, TypeError, ValueError) as error:
        raise SitetwinError(
            f"{folder / 'questions.csv'} is in another layout ({error!r}): its columns are question, references and "
            "corpus_id, and references is a JSON list with start_index, end_index and content"
        ) from None
    if not questions:
        raise SitetwinError(f"{folder / 'questions.csv'} holds no questions: name another folder")
    return SpanSet(corpora, questions)


def score(question: SpanQuestion, retrieved: Sequence[tuple[str, Span]]) -> SpanScores:
    """How well the retrieved chunks match the answers to `question`.

    Args:
        question: the question.
        retrieved: for each chunk the id of its text, and its span there.
    """
    answers = _characters(question.answers)
    found = answers & _characters([span for corpus, span in retrieved if corpus == question.corpus])
    length = sum(end - start for _, (start, end) in retrieved)
    return SpanScores(
        recall=len(found) / len(answers) if answers else 0.0,
        precision=len(found) / length if length else 0.0,
        iou=len(found) / (length + len(answers - found)) if answers else 0.0,
    )


def precision_omega(question: SpanQuestion, chunks: Sequence[Span]) -> float:
    """Intersection over union if exactly those of the text's `chunks` were retrieved that overlap an answer.

    It is the most that a chunker can reach. Each character counts once here.
    """
    answers = _characters(question.answers)
    touched = [(start, end) for start, end in chunks if any(start < to and end > of for of, to in question.answers)]
    covered = _characters(touched)
    return len(answers & covered) / len(answers | covered) if answers else 0.0


def _characters(spans: Sequence[Span]) -> set[int]:
    return {character for start, end in spans for character in range(start, end)}
