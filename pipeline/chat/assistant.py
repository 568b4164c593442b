"""`ask`: the whole way from a question to its answer, with the index and the model that the settings name."""

import time
from collections.abc import Generator, Iterator, Sequence

from pipeline.adapters import BASE, answering_adapter
from pipeline.answerability.judging import answerability_judge
from pipeline.chat.conversation import retrieval_query
from pipeline.chat.records import Answer, Similarity, Turn
from pipeline.chat.respond import respond
from pipeline.embedding.embedder import load_embedder
from pipeline.errors import SitetwinError
from pipeline.index import open_index
from pipeline.index.passages import Passage
from pipeline.processes import engine
from pipeline.settings import Mode, Retrieval, Settings, Visibility


def ask(
    settings: Settings,
    question: str,
    *,
    mode: Mode = "rag",
    history: Sequence[Turn] = (),
    retrieval: Retrieval | None = None,
    visibility: Visibility | None = None,
    adapter: str | None = None,
) -> Generator[str | Answer, None, None]:
    """Yield the answer's text piece by piece, then one `Answer`.

    Args:
        visibility: `public` for visitors; None for the owner, who sees private text too.
        adapter: for the modes lora and hybrid; None: the promoted one; `base`: none, to hear what an adapter changes.

    Raises:
        SitetwinError: an empty question, no adapter for a mode that needs one, no index, or no model.
    """
    question = question.strip()
    if not question:
        raise SitetwinError("the question is empty: ask something")
    tuned = mode in ("lora", "hybrid")
    voice = answering_adapter(settings, adapter, visibility).name if tuned and adapter != BASE else None
    if adapter is not None and not tuned:
        raise SitetwinError(f"mode {mode} asks no adapter: leave {adapter!r} out, or use --mode lora or --mode hybrid")
    started = time.perf_counter()
    passages: list[Passage] = []
    if mode in ("rag", "hybrid"):
        with open_index(settings) as index:
            found = index.search(retrieval_query(question, history), retrieval=retrieval, visibility=visibility)
            passages = found.passages

    def generate(messages: list[dict[str, str]]) -> Iterator[str]:
        # Only here, so that an answer without the model does not wait for it to start.
        client = engine.connect(settings, voice)
        return client.generate(messages, max_tokens=settings.chat.max_tokens, temperature=settings.chat.temperature)

    yield from respond(
        question,
        passages=passages,
        mode=mode,
        history=history,
        generate=generate,
        judge=answerability_judge(settings),
        chat=settings.chat,
        persona=settings.persona,
        model=settings.models.chat,
        adapter=voice,
        # Quotations alone would be no answer of the adapter's.
        similarity=question_similarity(settings) if settings.quotes_first and not tuned else None,
        retrieve_ms=(time.perf_counter() - started) * 1000,
    )


def question_similarity(settings: Settings) -> Similarity:
    """Cosines by the embedder that the index uses."""

    def similarity(question: str, texts: Sequence[str]) -> Sequence[float]:
        embedder = load_embedder(settings)
        return [float(cosine) for cosine in embedder.embed(texts) @ embedder.embed_query(question)]

    return similarity
