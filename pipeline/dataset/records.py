"""The records of this room. A Pair is also one line of a data set's files."""

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, computed_field

from pipeline.settings import PairKind, Visibility


def read_score(value: Any) -> Any:
    """A model's grade as a whole number of 10: 8.5, "9/10", "4 out of 5", "90 %" and .9 give 9, 9, 8, 9 and 9.

    A value that is not a grade is returned unchanged.
    """
    if isinstance(value, bool):
        return value
    number, whole = value, 10.0
    if isinstance(value, str):
        found = _GRADE.fullmatch(value.strip())
        if found is None:
            return value
        number = float(found[1].replace(",", "."))
        whole = 100.0 if found[3] else float(found[2] or 10)
    if not isinstance(number, int | float) or not whole or not math.isfinite(number):
        return value
    scaled = number * 10 / whole
    if isinstance(value, float) and 0 < value < 1:
        scaled = value * 10
    return math.floor(scaled + 0.5)


_GRADE = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:(?:/|out of|of)\s*(\d+)|(%))?", re.IGNORECASE)
Score = Annotated[int, BeforeValidator(read_score), Field(ge=1, le=10)]
PreferenceReason = Literal["choice", "edit", "filter"]
"""The owner saw both answers and chose, or edited the draft, or the filter refused one of the two."""
Split = Literal["train", "valid", "test"]
SPLITS: tuple[Split, ...] = ("train", "valid", "test")


@dataclass(frozen=True, slots=True)
class PairSource:
    """A chunk that pairs are made from."""

    chunk: str
    """The chunk's id."""
    document: str
    """The document's id."""
    index: int
    """The chunk's position in its document, from 0."""
    title: str
    heading: str
    """The heading path, joined by ` > `; empty before the first heading."""
    text: str
    visibility: Visibility


@dataclass(frozen=True, slots=True)
class Task:
    """One request to a teacher: `count` pairs of one kind, based only on `sources`."""

    kind: PairKind
    count: int
    sources: tuple[PairSource, ...]
    """One chunk; for `synthesis` several, of one document or of linked documents."""
    persona: str = ""
    """The voice of the answers."""


class Pair(BaseModel):
    """A question and its answer, as a teacher wrote them."""

    model_config = ConfigDict(frozen=True)

    question: str
    answer: str
    kind: PairKind
    source: str
    """The document's id; for a synthesis the first document's."""
    chunk_index: int
    chunks: tuple[str, ...]
    """Ids of the chunks that the pair rests on; for a refusal, of those that do not contain the answer."""
    accuracy: Score
    """The teacher's own grade: is the answer what the text says?"""
    style: Score
    """The teacher's own grade: does it sound like the author?"""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def id(self) -> str:
        """A hash of source, kind, question and answer: equal in every build that gives the same pair."""
        return hashlib.sha256("\0".join((self.source, self.kind, self.question, self.answer)).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A pair with the text that it was made from, before the filter."""

    pair: Pair
    sources: tuple[PairSource, ...]
    author: str = ""
    """The name of the persona, for whom the answer speaks."""

    @property
    def text(self) -> str:
        """The texts of all sources with title and heading."""
        return "\n\n".join(f"{source.title} > {source.heading}\n{source.text}" for source in self.sources)


class Rejection(BaseModel):
    """Why a pair is not trained on."""

    model_config = ConfigDict(frozen=True)

    stage: str
    """A stage of the filter, `split`, or `review` for the owner's decision."""
    reason: str
    """A text for the owner, with what was found."""


class Preference(BaseModel):
    """Two answers to one question, of which one is better. Also one line of a data set's `preferences.jsonl`."""

    model_config = ConfigDict(frozen=True)

    question: str
    chosen: str
    """The better answer."""
    rejected: str
    why: PreferenceReason
    split: Split
    pairs: tuple[str, ...]
    """Ids of the pairs that the two answers come from, as the teacher wrote them."""


class Teacher(Protocol):
    """Writes pairs. Several tasks may run at the same time."""

    @property
    def name(self) -> str:
        """Model and version of the prompts. Kept answers of the same name are used again."""

    async def write(self, task: Task) -> Sequence[Pair]:
        """At most `task.count` pairs for `task`; fewer or none if the text gives no more.

        Raises:
            UnreadableError: the answer can't be read after several tries. Another task may succeed.
            ModelError: the model can't be reached. Every other task would fail too.
        """


class Judgement(BaseModel):
    """A judge's grades of one pair."""

    faithful: Score
    """Does the answer say only what the text says?"""
    relevant: Score
    """Would a visitor ask the question, is it clear on its own, and does the answer answer it?"""
    reason: str = ""


class PairJudge(Protocol):
    """Grades pairs. Several pairs may be graded at the same time."""

    @property
    def name(self) -> str:
        """Model and version of the prompts. Kept answers of the same name are used again."""

    async def judge(self, candidate: Candidate) -> Judgement:
        """Grade the pair against its text.

        Raises:
            UnreadableError, ModelError: as for a teacher.
        """
