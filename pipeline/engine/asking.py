"""Turns a request into jobs for the loop, one for each answer.

Import this after `blas.preload()`.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from jinja2 import TemplateError
from mlx_lm.sample_utils import make_logits_processors

from pipeline.engine.answer import Completion
from pipeline.engine.base import Base
from pipeline.engine.jobs import EngineJob, Event
from pipeline.engine.protocol import ChatRequest, CompletionRequest, RequestError, TextRequest
from pipeline.engine.sampling import SeededSampler, sampler
from pipeline.engine.thinking import THINKING_TOKENS, ThinkingBound


def jobs_of(base: Base, request: CompletionRequest, tell: Callable[[int, Event], None]) -> list[EngineJob]:
    """The jobs of a request, one for each answer that it wants (`n`).

    Args:
        base: the model.
        request: the request, already parsed.
        tell: is called from the loop's thread with the number of an answer and what happened to it.

    Raises:
        RequestError: the request names a model or adapter that is not here, or asks for what this model can't do.
    """
    adapter = _adapter(base, request)
    _check(base, request)
    with base.tokenizing:
        prompt, system = _prompt(base, request)
        thinks = isinstance(request, ChatRequest) and _is_within_thought(base, prompt)
        return [_job(base, request, number, adapter, prompt, system, thinks, tell) for number in range(request.n)]


def _job(
    base: Base,
    request: CompletionRequest,
    number: int,
    adapter: str | None,
    prompt: list[int],
    system: int,
    thinks: bool,
    tell: Callable[[int, Event], None],
) -> EngineJob:
    chat = request if isinstance(request, ChatRequest) else None
    most = chat.most_tokens if chat else request.max_tokens
    answer = Completion(
        base.tokenizer, thinks=thinks, stops=request.stop, max_tokens=most, calls_tools=bool(chat and chat.tools)
    )
    thought = _most_thought(base, chat) if chat else 0
    return EngineJob(
        prompt=list(prompt),
        system=system,
        adapter=adapter,
        max_tokens=most + thought,
        sampler=_sampler(base, request, number),
        processors=_processors(base, request, thinks),
        answer=answer,
        top=chat.top_logprobs if chat and chat.logprobs else None,
        tell=lambda event: tell(number, event),
    )


def _adapter(base: Base, request: CompletionRequest) -> str | None:
    try:
        return base.adapter_of(request.model, request.adapters)
    except LookupError as error:
        raise RequestError(str(error.args[0]), 404, "model_not_found") from None
    except ValueError as error:
        raise RequestError(str(error)) from None


def _check(base: Base, request: CompletionRequest) -> None:
    """Refuses what this model can't do."""
    if request.top_k >= base.words:
        raise RequestError(f"top_k must be below {base.words}")
    if not all(0 <= token < base.words for token in request.logit_bias):
        raise RequestError(f"logit_bias must name tokens from 0 to {base.words - 1}")
    if isinstance(request, ChatRequest) and request.tools and not base.tokenizer.has_tool_calling:
        raise RequestError(f"the model {base.name!r} has no way to call tools: ask without them, or set another model")


def with_read_arguments(message: dict[str, Any]) -> dict[str, Any]:
    """The message with the arguments of its calls as objects, which chat templates write as JSON. The protocol has texts;
    written as JSON once more, they would teach the model to call with a text."""
    for call in message.get("tool_calls") or []:
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and isinstance(function.get("arguments"), str):
            with suppress(json.JSONDecodeError):
                function["arguments"] = json.loads(function["arguments"])
    return message


def _prompt(base: Base, request: CompletionRequest) -> tuple[list[int], int]:
    """The prompt's tokens, and how many of them belong to the system message. Other chats probably begin with the same."""
    if isinstance(request, TextRequest):
        return list(base.tokenizer.encode(request.prompt)), 0
    assert isinstance(request, ChatRequest)
    messages = [with_read_arguments(message.model_dump(exclude_none=True)) for message in request.messages]
    options = {k: v for k, v in request.chat_template_kwargs.items() if k not in ("enable_thinking", "thinking")}
    if request.tools:
        options["tools"] = request.tools

    def tokens(of: list[dict[str, Any]]) -> list[int]:
        return base.chats.prompt(of, thinking=_may_think(request), **options)

    try:
        prompt = tokens(messages)
        told = [message for message in messages if message["role"] == "system"]
        # The same system message with another question: the two prompts differ first where the system message ends.
        with_another = tokens([*told, {"role": "user", "content": ""}]) if told else []
    except (TemplateError, KeyError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:300]
        raise RequestError(f"messages: the model's chat template refuses them ({reason})") from None
    system = next((at for at, pair in enumerate(zip(prompt, with_another, strict=False)) if pair[0] != pair[1]), 0)
    return prompt, system


def _may_think(request: ChatRequest) -> bool:
    # A thought would not follow the schema that the answer is held to.
    return request.thinks and not _schema(request)


def _schema(request: CompletionRequest) -> dict[str, Any] | None:
    asked = request.response_format if isinstance(request, ChatRequest) else None
    return asked.schema_to_follow if asked else None


def _is_within_thought(base: Base, prompt: list[int]) -> bool:
    tokenizer = base.tokenizer
    return bool(tokenizer.has_thinking and tokenizer.rfind_think_start(prompt) > tokenizer.rfind_think_end(prompt))


def _most_thought(base: Base, request: ChatRequest) -> int:
    if not base.tokenizer.has_thinking:
        return 0
    asked = request.max_thinking_tokens
    return (THINKING_TOKENS if asked is None else asked) + len(base.tokenizer.think_end_tokens)


def _sampler(base: Base, request: CompletionRequest, number: int) -> Any:
    chosen = sampler(
        request.temperature, request.top_p, request.top_k, request.min_p, request.xtc_probability,
        request.xtc_threshold, (*base.newline, *sorted(base.tokenizer.eos_token_ids)),
    )  # fmt: skip
    if request.seed is None or request.temperature == 0:
        return chosen
    return SeededSampler(chosen, request.seed + number)


def _processors(base: Base, request: CompletionRequest, thinks: bool) -> list[Any]:
    processors = make_logits_processors(
        request.logit_bias,
        request.repetition_penalty,
        request.repetition_context_size,
        request.presence_penalty,
        request.presence_context_size,
        request.frequency_penalty,
        request.frequency_context_size,
    )
    tokenizer = base.tokenizer
    if isinstance(request, ChatRequest) and tokenizer.has_thinking:
        most = _most_thought(base, request) - len(tokenizer.think_end_tokens)
        opening = () if thinks else tokenizer.think_start_tokens
        processors.append(ThinkingBound(most, opening, tokenizer.think_end_tokens))
    if (schema := _schema(request)) is not None:
        try:
            processors.append(base.guides.of(schema, list(tokenizer.think_end_tokens) if thinks else []))
        except ValueError as error:
            raise RequestError(str(error)) from None
    return processors
