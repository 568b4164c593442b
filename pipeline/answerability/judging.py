"""Whether the passages can answer the question at all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.answerability.calibration import Scope, load_calibration
from pipeline.answerability.evidence import background, wanted_tokens, weigh
from pipeline.index.passages import Passage
from pipeline.index.vocabulary import open_statistics
from pipeline.settings import Settings, Visibility

if TYPE_CHECKING:
    from pipeline.embedding.embedder import Embedder


@dataclass(frozen=True, slots=True)
class Answerability:
    probability: float
    """That the passages answer, at even odds; comparable between questions of one collection."""
    decline_below: float

    @property
    def declined(self) -> bool:
        return self.probability < self.decline_below


Judge = Callable[[str, Sequence[Passage]], Answerability]
"""A question, which stands alone, and what was found for it."""


def answerability_judge(settings: Settings, embedder: "Callable[[], Embedder]") -> Judge:
    """By what was learnt from the collection; by what holds in general until then."""

    def judge(question: str, passages: Sequence[Passage]) -> Answerability:
        # Of public passages only public text may tell, by whomever they were found.
        private = any(passage.visibility == "private" for passage in passages)
        return _judge(settings, embedder, question, passages, None if private else "public")

    return judge


def _judge(
    settings: Settings,
    load_embedder: "Callable[[], Embedder]",
    question: str,
    passages: Sequence[Passage],
    visibility: Visibility | None,
) -> Answerability:
    known = load_calibration(settings)
    scope = known.scope(visibility) if known else Scope(chunks=0)
    has_vectors = any(passage.similarity is not None for passage in passages)
    model = scope.models["dense" if has_vectors else "keyword"]
    limit = model.decline_below if settings.chat.decline_below is None else settings.chat.decline_below
    if not passages:
        return Answerability(0.0, limit)
    around = None
    if has_vectors:
        embedder = load_embedder()
        # Cosines with another embedder's vectors say nothing.
        vectors = scope.vectors if known and known.embedder == embedder.name else None
        around = background(embedder.embed_query(question), vectors)
    with open_statistics(settings) as statistics:
        vocabulary = statistics.vocabulary(wanted_tokens(question), visibility)
    understood = (settings.persona.name, settings.site.name)
    return Answerability(model.probability(weigh(question, passages, vocabulary, around, understood)), limit)
