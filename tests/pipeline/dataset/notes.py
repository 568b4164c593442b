"""A small site and a teacher that needs no model, for tests of what is around a teacher."""

import datetime
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.content.chunking import chunk_document
from pipeline.content.documents import Chunk, Document
from pipeline.dataset.records import Candidate, Judgement, Pair, Task
from pipeline.errors import ModelError
from pipeline.settings import Settings

TOPICS = ("sourdough", "gardens", "keyboards", "trains", "sailing", "clocks", "maps", "coffee", "radio", "paper")


def document(number: int, topic: str = "", folder: str = "notes", visibility: str = "public") -> Document:
    topic = topic or TOPICS[number % len(TOPICS)] + str(number)
    text = "\n\n".join(
        f"## Part {part} of {topic}\n\nIn part {part} I write about {topic}. I measured {topic} {number * 7 + part} times, "
        f"and each time the result for {topic} was a little better than you would hope for at the start."
        for part in (1, 2)
    )
    return Document(
        f"{folder}/{topic}.md", Path(f"{folder}/{topic}.md"), f"All about {topic}", f"/{topic}", text, visibility,  # type: ignore[arg-type]
        date=datetime.date(2026, 1, 1), digest=str(number),
    )  # fmt: skip


def cut(document: Document) -> list[Chunk]:
    return chunk_document(document, 900)


def embed(texts: Sequence[str]) -> np.ndarray:
    """Unit vectors by the letters of each text: the same text, the same vector."""
    rows = np.array(
        [[text.count(letter) + 0.01 for letter in "abcdefghijklmnopqrstuvwxyz0123456789"] for text in texts]
    )
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


class FirstSentences:
    """A teacher that asks about a chunk's heading and answers with its sentences; it remembers what it was asked.

    After `dies_after` tasks it can't be reached any more.
    """

    def __init__(self, name: str = "first-sentences", dies_after: int | None = None) -> None:
        self.name = name
        self.asked: list[Task] = []
        self._dies_after = dies_after

    async def write(self, task: Task) -> list[Pair]:
        if self._dies_after is not None and len(self.asked) >= self._dies_after:
            raise ModelError("the teacher is gone: start it again")
        self.asked.append(task)
        source = task.sources[0]
        return [
            Pair(
                question=f"{task.kind} {number}: what does {source.title} say in {source.heading}?",
                answer=source.text.split(". ")[number % 2],
                kind=task.kind, source=source.document, chunk_index=source.index,
                chunks=tuple(source.chunk for source in task.sources), accuracy=9, style=8,
            )
            for number in range(task.count)
        ]  # fmt: skip


class WordJudge:
    """Finds pairs unfaithful whose question holds one of `bad`."""

    name = "word-judge"

    def __init__(self, *bad: str) -> None:
        self.bad = bad
        self.asked: list[Candidate] = []

    async def judge(self, candidate: Candidate) -> Judgement:
        self.asked.append(candidate)
        grade = 2 if any(word in candidate.pair.question for word in self.bad) else 9
        return Judgement(faithful=grade, relevant=9, reason="as the words say")


def site(root: Path, **dataset: object) -> Settings:
    stages = ["score", "judge"]
    return Settings(root=root, dataset={"stages": stages, **dataset})  # type: ignore[arg-type]
