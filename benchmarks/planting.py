"""Faults planted by a program into pairs of any notes: which share of each the filter refuses without a model.

    python -m benchmarks.planting [--notes FOLDER --kind KIND] [--seed N] [--most N] [--wrong] [--json]

The extractive teacher writes pairs of the notes, and the stages of the filter that need no embedder and no model look at
them. Into those that pass, faults of each kind are planted. `--wrong` shows the faults that were not refused. Faults that no
rule of one pair can see (an answer to another question) are measured too: they show what a judge is for.

`ratio` is the share of refused faults among those of form: labels, cut off, repeated, third person, units.
"""

import asyncio
import json
import random
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from benchmarks.pairs import BLOG
from benchmarks.report import render
from pipeline.dataset import filters
from pipeline.dataset.filters.other_languages import pair_language
from pipeline.dataset.plan import plan
from pipeline.dataset.records import Candidate
from pipeline.dataset.teachers.extractive import ExtractiveTeacher
from pipeline.settings import ContentSource, Settings
from pipeline.site import Site
from pipeline.text.languages.tables import table

IN_ANSWER = (
    "Response: {}", "### Response:\n{}", "### Answer\n{}", "**Answer:** {}", "A: {}", "A1. {}", "Assistant: {}", "[END] {}",
    "<think>The passage says so.</think>\n{}", "<reasoning>It is there.</reasoning>{}", "<answer>{}</answer>", "{}</s>",
    "<|assistant|>{}", "{}<|endoftext|>", "[/INST] {}", "Sure! Here is the answer: {}", "{}\n\nQ2: What else is there?",
    "{}\n\nNote: This answer is based on the provided text.", "Here's the answer based on the passage: {}", "{} [END]",
    "{}\n### End of response", "Expected answer: {}", "Reply: {}", "{}\n\nSource: passage 1",
)  # fmt: skip
OWN_LABELS = ("{}: {}", "**{}:** {}", "{}：{}", "### {}:\n{}")
IN_QUESTION = (
    "Q1: {}", "Q: {}", "Question 3: {}", "**Q:** {}", "1. {}", "2) {}", "(1) {}", "- {}", "* {}", "## {}", "[Q] {}", "Q#1: {}",
    "[Question] {}", "<question>{}</question>", "Instruction: {}", "User: {}", "### Question:\n{}", "Question - {}", "{} (fact)",
    "Prompt: {}", "Here is a question: {}", "<|user|>{}", "How-to: {}", "Sample question: {}",
)  # fmt: skip
WITH_ANSWER = (
    "{} Answer: {}", "{} A: {}", "{} (Answer: {})", "{}\nAnswer: {}", "{} Response: {}", "{} -> {}", "{} Ans: {}",
    "{} [Answer: {}]", "{} Correct answer: {}",
)  # fmt: skip
SPEAKERS = (
    ("the author", "their"),
    ("he", "his"),
    ("she", "her"),
    ("the writer", "their"),
    ("they", "their"),
    ("the blogger", "their"),
)
UNITS = {
    "GB": "MB", "MB": "GB", "TB": "GB", "KB": "MB", "seconds": "minutes", "minutes": "hours", "minute": "hour", "hours": "days",
    "days": "weeks", "weeks": "months", "months": "years", "years": "months", "km": "miles", "miles": "km", "kg": "pounds",
    "pounds": "kg", "ms": "s", "inches": "cm", "feet": "metres", "dollars": "euros", "W": "kW",
}  # fmt: skip
_QUANTITY = re.compile(
    rf"(?<![\w.])(?:\d[\d,.]*|two|three|four|five|six|ten|twenty)[ -]?(?P<unit>{'|'.join(UNITS)})(?!\w)"
)
NEVER = (
    "How much did you pay for {}?",
    "When did you last use {}?",
    "How many people work on {}?",
    "Who taught you {}?",
    "Where can I buy {}?",
)
OF_FORM = (
    "label in the notes' language",
    "label in the answer",
    "label in the question",
    "answer in the question",
    "cut off",
    "repeated",
    "third person",
    "unit",
)


def planted(good: Sequence[Candidate], draw: random.Random) -> Iterator[tuple[str, Candidate]]:
    """Faults in pairs that have none, each with its kind."""
    by_document: dict[str, list[Candidate]] = defaultdict(list)
    for one in good:
        by_document[one.pair.source].append(one)
    for one in good:
        question, answer = one.pair.question, one.pair.answer
        yield "label in the answer", changed(one, answer=draw.choice(IN_ANSWER).format(answer))
        own = [word for word in sorted(table(pair_language(one)).pairs.labels) if word.isalpha()]
        if own:
            label = draw.choice(own).capitalize()
            yield "label in the notes' language", changed(one, answer=draw.choice(OWN_LABELS).format(label, answer))
        yield "label in the question", changed(one, question=draw.choice(IN_QUESTION).format(question))
        first = answer.split(". ")[0][:120]
        yield "answer in the question", changed(one, question=draw.choice(WITH_ANSWER).format(question, first))
        for kind, said in (
            ("cut off", cut(answer, draw)),
            ("repeated", repeated(answer, draw)),
            ("third person", of_somebody(answer, draw)),
            ("unit", with_other_unit(answer)),
        ):
            if said and said != answer:
                yield kind, changed(one, answer=said)
        others = [other for other in by_document[one.pair.source] if other.pair.answer != answer]
        same = [other for other in others if other.pair.chunks == one.pair.chunks and other.pair.answer not in answer]
        elsewhere = [other for other in others if other.pair.chunks != one.pair.chunks]
        for kind, found in (
            ("answer of the section to another question", same),
            ("answer of another section", elsewhere),
        ):
            if found:
                yield kind, changed(one, answer=draw.choice(found).pair.answer)
        if name := re.search(r"(?<=[a-z,] )[A-Z][\w.]+\w", answer):
            yield "question that is not answered", changed(one, question=draw.choice(NEVER).format(name[0]))


