"""Notes made of the Wikipedia passages of MTRAG's conversations (its part clapnq), one note for each article."""

import json
import re
from collections import defaultdict
from pathlib import Path

from pipeline import files

_SPACES = {" ,": ",", " .": ".", "`` ": '"', " ''": '"', " 's": "'s"}
"""The texts were cut into words; what stands apart because of it belongs together."""


def write_notes(tasks: Path, folder: Path) -> None:
    """Writes the articles into `folder`, which is made if it is missing; what is there stays.

    Args:
        tasks: MTRAG's `tasks.jsonl`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in _articles(tasks).items():
        if not (folder / name).exists():
            files.write_text(folder / name, text)


def _articles(tasks: Path) -> dict[str, str]:
    """The text of each note by its file's name."""
    passages: dict[str, str] = {}
    for line in tasks.read_text(encoding="utf-8").splitlines():
        task = json.loads(line)
        if task["Collection"] == "clapnq":
            passages |= {context["document_id"]: context["text"].strip() for context in task["contexts"]}
    articles: defaultdict[str, list[str]] = defaultdict(list)
    for _, passage in sorted(passages.items()):
        title, _, text = passage.partition("\n")
        articles[title.strip()].append(_joined(text.strip()))
    return {f"{_slug(title)}.md": f"# {title}\n\n" + "\n\n".join(texts) + "\n" for title, texts in articles.items()}


def _joined(text: str) -> str:
    for apart, together in _SPACES.items():
        text = text.replace(apart, together)
    return text


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
