"""As many notes as a benchmark needs, from the sentences of docs/, the same ones each time."""

import random
import re
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
SENTENCE_END = re.compile(r"(?<=[.?!])\s+")
SEED = 20_26


def sentences(folder: Path = PROJECT / "docs") -> list[str]:
    """Each sentence of plain prose in the Markdown files of `folder` once; no code, headings, lists or tables."""
    found: dict[str, None] = {}
    for file in sorted(folder.glob("*.md")):
        _, _, body = file.read_text(encoding="utf-8").rpartition("\n---\n")
        for paragraph in FENCE.sub("", body).split("\n\n"):
            if paragraph.strip()[:1].isalpha():
                found |= dict.fromkeys(filter(is_sentence, SENTENCE_END.split(" ".join(paragraph.split()))))
    return list(found)


def is_sentence(text: str) -> bool:
    return len(text) <= 300 and len(text.split()) >= 4 and text[-1:] in ".?!"


def notes(count: int, prose: list[str]) -> Iterator[tuple[str, str]]:
    """`count` titles and texts of one to three sentences of `prose`: each fits in one chunk."""
    chance = random.Random(SEED)
    for number in range(count):
        words = chance.choice(prose).split()[:5]
        yield f"{number} {' '.join(words)}", " ".join(chance.sample(prose, chance.randint(1, 3)))
