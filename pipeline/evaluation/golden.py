"""Golden questions: whose answers are known, so that an assistant's can be judged."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from pipeline import jsonl
from pipeline.chat.records import Answer
from pipeline.errors import SitetwinError


class GoldenQuestion(BaseModel):
    """One line of a file of questions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str
    fact: tuple[str, ...] = ()
    """One of these must be in the answer."""
    page: tuple[str, ...] = ()
    """One of these documents must be cited: an id, or a run of its folders and name (`2019/home-server`)."""
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


class Verdict(BaseModel):
    fact: bool
    """The answer contains the fact."""
    cited: bool
    """The answer cites a page that holds it."""
    refused: bool
    right: bool
    """Fact and page where there is an answer, a refusal where there is none."""


class Shares(BaseModel):
    """Each is 0 to 1; None where there was nothing to count."""

    answerable: int
    unanswerable: int
    fact: float | None
    cited: float | None
    right: float | None
    """The first three are of the answerable questions."""
    refusal_precision: float | None
    """Of the refusals, those of questions that have no answer."""
    refusal_recall: float | None
    """Of the questions that have no answer, those refused."""


def load(path: Path) -> list[GoldenQuestion]:
    """Questions of a JSONL file, blank lines left out.

    Raises:
        SitetwinError: no such file, or a line that is no question.
    """
    if not path.is_file():
        raise SitetwinError(f"{path} does not exist: name a JSONL file of questions")
    return jsonl.read(path, GoldenQuestion, "mend that line")


def judge(question: GoldenQuestion, answer: Answer) -> Verdict:
    fact = any(contains(answer.answer, alternative) for alternative in question.fact)
    cited = any(is_page(citation.document, page) for citation in answer.citations for page in question.page)
    right = fact and cited and not answer.refused if question.answerable else answer.refused
    return Verdict(fact=fact, cited=cited, refused=answer.refused, right=right)


def summarise(judged: Sequence[tuple[GoldenQuestion, Verdict]]) -> Shares:
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
    """Whether `fact` stands in `text`, whatever the case, spacing and Markdown; `15` is not in `150` or `1,500`."""
    wanted = re.escape(_plain(fact))
    if fact[0].isdigit():
        wanted = r"(?<!\d)(?<!\d[.,])" + wanted
    if fact[-1].isdigit():
        wanted += r"(?!\d)(?![.,]\d)"
    return re.search(wanted, _plain(text)) is not None


def is_page(document: str, page: str) -> bool:
    """Whether the document's path contains the page's, folder by folder: `blog/2019/home-server/index.md`
    is `2019/home-server`."""
    have, want = (PurePosixPath(re.sub(r"\.mdx?$", "", path)).parts for path in (document, page))
    return any(have[start : start + len(want)] == want for start in range(len(have) - len(want) + 1))


def _plain(text: str) -> str:
    text = re.sub(r"\[\d+\]", " ", text.casefold())
    text = text.translate(str.maketrans("’‘“”", "''\"\""))
    text = re.sub(r"[*`]|(?<!\w)_|_(?!\w)", "", text)
    return re.sub(r"\s+", " ", text)


def _share(marks: Sequence[bool]) -> float | None:
    return sum(marks) / len(marks) if marks else None
