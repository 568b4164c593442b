"""Golden questions: questions whose answers are known, so that an assistant's answers can be judged."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from pipeline import jsonl
from pipeline.chat.records import Answer
from pipeline.errors import SitetwinError


class GoldenQuestion(BaseModel):
    """One line of a file of golden questions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str
    fact: tuple[str, ...] = ()
    """The answer must contain one of these."""
    page: tuple[str, ...] = ()
    """The answer must cite one of these documents. Each is an id, or a part of it in whole folders and names, such as
    `2019/home-server`."""
    answerable: bool = True

    @field_validator("fact", "page", mode="before")
    @classmethod
    def _one_is_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("fact", "page")
    @classmethod
    def _none_is_empty(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_plain(value).strip() for value in values):
            raise ValueError("it is empty")
        return values

    @field_validator("question")
    @classmethod
    def _asks_something(cls, question: str) -> str:
        if not question.strip():
            raise ValueError("it is empty")
        return question

    @model_validator(mode="after")
    def _answerable_has_both(self) -> "GoldenQuestion":
        if {bool(self.fact), bool(self.page)} != {self.answerable}:
            raise ValueError("an answerable question has a fact and a page, an unanswerable one has neither")
        return self


class AnswerVerdict(BaseModel):
    """The judgement of one answer."""

    fact: bool
    """Whether the answer contains the fact."""
    cited: bool
    """Whether the answer cites a page that holds it."""
    refused: bool
    """Whether the assistant refused to answer."""
    right: bool
    """An answerable question needs fact and page and no refusal. An unanswerable one needs a refusal."""


class Shares(BaseModel):
    """Shares of all questions' verdicts, from 0 to 1; None if there was nothing to count."""

    answerable: int
    unanswerable: int
    fact: float | None
    cited: float | None
    right: float | None
    """`fact`, `cited` and `right` are shares of the answerable questions."""
    refusal_precision: float | None
    """The share of refusals whose questions have no answer."""
    refusal_recall: float | None
    """The share of questions without an answer that were refused."""


def load(path: Path) -> list[GoldenQuestion]:
    """The questions of a JSONL file. Blank lines are left out.

    Raises:
        SitetwinError: there is no such file, or a line is no question.
    """
    if not path.is_file():
        raise SitetwinError(f"{path} does not exist: name a JSONL file of questions")
    return jsonl.read(path, GoldenQuestion, "mend that line")


def judge(question: GoldenQuestion, answer: Answer) -> AnswerVerdict:
    """The judgement of `answer`."""
    fact = any(contains(answer.answer, alternative) for alternative in question.fact)
    cited = any(is_page(citation.document, page) for citation in answer.citations for page in question.page)
    right = fact and cited and not answer.refused if question.answerable else answer.refused
    return AnswerVerdict(fact=fact, cited=cited, refused=answer.refused, right=right)


def summarise(judged: Sequence[tuple[GoldenQuestion, AnswerVerdict]]) -> Shares:
    """The shares of all questions' verdicts."""
    answerable = [verdict for question, verdict in judged if question.answerable]
    unanswerable = [verdict for question, verdict in judged if not question.answerable]
    refusals = [question for question, verdict in judged if verdict.refused]
    return Shares(
        answerable=len(answerable),
        unanswerable=len(unanswerable),
        fact=_share([verdict.fact for verdict in answerable]),
        cited=_share([verdict.cited for verdict in answerable]),
        right=_share([verdict.right for verdict in answerable]),
        refusal_precision=_share([not question.answerable for question in refusals]),
        refusal_recall=_share([verdict.refused for verdict in unanswerable]),
    )


def contains(text: str, fact: str) -> bool:
    """Whether `text` contains `fact`, whatever the case, spacing and Markdown. `15` is not contained in `150` or `1,500`."""
    wanted = re.escape(_plain(fact))
    if fact[0].isdigit():
        wanted = r"(?<!\d)(?<!\d[.,])" + wanted
    if fact[-1].isdigit():
        wanted += r"(?!\d)(?![.,]\d)"
    return re.search(wanted, _plain(text)) is not None


def is_page(document: str, page: str) -> bool:
    """Whether the path `document` contains the path `page`, folder by folder.

    `blog/2019/home-server/index.md` contains `2019/home-server`.
    """
    have, want = (PurePosixPath(re.sub(r"\.mdx?$", "", path)).parts for path in (document, page))
    return any(have[start : start + len(want)] == want for start in range(len(have) - len(want) + 1))


def _plain(text: str) -> str:
    text = re.sub(r"\[\d+\]", " ", text.casefold())
    text = text.translate(str.maketrans("’‘“”", "''\"\""))
    text = re.sub(r"[*`]|(?<!\w)_|_(?!\w)", "", text)
    return re.sub(r"\s+", " ", text)


def _share(marks: Sequence[bool]) -> float | None:
    return sum(marks) / len(marks) if marks else None
