"""Asks one question of one system, as a visitor or the owner would."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pipeline.answerability.judging import Answerability, answerability_judge
from pipeline.chat import Answer, Turn
from pipeline.chat.assistant import Assistant
from pipeline.chat.citations import without_marks
from pipeline.chat.records import ChatModel
from pipeline.chat.refusing import sounds_like_refusal
from pipeline.chat.room import tokens
from pipeline.errors import ServiceError, SettingsError
from pipeline.evaluation.systems.system import System
from pipeline.evaluation.systems.wiring import answering_settings, engine_settings, index_settings
from pipeline.index.passages import Passage
from pipeline.settings import Settings, Visibility
from pipeline.site import Site
from pipeline.tables import Table
from pipeline.text.sentences import sentences


@dataclass
class Usage:
    """What an answer took of the model, counted as it passes. Tokens are estimated from the text, rather too many."""

    read: int = 0
    written: int = 0


@dataclass
class Found:
    """What a system that looks things up found before it answered."""

    passages: Sequence[Passage] = ()
    """The best first."""
    verdict: Answerability | None = None
    """Whether the passages can answer; None: nothing was looked up, or a flow did."""


class FlowAsker(Protocol):
    """Asks a flow in Langflow over HTTP, as the gateway does."""

    def __call__(self, settings: Settings, flow: str, question: str) -> Iterator[str | Answer]:
        """The answer's text piece by piece, then one `Answer`.

        Raises:
            ServiceError: Langflow does not answer.
        """
        ...


FLOW_ASKERS = Table("sitetwin.flow_askers", {})
"""The room `flows` stands above this one, so it adds its own way by an entry point called `langflow`."""


@dataclass(frozen=True)
class OpenSystem:
    """A system with its parts wired. Several threads may ask it.

    Args:
        settings: the site's settings.
        system: what is asked.
        visibility: `public` for what visitors are told; None for the owner.
    """

    settings: Settings
    system: System
    visibility: Visibility | None = None
    connect: Callable[[str | None], ChatModel] | None = field(default=None, repr=False)
    """The model, for tests; None: the one that the settings name."""

    @property
    def engine(self) -> Settings:
        """The settings of its model."""
        return engine_settings(self.settings, self.system)

    @property
    def index(self) -> Settings:
        """The settings of its index."""
        return index_settings(self.settings, self.system)

    def ask(
        self, question: str, *, history: Sequence[Turn] = (), usage: Usage | None = None, found: Found | None = None
    ) -> Generator[str | Answer, None, None]:
        """Yields the answer's text piece by piece, then one `Answer`, whose `refused` holds in every mode.

        Args:
            question: what is asked.
            history: the turns before it. A flow keeps its own and gets none.
            usage: is told what the model read and wrote.
            found: is told what was looked up, before the first piece.

        Raises:
            SitetwinError: as `Assistant.ask`, or Langflow does not answer, or its flow cites what is not to be seen.
        """
        for piece in self._pieces(question, history, usage or Usage(), found or Found()):
            if isinstance(piece, Answer):
                self._require_visible(piece)
                declined = piece.refused or (not piece.citations and declines(piece.answer, self._refusals))
                yield piece.model_copy(update={"refused": declined})
            else:
                yield piece

    def prepare(self) -> None:
        """Brings the index of a system with another embedder up to date.

        Raises:
            SitetwinError: the notes can't be indexed.
        """
        if self.index.root != self.settings.root:
            with Site(self.index).index() as index:
                index.sync()
            Site(self.index).calibrate()

    def _require_visible(self, answer: Answer) -> None:
        """A flow looks things up as it likes; what it cites must be for the one who asks."""
        if self.visibility and any(citation.visibility != self.visibility for citation in answer.citations):
            raise ServiceError(
                f"the flow {self.system.flow} cited private notes: set Visibility to {self.visibility} where it searches"
            )

    @property
    def _refusals(self) -> list[str]:
        return list(self.settings.chat.refusals.values())

    def _pieces(self, question: str, history: Sequence[Turn], usage: Usage, found: Found) -> Iterator[str | Answer]:
        system = self.system
        if system.flow:
            ask = FLOW_ASKERS.find("langflow")
            if ask is None:
                raise SettingsError(
                    f"the system {system.name!r} asks a flow, and Langflow's part is missing: run `make up`"
                )
            return iter(ask(self.settings, system.flow, question))
        notes = Site(self.index)
        connect = self.connect or Site(self.engine).engine
        judge = answerability_judge(self.index, notes.embedder)

        def noted(subject: str, passages: Sequence[Passage]) -> Answerability:
            found.passages, found.verdict = passages, judge(subject, passages)
            return found.verdict

        assistant = Assistant(
            answering_settings(self.settings, system),
            open_index=notes.index,
            connect=lambda adapter: _Meter(connect(adapter), usage),
            judge=noted,
            similarity=notes.similarity,
        )
        return assistant.ask(
            question,
            mode=system.mode,
            history=history,
            visibility=self.visibility,
            adapter=system.adapter or None if system.is_tuned else None,
        )


def declines(answer: str, own: Sequence[str] = ()) -> bool:
    """Whether an answer of a model alone says that it does not know: its first sentence does, and it ends soon after.

    In the modes base and lora nothing else tells a refusal: no passages are judged.
    """
    said = sentences(without_marks(answer))
    return bool(said) and len(said) <= 3 and sounds_like_refusal(said[0], own)


@dataclass(frozen=True)
class _Meter:
    """A model that counts what passes."""

    model: ChatModel
    usage: Usage

    def generate(
        self, messages: list[dict[str, str]], *, max_tokens: int, temperature: float
    ) -> Generator[str, None, bool]:
        self.usage.read += sum(tokens(message["content"]) for message in messages)
        text = ""
        pieces = self.model.generate(messages, max_tokens=max_tokens, temperature=temperature)
        try:
            while True:
                text += (piece := next(pieces))
                yield piece
        except StopIteration as end:
            return bool(end.value)
        finally:
            if isinstance(pieces, Generator):
                pieces.close()
            self.usage.written += tokens(text)
