"""A site of which everything is known and nothing is wrong."""

from pipeline.advice.changes import Changes
from pipeline.advice.facts import Gap, LastEvaluation, Search, SiteFacts, SystemFigures, Trained


def facts(**other) -> SiteFacts:
    known = {
        "documents": 80, "public": 80, "words": 30_000,
        "changes": Changes(basis="git", days=30, notes=40, months=12), "data_set": 1, "pairs": 700,
        "pair_kinds": {"fact": 500, "voice": 200}, "golden": {"fact": 30}, "persona_chars": 200, "chunk_chars": 900,
        "rerank": False, "quotes": False, "with_passages": 0.25, "search": search(), "machine": "darwin arm64", "memory_gb": 16,
        "for_models": 11.5, "has_gpu": True, "model": "demo", "can_answer": "7B in 4 bits", "can_train": "7B in 4 bits",
        "trained": trained(), "evaluation": evaluation(),
    }  # fmt: skip
    return SiteFacts(**known | other)


def search(**other) -> Search:
    return Search(**{"questions": 40, "recall": 0.9, "diluted": 0.4, "p50_ms": 30, "p95_ms": 60} | other)


def trained(**other) -> Trained:
    known = {
        "adapter": "best-1", "rows": 630, "verdict": "good", "before": 2.9, "rise": 0.02, "seen": 0.2, "unseen": 0.18,
        "changed": [], "documents": 70,
    }  # fmt: skip
    return Trained(**known | other)


def evaluation(*gaps: Gap, rag: dict | None = None, lora: dict | None = None) -> LastEvaluation:
    systems = {
        "rag": SystemFigures(
            **{"mode": "rag", "figures": {"first_token_ms": 300.0}, "cited": 20, "ignored": 1} | (rag or {})
        ),
        "hybrid": SystemFigures(mode="hybrid"),
        "lora": SystemFigures(**{"mode": "lora"} | (lora or {})),
    }
    return LastEvaluation(number=3, questions=60, systems=systems, gaps=list(gaps))


def gap(measure: str, difference: float, b: str = "hybrid", p: float = 0.01) -> Gap:
    return Gap(a="rag", b=b, measure=measure, difference=difference, p=p)
