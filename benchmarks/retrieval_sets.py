"""Makes data sets with judgements, in BEIR's layout, from the files of sitetwin and Python.

    python -m benchmarks.retrieval_sets FOLDER

`guides` has the sections of docs/ and the questions of benchmarks/data. A section is right if it contains the fact.
`code` has modules of Python's standard library in pieces, without their docstrings. A query is the first sentence of a
docstring, and the piece in which its function or class begins is right. `sitetwin bench retrieval FOLDER/code` measures it.
"""

import argparse
import ast
import inspect
import re
import sys
import sysconfig
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from benchmarks.synthetic import PROJECT
from pipeline.content.frontmatter import split_front_matter
from pipeline.content.structure import parse_sections
from pipeline.evaluation.beir import Corpus, write_beir
from pipeline.evaluation.golden import is_page, load, says

MODULES = """argparse asyncio/base_events asyncio/queues asyncio/streams bdb calendar cmd configparser contextlib csv datetime
    difflib fractions functools gettext heapq http/client inspect ipaddress json/encoder logging/__init__ mailbox pathlib
    pickle queue random sched selectors shelve shutil socket statistics string subprocess tarfile tempfile textwrap
    threading tokenize traceback uuid weakref webbrowser zipfile""".split()
Described = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
"""What can have a docstring."""
PIECE_CHARS = 1000
"""A piece ends before the first line at the margin after this many characters."""
SENTENCE = re.compile(r"(?<=[.!?])\s|\n\n")
"""Ends the first sentence of a docstring."""


def guides(folder: Path = PROJECT / "docs") -> tuple[Corpus, dict[str, str], dict[str, set[str]]]:
    """Sections, questions and judgements. A question whose fact is in more than six sections is left out."""
    corpus: Corpus = {}
    for path in sorted(folder.glob("*.md")):
        values, text = split_front_matter(path.read_text("utf-8"))
        title = str(values.get("title", path.stem))
        for number, section in enumerate(parse_sections(text, title)):
            if body := "".join(piece.gap + piece.text for piece in section.pieces).strip():
                corpus[f"docs/{path.name}#{number}"] = (" > ".join((title, *section.headings)), body)
    queries, judged = {}, {}
    for name in ("docs_questions", "docs_heldout"):
        for number, golden in enumerate(load(PROJECT / "benchmarks" / "data" / f"{name}.jsonl")):
            holding = {
                id
                for id, texts in corpus.items()
                if any(is_page(id.partition("#")[0], page) for page in golden.page)
                and any(says("\n".join(texts), fact) for fact in golden.groups)
            }
            if 0 < len(holding) <= 6:
                queries[f"{name}-{number}"], judged[f"{name}-{number}"] = golden.question, holding
    return corpus, queries, judged


def code(library: Path) -> tuple[Corpus, dict[str, str], dict[str, set[str]]]:
    """Pieces, queries and judgements. Every fourth sentence that is in one place only becomes a query."""
    corpus: Corpus = {}
    places: dict[str, set[str]] = defaultdict(set)
    for module in MODULES:
        source = (library / f"{module}.py").read_text("utf-8").removesuffix("\n")
        tree = ast.parse(source)
        docstrings = {line for node in _described(tree) for line in _lines(node.body[0])}
        kept = [(number, line) for number, line in enumerate(source.split("\n"), 1) if number not in docstrings]
        piece_of: dict[int, str] = {}
        for place, piece in enumerate(_pieces(kept)):
            id = f"{module}.py:{place}"
            corpus[id] = ("", "\n".join(line for _, line in piece))
            piece_of |= {number: id for number, _ in piece}
        for node in _described(tree):
            sentence = " ".join(SENTENCE.split(inspect.cleandoc(ast.get_docstring(node) or ""))[0].split())
            if not isinstance(node, ast.Module) and len(sentence.split()) >= 5 and len(sentence) < 200:
                places[sentence].add(piece_of[node.lineno])
    sentences = [sentence for sentence, ids in places.items() if len(ids) == 1]
    queries = {str(number): sentence for number, sentence in enumerate(sentences[::4])}
    return corpus, queries, {number: places[sentence] for number, sentence in queries.items()}


def _described(tree: ast.Module) -> Iterator[Described]:
    for node in ast.walk(tree):
        if isinstance(node, Described) and ast.get_docstring(node) is not None:
            yield node


def _lines(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _pieces(lines: list[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    piece: list[tuple[int, str]] = []
    chars = 0
    for number, line in lines:
        at_margin = line[:1].strip() and line[0] not in ")]}#"
        if piece and (chars > 2 * PIECE_CHARS or (chars > PIECE_CHARS and (at_margin or line.startswith("    def ")))):
            yield piece
            piece, chars = [], 0
        piece.append((number, line))
        chars += len(line) + 1
    if piece:
        yield piece


def main() -> None:
    """The command line of this script."""
    parser = argparse.ArgumentParser(description="Data sets with judgements out of what everyone has.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where to write them")
    folder = parser.parse_args().folder
    for name, made in (("guides", guides()), ("code", code(Path(sysconfig.get_path("stdlib"))))):
        write_beir(folder / name, *made)
        corpus, queries, _ = made
        print(f"{folder / name}: {len(corpus)} documents, {len(queries)} queries", file=sys.stderr)


if __name__ == "__main__":
    main()
