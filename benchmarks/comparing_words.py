"""The time that a search takes to compare the question's words with those of the best passages, and what that brings.

    python -m benchmarks.comparing_words [DIR] [--questions N] [--config sitetwin.toml] [--json]

DIR is a folder in BEIR's layout; the default is the sections of docs/ with the questions of benchmarks/data. Each question
is asked in turn with the comparison as it is (STRETCH words of READ passages) and with the former one (ten whole
passages), each in milliseconds beside those of the search itself. Nothing that was read before is kept. `ratio` is the
former comparison's median time divided by today's.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.report import Figures, render
from benchmarks.retrieval_sets import guides
from pipeline.embedding.embedder import PrefixedEmbedder
from pipeline.embedding.token_vectors import TokenModel
from pipeline.errors import SitetwinError
from pipeline.evaluation.beir import read_beir, write_beir
from pipeline.evaluation.ranking import judge
from pipeline.evaluation.retrieval import throw_away_index
from pipeline.index import aligning
from pipeline.index.passages import Passage
from pipeline.progress import progress_bar
from pipeline.settings import Settings, load_settings
from pipeline.site import Site
from pipeline.text.tokens import query_tokens, tokens

FORMER = 10
"""So many whole passages were read."""
KEPT = 100
"""Passages of a search."""
Ranking = list[Passage]


def compare(model: TokenModel, question: str, found: Ranking, rarity: Mapping[str, float], read: int, words: int | None) -> Ranking:  # fmt: skip
    """The passages in the order that the comparison gives them."""
    texts = {passage.id: f"{passage.title} > {passage.heading}\n{passage.text}" for passage in found[:read]}
    scores = {passage.id: passage.score for passage in found}
    aligned = aligning.align(question, "en", texts, scores, rarity, model.embed_tokens, words=words) or scores
    return sorted(found, key=lambda passage: -aligned[passage.id])


def measure(folder: Path, settings: Settings, most: int | None) -> Figures:
    """The figures on the data set in `folder`, of its first `most` questions."""
    data = read_beir(folder)
    embedder = Site(settings).embedder()
    if not isinstance(embedder, PrefixedEmbedder) or not isinstance(embedder.model, TokenModel):
        raise SitetwinError("the embedder tells no vectors of words: set [models] embedder to demo")
    model = embedder.model
    ways: dict[str, Callable[[str, Ranking, Mapping[str, float]], Ranking]] = {
        "without": lambda question, found, rarity: found,
        "former": lambda question, found, rarity: compare(model, question, found, rarity, FORMER, None),
        "today": lambda question, found, rarity: compare(
            model, question, found, rarity, aligning.READ, aligning.STRETCH
        ),
    }
    took: dict[str, list[float]] = {name: [] for name in ("search", *ways)}
    rankings: dict[str, dict[str, list[str]]] = {name: {} for name in ways}
    held = Counter(token for one in data.documents for token in set(tokens(f"{one.title}\n{one.text}")))
    with throw_away_index(data.documents, settings) as index, progress_bar("indexing") as progress:
        index.sync(progress)
        for id, question in islice(data.queries.items(), most):
            started = time.perf_counter()
            found = index.search(question, KEPT, "hybrid").passages
            took["search"].append((time.perf_counter() - started) * 1000)
            terms = query_tokens(question, "en", exact=True)
            rarity = aligning.rarities({term: held[term] for term in terms}, len(data.documents))
            for name, way in ways.items():
                started = time.perf_counter()
                ranked = way(question, found, rarity)
                took[name].append((time.perf_counter() - started) * 1000)
                rankings[name][id] = list(dict.fromkeys(passage.document for passage in ranked))
    figures: dict[str, float | int | str | None] = {
        "ratio": float(np.median(took["former"]) / np.median(took["today"])),
        "questions": len(took["search"]),
        **{f"{name}_p50_ms": float(np.median(values)) for name, values in took.items() if name != "without"},
    }
    asked = {id: data.judgements[id] for id in rankings["today"]}
    for name, ranking in rankings.items():
        measures = judge(ranking, asked)
        figures |= {f"{name}_{which}": measures[which] for which in ("mrr@3", "recall@3", "ndcg@10")}
    first = [rankings["former"][id][:1] == rankings["today"][id][:1] for id in asked]
    return figures | {"same_first": float(np.mean(first))}


def main() -> None:
    """The command line of this benchmark."""
    parser = argparse.ArgumentParser(description="What it takes to compare the question's words with the passages'.")
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="a data set in BEIR's layout")
    parser.add_argument("--questions", type=int, metavar="N", help="only the first N questions")
    parser.add_argument("--config", type=Path, help="the sitetwin.toml to use")
    parser.add_argument("--json", action="store_true", help="only the figures, as JSON")
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="sitetwin-") as folder:
            if not arguments.folder:
                write_beir(Path(folder), *guides())
            figures = measure(arguments.folder or Path(folder), load_settings(arguments.config), arguments.questions)
    except SitetwinError as error:
        sys.exit(str(error))
    print(render("Comparing a question's words with passages", figures, as_json=arguments.json))


if __name__ == "__main__":
    main()
