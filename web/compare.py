"""`/api/compare`: one question, several systems side by side, for the owner and, if the settings say so, for visitors."""

import logging
import random
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, TypeVar
from uuid import uuid4

import anyio
from pydantic import BaseModel, Field, StringConstraints, ValidationError
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pipeline.chat.records import ChatModel
from pipeline.errors import SitetwinError
from pipeline.evaluation import golden
from pipeline.evaluation.probes import Probe, probes
from pipeline.evaluation.systems import OpenSystem, System, chosen_systems, default_systems
from pipeline.evaluation.systems.compare import Answered, Failed, Piece, Waits, compare
from pipeline.evaluation.votes import Vote, keep_vote, kept_votes, tally
from pipeline.settings import Settings, Visibility
from pipeline.site import Site
from pipeline.weights.locating import shown_name
from web.blind import plain_words
from web.door import BUSY, FAILED, Door, RefusedRequestError, body
from web.events import absolute, event, with_links
from web.owner import is_owner

log = logging.getLogger(__name__)

MOST_SYSTEMS = 6
KEPT_BALLOTS = 200
"""So many blind comparisons wait for their votes."""
CLOSED = "This page is for the site's owner: run `sitetwin compare` on the machine of the site."


Parsed = TypeVar("Parsed", bound=BaseModel)
Found = TypeVar("Found")


class Asked(BaseModel):
    """What is to be compared."""

    question: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    systems: list[str] = Field(min_length=1, max_length=MOST_SYSTEMS)
    blind: bool = False


class Cast(BaseModel):
    """A vote as the page sends it."""

    ballot: str
    column: str
    """The chosen column; "" if the voter can't tell."""


@dataclass
class Ballot:
    """A blind comparison."""

    question: str
    columns: Mapping[str, str]
    """By the column's letter, the system."""
    ended: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By letter, the last event of the column, which the page gets after the vote."""
    models: dict[str, str] = field(default_factory=dict)


class CompareApi:
    """The handlers of the page's requests.

    Args:
        settings: the site's settings.
        door: admits visitors' questions; each column counts as one.
        owner_key: whoever sends it is the owner and sees private text too.
        connect: the model of all systems, for tests; None: the one that each names.
    """

    def __init__(
        self,
        settings: Settings,
        door: Door,
        owner_key: str,
        connect: Callable[[str | None], ChatModel] | None = None,
    ) -> None:
        self._settings = settings
        self._door = door
        self._owner_key = owner_key
        self._connect = connect
        self._ballots: OrderedDict[str, Ballot] = OrderedDict()

    async def info(self, request: Request) -> Response:
        """GET /api/compare: systems, probes and votes, as JSON."""
        owner = self._owner(request)
        found = await _read(owner, self._info, owner)
        return JSONResponse(found, headers={"Cache-Control": "no-store"})

    async def ask(self, request: Request) -> Response:
        """POST /api/compare: events `columns`, then of each column `waits`, `piece`, and at last `answered` or `failed`.

        In a blind comparison a column has a letter for a name, and only `waits` and `answered`, with nothing but the
        text, arrive; all at once, as the time of an answer tells which system it is.
        """
        owner = self._owner(request)
        asked = await self._parse(request, Asked)
        self._door.check_length(asked.question)
        systems = self._systems(asked, owner)
        await self._door.admit(request, 0 if owner else len(systems))
        return EventSourceResponse(self._events(asked, systems, owner, str(request.base_url)), sep="\n")

    async def vote(self, request: Request) -> Response:
        """POST /api/compare/vote: keeps the vote, and answers with what the columns were, as JSON."""
        owner = self._owner(request)
        cast = await self._parse(request, Cast)
        ballot = self._ballots.get(cast.ballot)
        if not ballot or len(ballot.ended) < len(ballot.columns):
            raise RefusedRequestError(409, "vote", "There is nothing to vote on: ask again, and wait for all answers.")
        if cast.column and cast.column not in ballot.columns:
            raise RefusedRequestError(400, "request", "column: name one of the columns, or none.")
        del self._ballots[cast.ballot]
        vote = Vote(
            at=datetime.now(UTC),
            question=ballot.question,
            systems=tuple(ballot.columns.values()),
            chosen=ballot.columns.get(cast.column, ""),
            models=ballot.models,
            by_owner=owner,
        )
        await anyio.to_thread.run_sync(keep_vote, self._settings, vote)
        votes = await _read(owner, self._votes)
        return JSONResponse({"names": ballot.columns, "ended": ballot.ended, "votes": votes})

    def _owner(self, request: Request) -> bool:
        """Whether the owner asks.

        Raises:
            RefusedRequestError: somebody else does, and may not.
        """
        owner = is_owner(request, self._owner_key)
        if not owner and not self._settings.gateway.compare:
            raise RefusedRequestError(403, "closed", CLOSED)
        return owner

    async def _parse(self, request: Request, kind: type[Parsed]) -> Parsed:
        try:
            return kind.model_validate_json(await body(request, self._settings.gateway.max_question_chars))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "body"
            raise RefusedRequestError(400, "request", f"{place}: {first['msg']}.") from None

    def _systems(self, asked: Asked, owner: bool) -> list[System]:
        """The systems by their names; visitors may name those that the page offers.

        Raises:
            RefusedRequestError: there is none of a name, or a blind comparison has one alone.
        """
        if asked.blind and len(set(asked.systems)) < 2:
            raise RefusedRequestError(400, "request", "systems: a blind comparison needs two.")
        try:
            return chosen_systems(self._settings, asked.systems, is_owner=owner)
        except SitetwinError as error:
            raise RefusedRequestError(400, "request", f"systems: {error}") from None

    def _info(self, owner: bool) -> dict[str, Any]:
        return {
            "owner": owner,
            "systems": [{"name": one.name, "says": says(one)} for one in default_systems(self._settings)],
            "probes": [probe.model_dump() for probe in self._probes(owner)],
            "votes": self._votes(),
            "most_systems": MOST_SYSTEMS,
            "max_question_chars": self._settings.gateway.max_question_chars,
        }

    def _probes(self, owner: bool) -> list[Probe]:
        file = golden.questions_file(self._settings)
        if not file.is_file():
            return []
        if owner:
            return probes(golden.load(file))
        with Site(self._settings).index() as index:
            return probes(golden.load(file), [document.id for document in index.documents("public")])

    def _votes(self) -> list[dict[str, Any]]:
        return [one.model_dump() for one in tally(kept_votes(self._settings))]

    async def _events(
        self, asked: Asked, systems: list[System], owner: bool, base: str
    ) -> AsyncIterator[ServerSentEvent]:
        visibility: Visibility | None = None if owner else "public"
        with self._door.slots.one() as free:
            if not free:
                yield event("error", message=BUSY)
                return
            id, ballot = self._lay_out(asked, systems)
            letters = {name: letter for letter, name in ballot.columns.items()}
            yield event(
                "columns",
                ballot=id,
                columns=[
                    {"column": letter, "name": letter if asked.blind else name}
                    for letter, name in ballot.columns.items()
                ],
            )
            is_over = threading.Event()
            opened = [OpenSystem(self._settings, one, visibility, self._connect) for one in systems]
            heard = compare(opened, asked.question, is_over)
            # Whoever leaves gives the slot back at once, also while a model is loaded for minutes.
            wait = partial(anyio.to_thread.run_sync, next, heard, None, abandon_on_cancel=True)
            try:
                while (found := await wait()) is not None:
                    name, said = found
                    column = letters[name]
                    if isinstance(said, Answered):
                        model = shown_name(said.answer.model)
                        ballot.models[name] = f"{model}/{said.answer.adapter}" if said.answer.adapter else model
                    if isinstance(said, Answered | Failed):
                        ballot.ended[column] = self._last(said, owner, name, base)
                    if not asked.blind:
                        yield _shown(column, said, ballot)
                    elif isinstance(said, Waits):
                        yield event("waits", column=column, text="it is starting")
                    elif isinstance(said, Answered | Failed):
                        yield event("ended", count=len(ballot.ended))
                if asked.blind:
                    for column, last in ballot.ended.items():
                        yield _blind(column, last)
            except Exception:
                log.exception("a comparison failed")
                yield event("error", message=FAILED)
            finally:
                is_over.set()

    def _lay_out(self, asked: Asked, systems: list[System]) -> tuple[str, Ballot]:
        """The columns; those of a blind comparison are shuffled, and its ballot is kept until the vote."""
        names = [system.name for system in systems]
        if asked.blind:
            random.shuffle(names)
        ballot = Ballot(asked.question, {chr(ord("A") + place): name for place, name in enumerate(names)})
        if not asked.blind:
            return "", ballot
        id = str(uuid4())
        self._ballots[id] = ballot
        if len(self._ballots) > KEPT_BALLOTS:
            self._ballots.popitem(last=False)
        return id, ballot

    def _last(self, said: Answered | Failed, owner: bool, name: str, base: str) -> dict[str, Any]:
        """The last event of a column as JSON. Visitors don't read errors: they name files and addresses."""
        if isinstance(said, Failed):
            log.error("compare, %s: %s", name, said.text)
            return {"event": "failed", "text": said.text if owner else FAILED}
        data = said.model_dump(mode="json")
        with_links(data["answer"], base)
        for passage in data["passages"]:
            passage["url"] = absolute(passage["url"], base)
        return {"event": "answered", **data}