def changed(one: Candidate, *, question: str = "", answer: str = "") -> Candidate:
    """The candidate with another question or answer."""
    update = {"question": question or one.pair.question, "answer": answer or one.pair.answer}
    return Candidate(one.pair.model_copy(update=update), one.sources)


def cut(answer: str, draw: random.Random) -> str:
    """The answer's first half or more, without an end mark; "" if it is too short for that."""
    words = answer.split(" ")
    if len(words) < 8 or "\n" in answer:
        return ""
    kept = " ".join(words[: draw.randint(len(words) // 2, len(words) - 2)])
    return re.sub(r"[.!?]+$", " and", kept) + draw.choice(("", "", "", "", "..."))


def repeated(answer: str, draw: random.Random) -> str:
    """The answer with one to three words, or all of it, said twice; "" if it is too short for that."""
    words = answer.split(" ")
    if len(words) < 6 or "\n" in answer:
        return ""
    length = draw.choice((1, 1, 2, 2, 3, 0))
    place = draw.randrange(len(words) - 3)
    return " ".join((*words[: place + length], *words[place:])) if length else f"{answer} {answer}"


def of_somebody(answer: str, draw: random.Random) -> str:
    """The answer in the third person; "" if it has no `I`."""
    if not re.search(r"\bI\b", answer):
        return ""
    who, whose = draw.choice(SPEAKERS)
    said = re.sub(r"\b(?:I've|I’ve)\b", f"{who} has", re.sub(r"\b(?:I'm|I’m|I am)\b", f"{who} is", answer))
    said = re.sub(r"\bmy\b", whose, re.sub(r"\bI(?:['’](?:d|ll))?\b", who, said), flags=re.IGNORECASE)
    return f"{said[0].upper()}{said[1:]}"


def with_other_unit(answer: str) -> str:
    """The answer with another unit behind its first quantity; "" if it has none."""
    hit = _QUANTITY.search(answer)
    return f"{answer[: hit.start('unit')]}{UNITS[hit['unit']]}{answer[hit.end('unit') :]}" if hit else ""


async def write(site: Site) -> list[Candidate]:
    """The pairs of the extractive teacher, without refusals."""
    teacher = ExtractiveTeacher()
    tasks = [task for task in plan(site.documents(), site.cut, site.settings.dataset) if task.kind != "refusal"]
    found = [Candidate(pair, task.sources) for task in tasks for pair in await teacher.write(task)]
    return list({one.pair.id: one for one in found}.values())


@click.command()
@click.option("--notes", type=click.Path(exists=True, path_type=Path), default=BLOG, show_default=False)
@click.option("--kind", default="astro", help="Of the notes, as in [[content]].")
@click.option("--seed", default=0)
@click.option("--most", default=150, help="Faults of one kind.")
@click.option("--wrong", is_flag=True, help="Show the faults that were not refused.")
@click.option("--json", "as_json", is_flag=True, help="Only the figures, as JSON.")
def main(notes: Path, kind: str, seed: int, most: int, wrong: bool, as_json: bool) -> None:
    """Plant faults into pairs of the notes, and print which share of each kind is refused."""
    with tempfile.TemporaryDirectory(prefix="sitetwin-") as folder:
        content = [ContentSource(path=notes.resolve(), kind=kind, url="/{slug}", visibility="public")]
        settings = Settings(root=Path(folder), content=content)
        written = asyncio.run(write(Site(settings)))
    check = filters.Check(settings.dataset)
    good = [one for one in written if not check(one)]
    draw = random.Random(seed)
    faults: dict[str, list[Candidate]] = defaultdict(list)
    for sort, one in planted(draw.sample(good, len(good)), draw):
        if len(faults[sort]) < most:
            faults[sort].append(one)
    missed = {sort: [one for one in found if not check(one)] for sort, found in faults.items()}
    shares = {sort: 1 - len(missed[sort]) / len(found) for sort, found in faults.items()}
    of_form = [sort for sort in OF_FORM if faults[sort]]
    total = sum(len(faults[sort]) for sort in of_form)
    ratio = 1 - sum(len(missed[sort]) for sort in of_form) / (total or 1)
    found = {"pairs": len(written), "good_kept": len(good) / len(written), **shares, "ratio": ratio}
    click.echo(render(f"faults planted in {notes.name}, share refused", found, as_json=as_json))
    if wrong:
        for sort, ones in missed.items():
            for one in ones[:20]:
                click.echo(
                    json.dumps(
                        {"sort": sort, "question": one.pair.question, "answer": one.pair.answer}, ensure_ascii=False
                    )
                )


if __name__ == "__main__":
    main()
