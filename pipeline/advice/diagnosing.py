"""The seven ways in which retrieval and adapters fail, each with its sign on this site and what mends it. Pure."""

from typing import Literal

from pydantic import BaseModel

from pipeline.advice.facts import SiteFacts
from pipeline.advice.measured import shown
from pipeline.advice.steps import LEAST_RECALL, heeding, ignores
from pipeline.advice.wishes import ENOUGH_PAIRS

LONG_CHUNK = 2000
"""Characters, about 512 tokens: longer chunks hold too much besides an answer."""
SLOW_MS = 2000.0
"""Milliseconds to the first word from which on visitors leave."""
FORGOTTEN = 0.1
"""Nats a token by which the loss on general text may rise; the same as in the verdict of a run."""
BRITTLE = 0.15
"""The difference between questions as trained and others from which on an adapter recites."""


class Failure(BaseModel):
    """One way to fail."""

    name: Literal[
        "retrieval", "context ignored", "slow", "stale weights", "forgetting", "brittle", "adapter against passages"
    ]
    state: Literal["found", "clear", "unknown"]
    sign: str
    """What was measured here, or what was not and how to measure it."""
    mend: str = ""
    """The command or setting that mends it; empty unless it was found."""


def diagnose(facts: SiteFacts) -> list[Failure]:
    """All seven, those that were found and those that were not."""
    return [
        _retrieval(facts), _ignored(facts), _slow(facts), _stale(facts), _forgetting(facts), _brittle(facts),
        _against(facts),
    ]  # fmt: skip


def _retrieval(facts: SiteFacts) -> Failure:
    search = facts.search
    if search is None or search.recall is None:
        return Failure(
            name="retrieval",
            state="unknown",
            sign="no golden question names a page: `sitetwin golden draft` proposes some",
        )
    sign = f"the page of {search.recall:.0%} of {search.questions} golden questions is among the passages"
    if search.diluted is not None:
        sign += f"; {search.diluted:.0%} of their passages are of other pages"
    if search.recall >= LEAST_RECALL:
        return Failure(name="retrieval", state="clear", sign=sign)
    mend = (
        f"set index.chunk_chars = 900 instead of {facts.chunk_chars} and run `sitetwin index`"
        if facts.chunk_chars > LONG_CHUNK
        else "`sitetwin search QUESTION --explain` shows what is found instead; raise retrieval.passages"
    )
    if not facts.rerank:
        mend += ", and name a models.reranker with retrieval.rerank = true"
    return Failure(name="retrieval", state="found", sign=sign, mend=mend)


def _ignored(facts: SiteFacts) -> Failure:
    found = facts.evaluation.mode("rag") if facts.evaluation else None
    if not found or not found[1].cited:
        return Failure(name="context ignored", state="unknown", sign="not measured: `sitetwin eval --systems rag`")
    name, system = found
    sign = f"{system.ignored} of {system.cited} answers of {name} cite the page that holds the fact and lack the fact"
    if not ignores(system):
        return Failure(name="context ignored", state="clear", sign=sign)
    return Failure(name="context ignored", state="found", sign=sign, mend=heeding(facts.quotes, facts.persona_chars))


def _slow(facts: SiteFacts) -> Failure:
    found = facts.evaluation.mode("rag") if facts.evaluation else None
    first = found[1].figures.get("first_token_ms") if found else None
    search = facts.search
    if search is None and first is None:
        return Failure(name="slow", state="unknown", sign="there is no index: `sitetwin index`")
    signs = [f"a search takes {search.p95_ms:.0f} ms at the 95th percentile"] if search else []
    if first is not None:
        signs.append(f"the first word of an answer comes after {first:.0f} ms")
    sign = " and ".join(signs)
    if search and search.p95_ms > SLOW_MS:
        mend = "set retrieval.rerank = false" if facts.rerank else "lower retrieval.candidates"
        return Failure(name="slow", state="found", sign=sign, mend=f'{mend}, or retrieval.mode = "keyword"')
    if first is not None and first > SLOW_MS:
        mend = "lower chat.passages, name a smaller models.chat, or one of Ollama on a CPU; `sitetwin doctor` measures the machine"
        return Failure(name="slow", state="found", sign=sign, mend=mend)
    return Failure(name="slow", state="clear", sign=sign)


