"""A teacher and a judge that ask a chat model."""

import hashlib
from typing import Self

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from pipeline.chat.refusing import NOT_IN_NOTES
from pipeline.dataset.records import Candidate, Judgement, Pair, Score, Task
from pipeline.dataset.teachers.prompts import TEACHER, VERSION, judge_messages, teacher_messages
from pipeline.servers.structured import StructuredModel, fill_in
from pipeline.text.words import words

TOKENS_PER_PAIR = 220
TOKENS_OF_JUDGE = 200


class PairDraft(BaseModel):
    """One pair in a model's answer."""

    question: str
    answer: str
    accuracy: Score
    style: Score

    @field_validator("question", "answer")
    @classmethod
    def _says_something(cls, text: str) -> str:
        # A small model copies the `…` of the instruction's example.
        if not words(said := text.strip()):
            raise ValueError("it has no word")
        return said


class Drafts(BaseModel):
    """A model's answer to a task."""

    # Not typed as Draft, so that one bad draft does not reject the others.
    pairs: list[dict[str, object]] = Field(json_schema_extra={"items": PairDraft.model_json_schema()})

    @model_validator(mode="after")
    def _holds_one(self) -> Self:
        """A reply with nothing but bad drafts is asked for again, as one that can't be read is."""
        if self.pairs and not any(map(_read, self.pairs)):
            raise ValueError("question, answer or grades are left out")
        return self


class ModelTeacher:
    """Has `model` write the pairs. `prompt` is the owner's own prompt; empty: TEACHER."""

    def __init__(self, model: StructuredModel, prompt: str = "") -> None:
        self._model = model
        self._prompt = "" if prompt.strip() == TEACHER else prompt.strip()

    @property
    def name(self) -> str:
        """See Teacher."""
        own = f", own {hashlib.sha256(self._prompt.encode()).hexdigest()[:12]}" if self._prompt else ""
        return f"{self._model.name}, prompts {VERSION}{own}"

    async def write(self, task: Task) -> list[Pair]:
        """See Teacher."""
        tokens = 100 + TOKENS_PER_PAIR * task.count
        drafts = (await fill_in(self._model, teacher_messages(task, self._prompt), Drafts, max_tokens=tokens)).pairs
        return [_pair(draft, task) for draft in list(filter(None, map(_read, drafts)))[: task.count]]


class ModelJudge:
    """Has `model` grade the pairs."""

    def __init__(self, model: StructuredModel) -> None:
        self._model = model

    @property
    def name(self) -> str:
        """See Judge."""
        return f"{self._model.name}, prompts {VERSION}"

    async def judge(self, candidate: Candidate) -> Judgement:
        """See Judge."""
        return await fill_in(self._model, judge_messages(candidate), Judgement, max_tokens=TOKENS_OF_JUDGE)


def _read(draft: dict[str, object]) -> PairDraft | None:
    """The draft; None if it lacks something."""
    try:
        return PairDraft.model_validate(draft)
    except ValidationError:
        return None


def _pair(read: PairDraft, task: Task) -> Pair:
    first = task.sources[0]
    return Pair(
        question=read.question,
        # All refusals have the same answer, so that the model learns one.
        answer=NOT_IN_NOTES if task.kind == "refusal" else read.answer,
        kind=task.kind,
        source=first.document,
        chunk_index=first.index,
        chunks=tuple(source.chunk for source in task.sources),
        accuracy=read.accuracy,
        style=10 if task.kind == "refusal" else read.style,
    )
