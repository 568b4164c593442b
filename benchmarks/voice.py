"""Do the measures of voice tell authors apart, in other languages too? Measured on novels whose authors are known.

    python -m benchmarks.voice --clones FOLDER [--only CODE] [--authors N] [--json]

`CLONES` names the collections of novels (19th and early 20th century). Of an author with three novels the first is
"the notes", the second the ceiling, and pieces of the third are what a system answers that has the voice (`author`). Another
author's novel is a system that has not (`stranger`), and a third one says the stranger's sentences with the names, numbers
and things of the author's notes (`facts`): facts must not raise a voice. The floor are the other authors, and once more the
stranger's pieces alone, as the base model's own prose is where no other author is known.

`ratio` is the share of the comparisons in which the author's voice is above the stranger's.
"""

import html
import json
import random
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby, islice
from pathlib import Path
from statistics import mean

import click

from benchmarks.report import machine
from pipeline.evaluation.voice.about import ABOUT, VOICE
from pipeline.evaluation.voice.measuring import LEAST_TOLD, Voices, measure_voices
from pipeline.evaluation.voice.texts import Text, pieces, prose
from pipeline.text.languages.tables import table
from pipeline.text.words import WORD, elided


@dataclass(frozen=True)
class Clone:
    """Novels in a public repository."""

    repository: str
    """On GitHub."""
    commit: str
    files: str
    """A pattern of the novels' files."""
    author: str
    """A pattern of the author's name in a file's."""