def _stale(facts: SiteFacts) -> Failure:
    trained = facts.trained
    if trained is None:
        return Failure(name="stale weights", state="clear", sign="no adapter answers")
    sign = f"{len(trained.changed)} of the {trained.documents} notes that {trained.adapter} was trained on have changed since"
    said = [
        f"{name} says the old fact in {share:.0%} of the changed questions"
        for mode in ("lora", "hybrid")
        if facts.evaluation and (found := facts.evaluation.mode(mode))
        for name, share in [(found[0], found[1].figures.get("staleness", 0.0))]
        if share
    ]
    sign = "; ".join([sign, *said])
    if not trained.changed and not said:
        return Failure(name="stale weights", state="clear", sign=sign)
    mend = '`sitetwin retrain`, and let visitors ask hybrid instead of lora (langflow.flow = "hybrid_chat"): facts are looked up'
    return Failure(name="stale weights", state="found", sign=sign, mend=mend)


def _forgetting(facts: SiteFacts) -> Failure:
    trained = facts.trained
    if trained is None:
        return Failure(name="forgetting", state="clear", sign="no adapter answers")
    if trained.rise is None or trained.before is None:
        return Failure(
            name="forgetting", state="unknown", sign=f"{trained.adapter} has no measurement: `sitetwin train` makes one"
        )
    sign = f"the loss on general text went from {trained.before:.3f} to {trained.before + trained.rise:.3f} ({trained.rise:+.3f})"
    if trained.rise <= FORGOTTEN:
        return Failure(name="forgetting", state="clear", sign=sign)
    mend = "train with --set learning_rate=1e-5 (never above 1e-4 but for the demo model), --set epochs=1, --set lora_parameters.dropout=0.1"
    return Failure(name="forgetting", state="found", sign=sign, mend=mend)


def _brittle(facts: SiteFacts) -> Failure:
    trained = facts.trained
    if trained is None:
        return Failure(name="brittle", state="clear", sign="no adapter answers")
    signs, is_found = [f"{trained.rows} rows, verdict {trained.verdict or 'unknown'}"], trained.verdict == "overfit"
    if trained.seen is not None and trained.unseen is not None:
        signs.append(f"questions that it was trained on score {trained.seen:.2f}, others {trained.unseen:.2f}")
        is_found |= trained.seen - trained.unseen > BRITTLE
    found = facts.evaluation.mode("lora") if facts.evaluation else None
    kinds = found[1].kinds.get("accuracy", {}) if found else {}
    if "paraphrase" in kinds and "fact" in kinds:
        signs.append(f"facts {kinds['fact']:.0%} right, paraphrases {kinds['paraphrase']:.0%}")
        is_found |= kinds["fact"] - kinds["paraphrase"] > BRITTLE
    if len(signs) == 1 and not is_found:
        return Failure(
            name="brittle",
            state="unknown",
            sign=f"{signs[0]}; `sitetwin train --phases` asks seen and held-out questions",
        )
    if not is_found:
        return Failure(name="brittle", state="clear", sign="; ".join(signs))
    few = f"fewer than {ENOUGH_PAIRS} rows: raise dataset.pairs_per_chunk, " if trained.rows < ENOUGH_PAIRS else ""
    return Failure(
        name="brittle",
        state="found",
        sign="; ".join(signs),
        mend=f"{few}`sitetwin train --set epochs=1`, or a lower rank",
    )


def _against(facts: SiteFacts) -> Failure:
    evaluation = facts.evaluation
    rag, hybrid = (evaluation.mode("rag"), evaluation.mode("hybrid")) if evaluation else (None, None)
    if facts.trained is None and hybrid is None:
        return Failure(name="adapter against passages", state="clear", sign="no adapter answers")
    if not evaluation or not rag or not hybrid:
        return Failure(
            name="adapter against passages", state="unknown", sign="not measured: `sitetwin eval --systems rag,hybrid`"
        )
    worse = shown(evaluation.gaps, rag[0], hybrid[0])[1]
    if not worse:
        sign = f"{hybrid[0]} is not shown to be worse than {rag[0]} on {evaluation.questions} questions"
        return Failure(name="adapter against passages", state="clear", sign=sign)
    rows = "set dataset.with_passages = 0.25, " if not facts.with_passages else ""
    return Failure(
        name="adapter against passages", state="found",
        sign=f"{hybrid[0]} is worse than {rag[0]} in {', '.join(worse)}",
        mend=f"{rows}`sitetwin train --set lora_parameters.rank=8`; until then answer with rag",
    )  # fmt: skip
