"""Golden questions: questions whose answers are known, so that an assistant's answers can be judged."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from pipeline import jsonl
from pipeline.chat.records import Answer
from pipeline.errors import SitetwinError
from pipeline.settings import Settings

GOLDEN = "golden.jsonl"
GoldenKind = Literal["fact", "synthesis", "paraphrase", "voice", "changed", "unanswerable"]
"""What a question tries.

- `fact`: one fact of one document.
- `synthesis`: facts of several documents, or of several places of one.
- `paraphrase`: a fact that was trained on, asked in other words: does the model know it, or recite it?
- `voice`: there is no fact to get wrong, only the author's voice.
- `changed`: the note was edited after the training: the new fact and the stale one.
- `unanswerable`: the notes do not answer it; `Why` says in which way.
"""
KINDS: tuple[GoldenKind, ...] = get_args(GoldenKind)

Why = Literal["property", "false_premise", "missing_detail", "outside", "underspecified", "contradiction"]
"""Why the notes do not answer a question.

- `property`: they name the thing, but never this property of it.
- `false_premise`: it takes for granted what is not so.
- `missing_detail`: they tell the story without this detail.
- `outside`: they say nothing about its subject.
- `underspecified`: it can mean several things that they tell apart.
- `contradiction`: two notes say different things.
"""
WHYS: tuple[Why, ...] = get_args(Why)

Group = tuple[str, ...]
"""Ways of saying one fact; an answer needs one of them."""


class GoldenQuestion(BaseModel):
    """One line of a file of golden questions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str
    fact: Group = ()
    """The answer must contain one of these."""
    facts: tuple[Group, ...] = ()
    """More facts: the answer must contain one string of each group. An unanswerable question with a false premise or a
    contradiction may have some: an answer that says all of them corrects the premise, or tells both sides, and is right
    beside a refusal."""
    must_not: Group = ()
    """The answer must contain none of these."""
    page: tuple[str, ...] = ()
    """The answer must cite one of these documents. Each is an id, or a part of it in whole folders and names, such as
    `2019/home-server`. A voice question needs none. An unanswerable question may name those that come near it."""
    answerable: bool = True
    """Without it, what `kind` says."""
    kind: GoldenKind = "fact"
    """Without it, `fact` or `unanswerable`."""
    why: Why | None = None
    """Of an unanswerable question."""
    stale: Group = ()
    """Of a changed question: what the note said before, each way of saying it. The answer must contain none of these."""
    reference: str = ""
    """A good answer."""

    @property
    def groups(self) -> tuple[Group, ...]:
        """All facts, those of `fact` first."""
        return ((self.fact,) if self.fact else ()) + self.facts

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, line: Any) -> Any:
        """A line of before has no kind, and one with the kind `unanswerable` need not say so twice."""
        if not isinstance(line, dict):
            return line
        if "kind" not in line and line.get("answerable") is False:
            return line | {"kind": "unanswerable"}
        if "answerable" not in line and line.get("kind") == "unanswerable":
            return line | {"answerable": False}
        return line

    @field_validator("fact", "must_not", "page", "stale", mode="before")
    @classmethod
    def _one_is_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("facts", mode="before")
    @classmethod
    def _each_is_a_group(cls, value: object) -> object:
        many = (value,) if isinstance(value, str) else value
        if not isinstance(many, list | tuple):
            return value
        return tuple((one,) if isinstance(one, str) else one for one in many)

    @field_validator("fact", "must_not", "page", "stale")
    @classmethod
    def _none_is_empty(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_plain(value).strip() for value in values):
            raise ValueError("it is empty")
        return values

    @field_validator("facts")
    @classmethod
    def _no_group_is_empty(cls, groups: tuple[Group, ...]) -> tuple[Group, ...]:
        for group in groups:
            if not group or not cls._none_is_empty(group):
                raise ValueError("a group is empty: it lists ways of saying one fact")
        return groups

    @field_validator("question")
    @classmethod
    def _asks_something(cls, question: str) -> str:
        if not question.strip():
            raise ValueError("it is empty")
        return question

    @model_validator(mode="after")
    def _is_whole(self) -> "GoldenQuestion":
        if self.answerable == (self.kind == "unanswerable"):
            raise ValueError(f"kind {self.kind} and answerable {str(self.answerable).lower()} exclude each other")
        if self.why and self.answerable:
            raise ValueError("only an unanswerable question has a why")
        if bool(self.stale) != (self.kind == "changed"):
            raise ValueError("a question of kind changed has stale, what the note said before; no other has it")
        if self.kind == "voice" and self.groups:
            raise ValueError("a question of kind voice has no fact: give it another kind")
        if not self.answerable and self.groups and (self.fact or self.why not in ("false_premise", "contradiction")):
            raise ValueError("an unanswerable question has no fact; facts fit the whys false_premise and contradiction")
        if self.answerable and self.kind != "voice" and not (self.groups and self.page):
            raise ValueError("an answerable question has a fact and a page; if it has none, it is not answerable")
        return self


