"""One question, several systems at the same time: what each of them says, as it comes.

The page `/compare`, the flow `compare` and the MCP tool `compare` show these events. `sitetwin eval` asks many questions
of one system after the other.
"""

import queue
import threading
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from pydantic import BaseModel

from pipeline.chat import Answer
from pipeline.errors import SitetwinError
from pipeline.evaluation.systems.asking import Found, OpenSystem, Usage
from pipeline.evaluation.systems.identity import asks_model
from pipeline.index.passages import Passage
from pipeline.processes import engine
from pipeline.weights.locating import shown_name


class Waits(BaseModel):
    """The system can't begin yet."""

    text: str
    """What it waits for, in words for a reader."""


class Piece(BaseModel):
    """The next piece of the answer's text."""

    text: str


class Answered(BaseModel):
    """The system's whole answer, and what stands behind it."""

    answer: Answer
    passages: list[Passage] = []
    """What it found in the notes, the best first; [] for a system that looks nothing up, and for a flow."""
    decline_below: float | None = None
    """The question is declined where `answer.answerability` is below this; None: no passages were judged."""
    reason: str = ""
    """Why it refused, in one sentence; "" if it did not."""
    read: int = 0
    """About how many tokens the model read; of a flow it is not known."""
    written: int = 0
    """About how many tokens it wrote."""


class Failed(BaseModel):
    """The system has no answer."""

    text: str
    """Why, with the next step to take. For the owner: it can name files and addresses."""


Event = Waits | Piece | Answered | Failed
LOOK_SECONDS = 0.1
"""How often a comparison without news looks whether it is over."""


def compare(
    systems: Sequence[OpenSystem], question: str, is_over: threading.Event | None = None
) -> Generator[tuple[str, Event], None, None]:
    """Asks all systems at the same time and yields (system's name, event) as they come.

    Each system's last event is `Answered` or `Failed`. The systems share the machine, so the times of their answers are
    longer than alone: compare them with each other. Closing the iterator ends all answers under way; a model that is being
    loaded is not waited for, and its answer ends after that.

    Args:
        systems: each under a name of its own.
        question: what is asked.
        is_over: set by another thread, it ends the iterator within LOOK_SECONDS, as closing it does.
    """
    events: queue.SimpleQueue[tuple[str, Event | None]] = queue.SimpleQueue()
    is_over = is_over or threading.Event()
    pool = ThreadPoolExecutor(max(1, len(systems)), thread_name_prefix="compare")
    under_way = [pool.submit(_ask, one, question, events, is_over) for one in systems]
    try:
        ended = 0
        while ended < len(under_way):
            if is_over.is_set():
                return
            try:
                name, event = events.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                continue
            if event:
                yield name, event
            else:
                ended += 1
    finally:
        is_over.set()
        pool.shutdown(wait=False)
    for one in under_way:
        one.result()  # what is no error of the site's own is raised here


def _ask(
    opened: OpenSystem,
    question: str,
    events: "queue.SimpleQueue[tuple[str, Event | None]]",
    is_over: threading.Event,
) -> None:
    """Hands on one system's events, and None at its end, however it ends."""
    name = opened.system.name
    try:
        for event in _events(opened, question, is_over):
            events.put((name, event))
    except SitetwinError as error:
        events.put((name, Failed(text=str(error))))
    finally:
        events.put((name, None))


def _events(opened: OpenSystem, question: str, is_over: threading.Event) -> Iterator[Event]:
    if waits := _waits_for(opened):
        yield Waits(text=waits)
    opened.prepare()
    usage, found = Usage(), Found()
    with closing(opened.ask(question, usage=usage, found=found)) as pieces:
        for piece in pieces:
            if is_over.is_set():
                return
            if isinstance(piece, str):
                yield Piece(text=piece)
                continue
            pieces.close()  # what was written is counted when the model is let go
            yield Answered(
                answer=piece,
                passages=list(found.passages),
                decline_below=found.verdict.decline_below if found.verdict else None,
                reason=why_refused(piece, found),
                read=usage.read,
                written=usage.written,
            )


def why_refused(answer: Answer, found: Found) -> str:
    """Why the answer is a refusal, in one sentence; "" if it is none."""
    if not answer.refused:
        return ""
    if found.verdict and not found.passages:
        return "Nothing in the notes is about this question."
    if found.verdict and found.verdict.declined:
        return (
            f"The passages answer it with a probability of {found.verdict.probability:.0%}, and below "
            f"{found.verdict.decline_below:.0%} it is declined."
        )
    if found.verdict:
        return answer.why_not or "The model says that the passages do not answer it, and they are weak."
    return answer.why_not or "The model says so itself: no passages were looked up."


def _waits_for(opened: OpenSystem) -> str:
    """What must start before the system can answer; "" if nothing, or if it is another's server."""
    if opened.index.root != opened.settings.root:
        return f"the notes are indexed with {opened.index.models.embedder}"
    settings = opened.engine
    if opened.connect or not asks_model(opened) or settings.engine.url or engine.service(settings).find():
        return ""
    return f"the model {shown_name(settings.models.chat)} is loaded"
