"""Several systems' answers to one question, as rows and as Markdown."""

from collections.abc import Iterable
from typing import NamedTuple

from pipeline.evaluation.systems.compare import Answered, Failed


class Compared(NamedTuple):
    """What one system said."""

    system: str
    said: Answered | Failed


def as_rows(compared: Iterable[Compared]) -> list[dict[str, object]]:
    """A row for each system: its answer, the sources, why it refused or failed, and what it took."""
    return [_row(one.system, one.said) for one in compared]


def _row(system: str, said: Answered | Failed) -> dict[str, object]:
    if isinstance(said, Failed):
        return {"system": system, "answer": "", "sources": "", "refused": False, "reason": said.text}
    answer = said.answer
    return {
        "system": system,
        "answer": answer.answer,
        "sources": ", ".join(citation.document for citation in answer.citations),
        "refused": answer.refused,
        "reason": said.reason,
        "adapter": answer.adapter or "",
        "seconds": round(answer.timings.total_ms / 1000, 2),
        "tokens_read": said.read,
        "tokens_written": said.written,
    }


def in_markdown(one: Compared) -> str:
    """A system's answer under its name, with its sources and what it took."""
    if isinstance(one.said, Failed):
        return f"### {one.system}\n\nNo answer: {one.said.text}\n\n"
    answer = one.said.answer
    sources = "; ".join(f"[{citation.n}] {citation.title}" for citation in answer.citations)
    adapter = f", adapter {answer.adapter}" if answer.adapter else ""
    below = [f"*{answer.timings.total_ms / 1000:.1f} s{adapter}*", sources, one.said.reason]
    return f"### {one.system}\n\n{answer.answer}\n\n{' · '.join(filter(None, below))}\n\n"
