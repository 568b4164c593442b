"""Pairs of the extractive teacher, drawn to be read by eye, and what was found of those that were read.

    python -m benchmarks.pairs [--notes FOLDER --kind KIND] [--seed N] [--number N] [--write FILE] [--json]

A data set is built from the notes as a newcomer builds it: no model writes and none judges. `--write` puts a random draw
of its accepted pairs into a file, one pair a line with the text that it was made from; whoever reads them adds a verdict
(`fine`, `odd` or `wrong`) and a reason. Without options the command reads the verdicts in `data/pairs_*.jsonl`, prints
their shares, and says how many of them today's teacher still writes from the notes that were named. `titled` is the share of the
questions that quote a title of the notes.

`ratio` is the share of fine pairs among those of the blog that were read, over the first teacher's (44 of 60).
"""

import asyncio
import json
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click
from pydantic import BaseModel

from benchmarks.report import machine
from benchmarks.running import PROJECT
from pipeline import jsonl
from pipeline.dataset.plan import sources_of
from pipeline.dataset.records import Pair, PairSource
from pipeline.dataset.versions import read_rejected, read_rows, version_folder
from pipeline.settings import ContentSource, Settings
from pipeline.site import Site

DATA = Path(__file__).parent / "data"
BLOG = PROJECT.parent / "shared" / "data" / "astro-blog" / "content" / "blog"
FIRST_TEACHER = 44 / 60


class ReadPair(BaseModel):
    """A pair that was read by eye."""

    id: str
    kind: str
    question: str
    answer: str
    document: str
    verdict: Literal["fine", "odd", "wrong", ""] = ""
    """`odd`: nobody asks like that, or the answer is only beside the point; `wrong`: it must not be trained on."""
    reason: str = ""


def build(notes: Path, kind: str, root: Path) -> tuple[list[Pair], list[tuple[Pair, str]], dict[str, PairSource]]:
    """The accepted pairs, the rejected ones with their reasons, and the chunks by id."""
    settings = Settings(
        root=root, content=[ContentSource(path=notes.resolve(), kind=kind, url="/{slug}", visibility="public")]
    )
    site = Site(settings)
    asyncio.run(site.build_dataset(lambda progress: None))
    folder = version_folder(settings)
    accepted = [row.pair for row in read_rows(folder)]
    rejected = [(row.pair, f"{row.rejection.stage}: {row.rejection.reason}") for row in read_rejected(folder)]
    sources = {source.chunk: source for document in site.documents() for source in sources_of(document, site.cut)}
    return accepted, rejected, sources


def draw(pairs: Sequence[Pair], number: int, seed: int) -> list[Pair]:
    """A random draw that depends only on the pairs and the seed."""
    return random.Random(seed).sample(sorted(pairs, key=lambda pair: pair.id), min(number, len(pairs)))


def titled(pairs: Sequence[Pair], titles: dict[str, str]) -> float:
    """The share of the questions that hold their document's title between quotation marks."""
    return sum(f"“{titles.get(pair.source)}”" in pair.question for pair in pairs) / (len(pairs) or 1)


def shares(read: Sequence[ReadPair]) -> dict[str, int]:
    """How many pairs got each verdict."""
    return dict(Counter(one.verdict for one in read if one.verdict))


@click.command()
@click.option("--notes", type=click.Path(exists=True, path_type=Path), default=BLOG, show_default=False)
@click.option("--kind", default="astro", help="Of the notes, as in [[content]].")
@click.option("--seed", default=0)
@click.option("--number", default=100)
@click.option("--write", "to", type=click.Path(path_type=Path), help="Put the draw into this file, to be read.")
@click.option("--rejected", is_flag=True, help="Draw from the rejected pairs instead, with the reason.")
@click.option("--json", "as_json", is_flag=True, help="Only the figures, as JSON.")
def main(notes: Path, kind: str, seed: int, number: int, to: Path | None, rejected: bool, as_json: bool) -> None:
    """Draw pairs to be read, and print what was found of those that were read."""
    with tempfile.TemporaryDirectory(prefix="sitetwin-") as folder:
        accepted, refused, sources = build(notes, kind, Path(folder))
    titles = {source.document: source.title for source in sources.values()}
    if to:
        reasons = {pair.id: reason for pair, reason in refused}
        drawn = draw([pair for pair, _ in refused] if rejected else accepted, number, seed)
        jsonl.write(to, [_to_read(pair, reasons.get(pair.id, "")) for pair in drawn])
    files = {file.stem: jsonl.read(file, ReadPair, "mend that line") for file in sorted(DATA.glob("pairs_*.jsonl"))}
    known = {pair.id for pair in accepted}
    found = {
        "notes": notes.name,
        "pairs": {"accepted": len(accepted), "rejected": len(refused)},
        "kinds": dict(Counter(pair.kind for pair in accepted)),
        "titled": titled(accepted, titles),
        "read": {
            name: shares(read) | {"still written": sum(one.id in known for one in read)} for name, read in files.items()
        },
    }
    blog = shares(files.get("pairs_blog", []))
    ratio = blog.get("fine", 0) / (sum(blog.values()) or 1) / FIRST_TEACHER
    if as_json:
        click.echo(json.dumps({"machine": machine(), "ratio": ratio} | found, indent=2))
        return
    for name, value in found.items():
        click.echo(f"{name}: {value}")
    click.echo(f"fine pairs of the blog over the first teacher's: ratio {ratio:.2f}\non {machine()}")


def _to_read(pair: Pair, reason: str) -> ReadPair:
    return ReadPair(
        id=pair.id, kind=pair.kind, question=pair.question, answer=pair.answer, document=pair.source, reason=reason
    )


if __name__ == "__main__":
    main()