async def _read(owner: bool, read: Callable[..., Found], *args: object) -> Found:
    """Does in a thread what reads the owner's files.

    Raises:
        RefusedRequestError: one of them can't be read; visitors are not told which.
    """
    try:
        return await anyio.to_thread.run_sync(read, *args)
    except SitetwinError as error:
        log.error("compare: %s", error)
        raise RefusedRequestError(500, "failed", str(error) if owner else FAILED) from None


def says(system: System) -> str:
    """What the system is, in few words."""
    if system.flow:
        return f"the flow {system.flow}"
    parts = {
        "base": "the model alone",
        "rag": "passages of the notes",
        "lora": f"the adapter{' ' + system.adapter if system.adapter else ''}, no passages",
        "hybrid": f"passages and the adapter{' ' + system.adapter if system.adapter else ''}",
    }
    more = [
        shown_name(system.model),
        system.retrieval,
        "persona" if system.persona and system.mode in ("base", "rag") else "",
    ]
    return ", ".join(filter(None, [parts[system.mode], *more]))


def _shown(column: str, said: Waits | Piece | Answered | Failed, ballot: Ballot) -> ServerSentEvent:
    if isinstance(said, Waits | Piece):
        return event("waits" if isinstance(said, Waits) else "piece", column=column, text=said.text)
    last = ballot.ended[column]
    return event(last["event"], column=column, **{key: value for key, value in last.items() if key != "event"})


def _blind(column: str, last: dict[str, Any]) -> ServerSentEvent:
    if last["event"] == "failed":
        return event("failed", column=column, text=last["text"])
    return event("answered", column=column, answer={"answer": plain_words(last["answer"]["answer"])})
