"""Answers in a form: what a chat model replies, as a record."""

from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from pipeline.errors import UnreadableError

Form = TypeVar("Form", bound=BaseModel)
Messages = list[dict[str, str]]

TRIES = 3
"""For one answer, each warmer than the one before: a small model that has lost its way takes another."""
COOLEST, WARMER = 0.3, 0.3
"""Temperature of the first try, and what each further one adds."""


class StructuredModel(Protocol):
    """A chat model that is asked to fill in forms."""

    @property
    def name(self) -> str:
        """Server, model and, where the server tells, its weights."""

    async def reply(self, messages: Messages, schema: dict[str, Any], *, max_tokens: int, temperature: float) -> str:
        """JSON that is meant to fit `schema`.

        Raises:
            UnreadableError: the reply was cut off.
            ModelError: the server can't be reached, lacks the model, or refuses.
        """


async def fill_in(model: StructuredModel, messages: Messages, form: type[Form], *, max_tokens: int = 1500) -> Form:
    """The model's answer as a record of `form`, after at most TRIES tries.

    Raises:
        UnreadableError: no try gave one.
        ModelError: see StructuredModel.
    """
    schema = form.model_json_schema()
    problem = ""
    for number in range(TRIES):
        try:
            reply = await model.reply(messages, schema, max_tokens=max_tokens, temperature=COOLEST + number * WARMER)
            return read(reply, form)
        except UnreadableError as error:
            problem = str(error)
    raise UnreadableError(f"{model.name} gave no readable answer in {TRIES} tries: {problem}")


def read(reply: str, form: type[Form]) -> Form:
    """A record out of a reply that may have words or a code fence around its JSON, or small faults in it.

    Raises:
        UnreadableError: there is none in it.
    """
    from json_repair import repair_json

    start = min((at for at in (reply.find("{"), reply.find("[")) if at >= 0), default=-1)
    if start < 0:
        raise UnreadableError(f"no JSON in “{_short(reply)}”")
    value = repair_json(reply[start:], return_objects=True)
    if isinstance(value, list) and len(form.model_fields) == 1:  # the list itself, without its key
        value = {next(iter(form.model_fields)): value}
    try:
        return form.model_validate(value)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise UnreadableError(f"{where or 'the answer'}: {problem['msg']} in “{_short(reply)}”") from None


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 120 else f"{text[:117]}…"
