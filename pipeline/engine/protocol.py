"""What clients of OpenAI's protocol may ask for, and what of it this engine serves. Pure.

A parameter that is null counts as not named. What is not served is refused in words, never ignored.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

MOST_ANSWERS = 8
"""The most answers of one request (`n`)."""
MAX_TOKENS = 512
"""The most tokens of an answer, unless the request says otherwise."""
TOP_LOGPROBS = 20
"""The most likely tokens that are reported in one place."""

IGNORED = {
    "user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "parallel_tool_calls",
    "draft_model", "num_draft_tokens",
}  # fmt: skip
"""Parameters that change no answer: names for accounting, and hints for other kinds of servers."""


class RequestError(Exception):
    """A request is refused. The developer of the client reads the message.

    Args:
        message: what is wrong, and what to do about it.
        status: the HTTP status.
        code: OpenAI's short name for the reason, if it has one.
    """

    def __init__(self, message: str, status: int = 400, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def _text(content: Any) -> Any:
    """Joins content that comes in parts."""
    if not isinstance(content, list):
        return content
    if any(not isinstance(part, dict) or part.get("type") != "text" for part in content):
        raise ValueError("this engine reads text only: send no pictures, sound or files")
    return "".join(str(part.get("text", "")) for part in content)


def _listed(stop: Any) -> Any:
    return [stop] if isinstance(stop, str) else stop


class Message(BaseModel):
    """One message of a chat. Further fields, such as `tool_calls`, go to the chat template."""

    model_config = ConfigDict(extra="allow")

    role: str
    content: Annotated[str | None, BeforeValidator(_text)] = None


class StreamOptions(BaseModel):
    """OpenAI's `stream_options`."""

    include_usage: bool = False


class JsonSchema(BaseModel):
    """OpenAI's `response_format.json_schema`."""

    name: str = ""
    schema_: dict[str, Any] = Field({}, alias="schema")


class ResponseFormat(BaseModel):
    """OpenAI's `response_format`."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None

    @property
    def schema_to_follow(self) -> dict[str, Any] | None:
        """The JSON schema that the answer must follow; None for free text."""
        if self.type == "json_schema":
            return self.json_schema.schema_ if self.json_schema else {}
        return {"type": "object"} if self.type == "json_object" else None


class CompletionRequest(BaseModel):
    """The parameters that chats and text completions have in common."""

    model_config = ConfigDict(extra="forbid")

    model: str | None = None
    adapters: str | None = None
    """This engine's own parameter: the adapter to answer with."""
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: int = Field(1, ge=1, le=MOST_ANSWERS)
    stop: Annotated[list[Annotated[str, Field(min_length=1)]], BeforeValidator(_listed)] = []
    seed: int | None = None
    max_tokens: int = Field(MAX_TOKENS, ge=1)
    temperature: float = Field(0.0, ge=0, allow_inf_nan=False)
    top_p: float = Field(1.0, ge=0, le=1)
    top_k: int = Field(0, ge=0)
    min_p: float = Field(0.0, ge=0, le=1)
    xtc_probability: float = Field(0.0, ge=0, le=1)
    xtc_threshold: float = Field(0.1, ge=0, le=0.5)
    repetition_penalty: float = Field(0.0, ge=0, allow_inf_nan=False)
    repetition_context_size: int = Field(20, ge=0)
    presence_penalty: float = Field(0.0, allow_inf_nan=False)
    presence_context_size: int = Field(20, ge=0)
    frequency_penalty: float = Field(0.0, allow_inf_nan=False)
    frequency_context_size: int = Field(20, ge=0)
    logit_bias: dict[int, float] = {}


class ChatRequest(CompletionRequest):
    """The body of /v1/chat/completions."""

    messages: list[Message] = Field(min_length=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    max_thinking_tokens: int | None = Field(None, ge=0)
    """This engine's own parameter: the most tokens of a thought. They do not count against the answer's bound."""
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    """"none" and "minimal" leave thinking off, the others switch it on."""
    chat_template_kwargs: dict[str, Any] = {}
    logprobs: bool = False
    top_logprobs: int = Field(0, ge=0, le=TOP_LOGPROBS)
    response_format: ResponseFormat | None = None
    tools: list[dict[str, Any]] = []
    tool_choice: Any = None
    modalities: list[Literal["text"]] = []

    @property
    def most_tokens(self) -> int:
        """The most tokens of the answer, without its thought."""
        return self.max_completion_tokens or self.max_tokens

    @property
    def thinks(self) -> bool:
        """Whether a model that can think does so before it answers. Visitors wait for each thought, so it must be asked for."""
        asked = self.reasoning_effort not in (None, "none", "minimal")
        return bool(self.chat_template_kwargs.get("enable_thinking", self.chat_template_kwargs.get("thinking", asked)))


class TextRequest(CompletionRequest):
    """The body of /v1/completions."""

    prompt: str = Field(min_length=1)


def parse(kind: type[CompletionRequest], body: Any) -> Any:
    """The request in `body`.

    Args:
        kind: `ChatRequest` or `TextRequest`.
        body: the JSON that a client sent, decoded.

    Raises:
        RequestError: it asks for something that is not served. The message names the parameter.
    """
    if not isinstance(body, dict):
        raise RequestError("the body must be a JSON object")
    named = {name: value for name, value in body.items() if value is not None and name not in IGNORED}
    try:
        request = kind.model_validate(named)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"] if not str(part).startswith(("list[", "function-")))
        if first["type"] == "extra_forbidden":
            raise RequestError(f"{place} is not served by this engine: leave it out") from None
        reason = first["msg"].removeprefix("Value error, ")
        raise RequestError(f"{place}: {reason[:1].lower()}{reason[1:]}") from None
    if isinstance(request, ChatRequest):
        _check_tools(request)
        if request.top_logprobs and not request.logprobs:
            raise RequestError("top_logprobs needs logprobs: true")
    return request


def _check_tools(request: ChatRequest) -> None:
    if request.tool_choice in (None, "auto"):
        return
    if request.tool_choice != "none":
        raise RequestError(f"tool_choice {request.tool_choice!r} is not served by this engine: say auto or none")
    request.tools = []