CLONES = {
    "de": Clone(
        "computationalstylistics/68_german_novels",
        "4cc71e1d44647244b3df29474180a8a5e4fe8290",
        "corpus/*.txt",
        r"^[^_]+",
    ),
    "fr": Clone("COST-ELTeC/ELTeC-fra", "83f0a43fdb967cd1db646027a1a237307e4924a1", "level1/*.xml", r"[^_]+$"),
    "en": Clone(
        "computationalstylistics/100_english_novels",
        "143e601875d70e195f2cc5ebd8b034609271194d",
        "corpus/*.txt",
        r"^[^_]+",
    ),
}
"""By language: `git clone https://github.com/REPOSITORY FOLDER/NAME`, then `git -C FOLDER/NAME checkout COMMIT`."""
_PARAGRAPH = re.compile(r"<p\b[^>]*>(.*?)</p>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
FIRST, LENGTH = 20_000, 30_000
"""Characters of a novel that are left out, as they may be a preface, and that are read."""
OF_OTHERS = 9_000
"""Characters that are read of each other author."""
DOCUMENTS = 4
ANSWERS, WORDS = 20, 50
"""Of a system: how many, and words of each."""


@dataclass(frozen=True)
class Row:
    """What was found for one author and one floor."""

    language: str
    author: str
    floor: str
    told: dict[str, float]
    """By measure."""
    voice: dict[str, float | None]
    """By planted system; None: no measure had a say."""


def read(file: Path, language: str, length: int = LENGTH) -> Text:
    """A piece from within a novel."""
    text = file.read_text(encoding="utf-8", errors="replace")
    if file.suffix == ".xml":  # TEI
        text = "\n\n".join(html.unescape(_TAG.sub("", one)) for one in _PARAGRAPH.findall(text))
    return prose(file.stem, text[FIRST : FIRST + length], language)


def documents(text: Text) -> list[Text]:
    """The text as several, like the notes of a site."""
    count = len(text.sentences) // DOCUMENTS
    return [
        Text(f"{text.author} {n}", text.sentences[n * count : (n + 1) * count]) for n in range(DOCUMENTS)
    ]  # fmt: skip


def answers(text: Text) -> dict[str, str]:
    """What a system says that writes like this text."""
    return {f"q{n}": piece for n, piece in enumerate(islice(pieces(text, WORDS), ANSWERS))}


def with_facts(said: dict[str, str], of: Text, language: str) -> dict[str, str]:
    """The same sentences, with the words that say something taken from another text."""
    empty, rng = table(language).function_words, random.Random(0)

    def says(word: str) -> bool:
        return word.isalpha() and word.lower() not in empty and len(elided(word, language)) == 1

    known = [word for sentence in of.sentences for word in WORD.findall(sentence) if says(word)]
    return {
        question: WORD.sub(lambda hit: rng.choice(known) if says(hit[0]) else hit[0], text)
        for question, text in said.items()
    }


def measure(language: str, folder: Path, most: int) -> list[Row]:
    """The rows of a language's first `most` authors that have three novels."""
    books: dict[str, list[Path]] = {}
    for file in sorted(folder.glob(CLONES[language].files)):
        books.setdefault(re.findall(CLONES[language].author, file.stem)[0], []).append(file)
    able = [author for author, of in books.items() if len(of) >= 3]
    rows = []
    for place, author in enumerate(able[:most]):
        stranger = able[place - 1]
        own, held_out, said = (read(file, language) for file in books[author][:3])
        foreign = answers(read(books[stranger][0], language))
        systems = {
            "author": answers(said),
            "stranger": foreign,
            "facts": with_facts(foreign, own, language),
        }
        others = [read(of[0], language, OF_OTHERS) for name, of in books.items() if name not in (author, stranger)]
        for floor, known in (("other authors", others), ("base model", [])):
            found = measure_voices(systems, documents(own), documents(held_out), known, "stranger", language)
            rows.append(Row(language, author, floor, found.told, _voice(found, systems)))
    return rows


def _voice(found: Voices, systems: Sequence[str] | dict[str, dict[str, str]]) -> dict[str, float | None]:
    return {
        name: found.figures[name][VOICE.key].all.value if VOICE.key in found.figures[name] else None for name in systems
    }


def _lines(rows: Sequence[Row]) -> list[str]:
    """The rows of one language and floor in words."""
    told = {key: [row.told[key] for row in rows] for key in rows[0].told}
    lines = [f"{rows[0].language}, floor: {rows[0].floor}, {len(rows)} authors"]
    for key, values in told.items():
        say = sum(value >= LEAST_TOLD for value in values)
        lines.append(
            f"  {ABOUT[key].title:20} told {mean(values):.0%} ({min(values):.0%} to {max(values):.0%}), a say in {say}"
        )
    for name in rows[0].voice:
        voices = [value for row in rows if (value := row.voice[name]) is not None]
        mid, low, high = (f"{round(of(voices), 2) + 0:.0%}" if voices else "none" for of in (mean, min, max))
        said = f"{mid} ({low} to {high})"
        lines.append(f"  voice of {name:11} {said}")
    return lines


def ranks(rows: Sequence[Row]) -> list[bool]:
    """Whether the author is above the stranger, by row that has a voice."""
    return [
        author > stranger
        for row in rows
        if (author := row.voice["author"]) is not None and (stranger := row.voice["stranger"]) is not None
    ]


@click.command()
@click.option("--clones", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--only", type=click.Choice(sorted(CLONES)), help="One language.")
@click.option("--authors", default=6, show_default=True, help="The most authors of each.")
@click.option("--json", "as_json", is_flag=True, help="Only the figures, as JSON.")
def main(clones: Path, only: str | None, authors: int, as_json: bool) -> None:
    """Measure, and print what was found."""
    rows = [
        row
        for language, clone in CLONES.items()
        if only in (None, language)
        for row in measure(language, clones / clone.repository.split("/")[1], authors)
    ]
    right = ranks(rows)
    ratio = sum(right) / len(right)
    if as_json:
        click.echo(json.dumps({"machine": machine(), "ratio": ratio, "rows": [asdict(row) for row in rows]}, indent=2))
        return
    by_kind = sorted(rows, key=lambda row: (row.language, row.floor))
    for _, same in groupby(by_kind, key=lambda row: (row.language, row.floor)):
        click.echo("\n".join(_lines(list(same))))
    click.echo(f"the author above the stranger: ratio {ratio:.2f} of {len(right)}\non {machine()}")


if __name__ == "__main__":
    main()
