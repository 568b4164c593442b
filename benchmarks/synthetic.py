"""Makes any number of notes from the sentences of docs/. The notes are the same each time."""

import random
import re
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
SENTENCE_END = re.compile(r"(?<=[.?!])\s+")
SEED = 20_26


def sentences(folder: Path = PROJECT / "docs") -> list[str]:
    """The sentences of plain prose in the Markdown files of `folder`, each once, without code, headings, lists and tables."""
    found: dict[str, None] = {}
    for file in sorted(folder.glob("*.md")):
        _, _, body = file.read_text(encoding="utf-8").rpartition("\n---\n")
        for paragraph in FENCE.sub("", body).split("\n\n"):
            if paragraph.strip()[:1].isalpha():
                found |= dict.fromkeys(filter(is_sentence, SENTENCE_END.split(" ".join(paragraph.split()))))
    return list(found)


def is_sentence(text: str) -> bool:
    """Whether `text` is a sentence of at least four words and at most 300 characters."""
    return len(text) <= 300 and len(text.split()) >= 4 and text[-1:] in ".?!"


def notes(count: int, prose: list[str]) -> Iterator[tuple[str, str]]:
    """Yields `count` titles and texts. A text has one to three sentences of `prose` and fits into one chunk."""
    chance = random.Random(SEED)
    for number in range(count):
        words = chance.choice(prose).split()[:5]
        yield f"{number} {' '.join(words)}", " ".join(chance.sample(prose, chance.randint(1, 3)))