class AnswerVerdict(BaseModel):
    """The judgement of one answer."""

    fact: bool
    """Whether the answer contains all facts; False if the question has none."""
    found: int
    """How many of the facts it contains."""
    cited: bool
    """Whether the answer cites a page that holds a fact."""
    forbidden: bool
    """Whether it contains what it must not."""
    stale: bool
    """Whether it contains what a note said before. It can't tell "8080" from "no longer 8080"."""
    refused: bool
    """Whether the assistant refused to answer."""
    right: bool
    """An answerable question needs all facts, a page, no refusal and nothing forbidden or stale; a voice question, which
    has no facts, needs no refusal and nothing forbidden. An unanswerable one needs a refusal, or all of its facts."""


class Shares(BaseModel):
    """Shares of all questions' verdicts, from 0 to 1; None if there was nothing to count."""

    answerable: int
    unanswerable: int
    fact: float | None
    cited: float | None
    right: float | None
    """`fact`, `cited` and `right` are shares of the answerable questions. Voice questions, which have no fact, are left out."""
    refusal_precision: float | None
    """The share of refusals whose questions have no answer."""
    refusal_recall: float | None
    """The share of questions without an answer that were refused, or whose answer says what is wrong with them."""


def questions_file(settings: Settings) -> Path:
    """The file that the settings name, else golden.jsonl beside sitetwin.toml. It may not exist."""
    return settings.root / (settings.evaluation.questions or Path(GOLDEN)).expanduser()


def load(path: Path) -> list[GoldenQuestion]:
    """The questions of a JSONL file. Blank lines are left out.

    Raises:
        SitetwinError: there is no such file, or a line is no question.
    """
    if not path.is_file():
        raise SitetwinError(
            f"{path} does not exist: `sitetwin golden draft`, then `sitetwin golden review` make golden questions,"
            " and --questions names another file"
        )
    return jsonl.read(path, GoldenQuestion, "mend that line")


def golden_questions(settings: Settings) -> list[GoldenQuestion]:
    """The questions of the file that the settings name, else of golden.jsonl beside sitetwin.toml, if it is there.

    Raises:
        SitetwinError: the named file is missing, or a line is no question.
    """
    file = questions_file(settings)
    return load(file) if settings.evaluation.questions or file.is_file() else []


def judge(question: GoldenQuestion, answer: Answer) -> AnswerVerdict:
    """The judgement of `answer`."""
    found = sum(says(answer.answer, group) for group in question.groups)
    fact = bool(question.groups) and found == len(question.groups)
    cited = any(is_page(citation.document, page) for citation in answer.citations for page in question.page)
    forbidden, stale = says(answer.answer, question.must_not), says(answer.answer, question.stale)
    is_clean = not forbidden and not stale
    if not question.answerable:
        right = answer.refused or (fact and is_clean)
    elif question.kind == "voice":
        right = is_clean and not answer.refused
    else:
        right = fact and cited and is_clean and not answer.refused
    return AnswerVerdict(
        fact=fact, found=found, cited=cited, forbidden=forbidden, stale=stale, refused=answer.refused, right=right
    )


def summarise(judged: Sequence[tuple[GoldenQuestion, AnswerVerdict]]) -> Shares:
    """The shares of all questions' verdicts."""
    answerable = [verdict for question, verdict in judged if question.answerable and question.groups]
    unanswerable = [verdict for question, verdict in judged if not question.answerable]
    refusals = [question for question, verdict in judged if verdict.refused]
    return Shares(
        answerable=len(answerable),
        unanswerable=len(unanswerable),
        fact=_share([verdict.fact for verdict in answerable]),
        cited=_share([verdict.cited for verdict in answerable]),
        right=_share([verdict.right for verdict in answerable]),
        refusal_precision=_share([not question.answerable for question in refusals]),
        refusal_recall=_share([verdict.right for verdict in unanswerable]),
    )


def says(text: str, group: Group) -> bool:
    """Whether `text` contains one of the strings of `group`."""
    return any(contains(text, alternative) for alternative in group)


def contains(text: str, fact: str) -> bool:
    """Whether `text` contains `fact`, whatever the case, spacing and Markdown. `15` is not contained in `150` or `1,500`."""
    wanted = re.escape(_plain(fact))
    if fact[0].isdigit():
        wanted = r"(?<!\d)(?<!\d[.,])" + wanted
    if fact[-1].isdigit():
        wanted += r"(?!\d)(?![.,]\d)"
    return re.search(wanted, _plain(text)) is not None


def is_page(document: str, page: str) -> bool:
    """Whether the path `document` contains the path `page`, folder by folder, with or without the file's ending.

    `blog/2019/home-server/index.md` contains `2019/home-server`.
    """
    want = PurePosixPath(re.sub(r"\.mdx?$", "", page)).parts
    return any(
        have[start : start + len(want)] == want
        for have in (PurePosixPath(path).parts for path in (document, re.sub(r"\.[^./]+$", "", document)))
        for start in range(len(have) - len(want) + 1)
    )


def _plain(text: str) -> str:
    text = re.sub(r"\[\d+\]", " ", text.casefold())
    text = text.translate(str.maketrans("’‘“”", "''\"\""))
    text = re.sub(r"[*`]|(?<!\w)_|_(?!\w)", "", text)
    return re.sub(r"\s+", " ", text)


def _share(marks: Sequence[bool]) -> float | None:
    return sum(marks) / len(marks) if marks else None
