"""The whole way from a question to its answer."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from pipeline.adapters import BASE, answering_adapter
from pipeline.answerability.judging import AnswerabilityJudge
from pipeline.chat.conversation import Asked, Rewrite, found_for, understand
from pipeline.chat.dated import of_its_days
from pipeline.chat.records import Answer, ChatModel, Generate, Similarity, Turn
from pipeline.chat.respond import respond
from pipeline.chat.rewriting import Rewriting, rewritten
from pipeline.errors import SitetwinError
from pipeline.index import Index
from pipeline.index.passages import Passage
from pipeline.settings import Mode, Retrieval, Settings, Visibility

REWRITING_TOKENS = 80
"""The longest rewriting of a question. A visitor waits for it before the search."""


@dataclass(frozen=True, slots=True)
class Assistant:
    """Answers questions as the settings say, with the parts that it is given."""

    settings: Settings
    open_index: Callable[[], Index]
    connect: Callable[[str | None], ChatModel]
    """The model, under an adapter or as it is; called when the model is needed."""
    judge: AnswerabilityJudge
    similarity: Similarity

    def ask(
        self,
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
        settings, question = self.settings, question.strip()
        if not question:
            raise SitetwinError("the question is empty: ask something")
        is_tuned = mode in ("lora", "hybrid")
        if adapter is not None and not is_tuned:
            raise SitetwinError(
                f"mode {mode} asks no adapter: leave {adapter!r} out, or use --mode lora or --mode hybrid"
            )
        voice = answering_adapter(settings, adapter, visibility).name if is_tuned and adapter != BASE else None
        turns, started = settings.chat.history_turns, time.perf_counter()
        passages: Sequence[Passage] = []
        if mode in ("rag", "hybrid"):
            with self.open_index() as index:

                @cache
                def find(subject: str) -> list[Passage]:
                    return index.search(subject, retrieval=retrieval, visibility=visibility).passages

                asked = understand(question, history, turns, find, self._rewrite)
                asked, passages = of_its_days(
                    asked,
                    found_for(asked, find),
                    today=date.today(),
                    known_days=lambda: index.days(visibility),
                    find=lambda subject, filters: (
                        index.search(subject, retrieval=retrieval, visibility=visibility, filters=filters).passages
                    ),
                    judge=self.judge,
                )
        else:
            asked = understand(question, history, turns)

        def generate(messages: list[dict[str, str]]) -> Iterator[str]:
            # Only here, so that an answer without the model does not wait for it to start.
            client = self.connect(voice)
            return client.generate(messages, max_tokens=settings.chat.max_tokens, temperature=settings.chat.temperature)

        yield from self.respond(
            asked,
            passages,
            mode=mode,
            generate=generate,
            model=settings.models.chat,
            adapter=voice,
            quotes_first=settings.quotes_first,
            retrieve_ms=(time.perf_counter() - started) * 1000,
        )

    @property
    def _rewrite(self) -> Rewrite | None:
        return self.rewritten if self.settings.chat.rewrite == "model" else None

    def rewritten(self, question: str, history: Sequence[Turn]) -> Rewriting:
        """The question as the model says that it stands alone. No adapter is asked: it is no matter of the voice."""

        def generate(messages: list[dict[str, str]]) -> Iterator[str]:
            return self.connect(None).generate(messages, max_tokens=REWRITING_TOKENS, temperature=0.0)

        return rewritten(question, history, generate)

    def respond(
        self,
        asked: Asked,
        passages: Sequence[Passage],
        *,
        mode: Mode,
        generate: Generate,
        model: str,
        adapter: str | None,
        quotes_first: bool,
        retrieve_ms: float,
        rule: str = "",
    ) -> Generator[str | Answer, None, None]:
        """The rest of `ask`, from the passages on, with any model: text piece by piece, then one `Answer`.

        Args:
            model: its name, for the record.
            quotes_first: whether mode rag answers in quotations alone.
            retrieve_ms: what finding the passages took, in milliseconds.
            rule: what the model is told below the passages; "": as in `grounded_messages`.
        """
        yield from respond(
            asked,
            passages=passages,
            mode=mode,
            generate=generate,
            judge=self.judge,
            similarity=self.similarity,
            chat=self.settings.chat,
            persona=self.settings.persona,
            model=model,
            adapter=adapter,
            # Quotations alone would be no answer of an adapter's.
            quotes_first=quotes_first and mode == "rag",
            retrieve_ms=retrieve_ms,
            rule=rule,
        )
