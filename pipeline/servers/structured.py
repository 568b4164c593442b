"""Structured output: reads a chat model's reply into a record."""

import json
import re
from collections.abc import Iterator
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from pipeline.errors import UnreadableError
from pipeline.servers.dialect import Messages

Form = TypeVar("Form", bound=BaseModel)

TRIES = 3
"""Tries for one answer. Each has a higher temperature: a small model that went wrong then takes another path."""
COOLEST, WARMER = 0.3, 0.3
"""Temperature of the first try, and what each further try adds."""
LONGER = 2
"""Factor on the token budget for an answer that was cut off."""
_MENDED = 6
"""Number of places in a reply at which faulty JSON is looked for."""
_BEGIN = re.compile(r"[\[{]")
_LIKELY = re.compile(r"""[\[{]\s*(?=["'{\[])""")
_JSON = json.JSONDecoder(strict=False)


class CutOffError(UnreadableError):
    """The answer is longer than the budget."""


class RefusedFormError(UnreadableError):
    """This request is refused or fails each time. Asking again does not help; other requests may still succeed."""


class StructuredModel(Protocol):
    """A chat model that is asked to fill in forms."""

    @property
    def name(self) -> str:
        """Server, model and, if the server tells them, its weights."""

    async def reply(self, messages: Messages, schema: dict[str, Any], *, max_tokens: int, temperature: float) -> str:
        """The model's reply: a text that should be JSON fitting `schema`.

        Raises:
            CutOffError, RefusedError, UnreadableError: there is no whole answer to this request.
            ModelError: the server can't be reached, lacks the model, or refuses every request.
        """


async def fill_in(model: StructuredModel, messages: Messages, form: type[Form], *, max_tokens: int = 1500) -> Form:
    """The model's answer as a record of `form`, after at most TRIES tries.

    Raises:
        UnreadableError: no try gave a readable answer.
        ModelError: see StructuredModel.
    """
    schema = form.model_json_schema()
    problem, budget = "", max_tokens
    for number in range(TRIES):
        try:
            reply = await model.reply(messages, schema, max_tokens=budget, temperature=COOLEST + number * WARMER)
            return read(reply, form)
        except RefusedFormError as error:
            raise RefusedFormError(f"{model.name} gave no answer: {error}") from None
        except UnreadableError as error:
            problem = str(error)
            if isinstance(error, CutOffError):
                budget = LONGER * max_tokens
    raise UnreadableError(f"{model.name} gave no readable answer in {TRIES} tries: {problem}")


def read(reply: str, form: type[Form]) -> Form:
    """The record in a reply, which may have words or a code fence around its JSON, or small faults in it.

    If `form` has one field, which is a list, several values count as JSON lines. Otherwise the last value that fits
    counts: a model that corrects itself does so at the end.

    Raises:
        UnreadableError: the reply holds no record of `form`.
    """
    problem: ValidationError | None = None
    for values, is_mended in ((list(_values(reply)), False), (list(_mended(reply)), True)):
        for value in _candidates(values, form):
            if is_mended and not any(value.values()):
                continue  # The reply broke off before it said anything.
            try:
                return form.model_validate(value)
            except ValidationError as error:
                problem = problem or error
    if problem is None:
        raise UnreadableError(f"no JSON in “{_short(reply)}”")
    first = problem.errors()[0]
    where = ".".join(map(str, first["loc"]))
    raise UnreadableError(f"{where or 'the answer'}: {first['msg']} in “{_short(reply)}”")


def _values(reply: str) -> Iterator[Any]:
    """The outermost objects and lists of valid JSON in `reply`, in order."""
    end = 0
    for begin in _BEGIN.finditer(reply):
        if begin.start() < end:
            continue
        try:
            value, end = _JSON.raw_decode(reply, begin.start())
        except ValueError:
            continue
        yield value


def _mended(reply: str) -> Iterator[Any]:
    """Repaired readings of faulty JSON, one for each place where it may begin."""
    from json_repair import repair_json

    begins = [begin.start() for begin in _LIKELY.finditer(reply)][:_MENDED] or [
        begin.start() for begin in _BEGIN.finditer(reply)
    ][:1]
    # `_candidates` tries the last value first, so the outermost one comes last.
    for begin in reversed(begins):
        yield repair_json(reply[begin:], return_objects=True)


def _candidates(values: list[Any], form: type[BaseModel]) -> Iterator[Any]:
    """The values that may be the record, the best first."""
    fields = form.model_fields.keys()
    objects = [value for value in map(_unwrapped, values) if isinstance(value, dict)]
    keyed = [value for value in objects if fields & value.keys()]
    yield from reversed(keyed)
    if len(fields) == 1:
        (field,) = fields
        for value in reversed(values):
            if isinstance(value, list) and any(isinstance(item, dict) for item in value):  # the list without its key
                yield {field: [item for item in value if isinstance(item, dict)]}
        for value in reversed(objects):
            if (
                len(lists := [held for held in value.values() if isinstance(held, list)]) == 1
            ):  # the list under another key
                yield {field: lists[0]}
        if lines := [value for value in objects if value and value not in keyed]:  # JSON lines, or a single object
            yield {field: lines}
    yield from reversed(objects)


def _unwrapped(value: Any) -> Any:
    """The inner object of wrappers such as `{"answer": {…}}`."""
    while isinstance(value, dict) and len(value) == 1 and isinstance(inner := next(iter(value.values())), dict):
        value = inner
    return value


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 120 else f"{text[:117]}…"
