"""Compares hybrid search with each of its two lists on a data set with judgements.

    python -m benchmarks.retrieval [DIR] [--config sitetwin.toml] [--json]

DIR is a folder in BEIR's layout; the default is ../shared/data/retrieval-dev. `sitetwin bench retrieval DIR` shows all
measures of it. `ratio` is hybrid's nDCG@10 divided by the better one of dense and keyword: above 1 the fusion helps.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.report import Figures, render
from benchmarks.synthetic import PROJECT
from pipeline.errors import SitetwinError
from pipeline.evaluation.retrieval import MODES, RetrievalReport, bench_retrieval
from pipeline.progress import progress_bar
from pipeline.settings import load_settings

DATA = PROJECT.parent / "shared" / "data" / "retrieval-dev"
SHOWN = ("ndcg@10", "recall@10", "mrr@3")


def summary(report: RetrievalReport) -> Figures:
    """The figures of a report."""
    ndcg = {mode: measured.measures["ndcg@10"] for mode, measured in report.modes.items()}
    single = max(ndcg["dense"], ndcg["keyword"])
    figures: dict[str, float | int | str | None] = {"ratio": ndcg["hybrid"] / single if single else None}
    for mode in MODES:
        measured = report.modes[mode]
        figures |= {f"{mode}_{name}": measured.measures[name] for name in SHOWN}
        figures |= {f"{mode}_{name}_ms": value for name, value in measured.query_ms.items()}
    return figures | {"chunks": report.chunks, "chunks_per_second": report.chunks_per_second}


def main() -> None:
    """The command line of this benchmark."""
    parser = argparse.ArgumentParser(description="Hybrid search beside each of its two lists.")
    parser.add_argument("folder", nargs="?", type=Path, default=DATA, metavar="DIR", help="a data set in BEIR's layout")
    parser.add_argument("--config", type=Path, help="the sitetwin.toml to use")
    parser.add_argument("--json", action="store_true", help="only the figures, as JSON")
    arguments = parser.parse_args()
    try:
        settings = load_settings(arguments.config)
        with progress_bar("indexing") as progress:
            report = bench_retrieval(arguments.folder, settings, progress)
    except SitetwinError as error:
        sys.exit(str(error))
    print(render(f"Retrieval on {arguments.folder.name}", summary(report), as_json=arguments.json))


if __name__ == "__main__":
    main()
