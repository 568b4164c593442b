"""The MLX engine: mlx_lm.server's generation loop over one base model and any adapters, for this machine only.

All requests are in one batch, whichever adapter each names: see `overlays`. In which order they join it: see `turns`.
Import this after `blas.preload()`.
"""

import argparse
import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx_lm.models.cache import LRUPromptCache, can_trim_prompt_cache, trim_prompt_cache
from mlx_lm.server import (
    APIHandler,
    CompletionRequest,
    GenerationArguments,
    ModelDescription,
    ModelProvider,
    ResponseGenerator,
)

from pipeline.engine.lora import Overlay
from pipeline.engine.overlaid import OverlaidModel
from pipeline.engine.overlays import Overlays
from pipeline.engine.room import CACHE_BYTES, PROMPTS, ROWS, Room, bytes_of_chat, room
from pipeline.engine.turns import Turns
from pipeline.weights.memory import bytes_of, claim, give_back

PROMPT_CACHES = 64
PROMPT_CHARACTERS = 6000
"""Of these prompts together. A step reads up to `PREFILL_STEP` tokens of each, a second or more on a CPU, and for so
long the answers under way stand still."""
PREFILL_STEP = 512
DEFAULT = "default_model"
"""What mlx_lm.server calls the model of a request that names none."""


@dataclass
class OneBatch(ModelDescription):
    """What a request asks for; equal for all adapters, so that mlx-lm puts their requests into one batch."""

    adapter: Any = field(compare=False)


class BaseProvider(ModelProvider):
    """Holds the base, whatever a request names, and never loads a second one.

    Args:
        path: a folder or hub id.
        name: what requests call it.
        adapters: the folder of adapters that requests may name.
        limit: bytes that the graphics processor may hold; None: there is none.
    """

    def __init__(self, path: str, name: str, adapters: Path, limit: int | None = None) -> None:
        super().__init__(_arguments(path, name))
        self.path = path
        self.name = name
        self._adapters = adapters
        self._limit = limit
        self.room = Room()
        self.model: Any
        self.overlays: Overlays
        self.words: int
        """Width of the logits."""
        self.ready = threading.Event()
        """Requests may come."""

    def load_default(self) -> None:
        # mlx-lm would log the traceback and go on without a model; whoever waits for the engine needs the reason.
        try:
            super().load_default()
        except Exception as error:
            # Each architecture fails in its own way on weights that are not its own.
            logging.exception("the model can't be loaded")
            reason = " ".join(str(error).split()) or type(error).__name__
            print(f"can't load the model {self.path!r}: {reason}", file=sys.stderr, flush=True)
            os._exit(1)

    def load(self, model_path: str, adapter_path: str | None = None, draft_model_path: str | None = None) -> Any:
        """The base and its tokenizer; the adapter is a matter of each row."""
        return super().load(DEFAULT, None, DEFAULT)

    def _load(self, model_path: str, adapter_path: str | None = None, draft_model_path: str | None = None) -> None:
        super()._load(model_path, adapter_path, draft_model_path)
        self.processor = None  # text only: pictures would go past the overlays
        self.model = OverlaidModel(self.model)
        self.overlays = Overlays(self._adapters, self.model, self.path, self.name)
        # Nothing is computed: the shapes are known before.
        caches = self.model.make_cache()
        self.words = self.model(mx.array([[0]]), cache=caches).shape[-1]
        self._make_room(caches)
        self.ready.set()

    def _make_room(self, caches: list[Any]) -> None:
        weights, chat = bytes_of(self.model), bytes_of_chat(caches[:-1])
        self.room = room(self._limit, weights, chat)
        # mlx-lm reads these when it makes its batch.
        self.cli_args.decode_concurrency = self.room.rows
        self.cli_args.prompt_concurrency = self.room.prompts
        self.cli_args.prompt_cache_bytes = min(self.cli_args.prompt_cache_bytes, self.room.cache_bytes)
        claim(weights + self.room.rows * chat + self.room.cache_bytes)


class PromptCache(LRUPromptCache):
    """Kept apart by adapter. What one adapter computed carries it along, and is never found for another."""

    def __init__(self, provider: BaseProvider) -> None:
        # mlx-lm looks at the bytes only when a request joins others, and so not at what these leave behind.
        super().__init__(provider.cli_args.prompt_cache_size, provider.cli_args.prompt_cache_bytes)
        self._provider = provider
        self.overlay: Overlay | None = None
        """Of the request whose cache is looked for next."""

    def fetch_nearest_cache(self, model: Any, tokens: list[int]) -> tuple[list[Any], list[int]]:
        """The caches to go on with, new ones if nothing fits, and the tokens that are still to be computed: one or more."""
        fresh = self._provider.model.make_cache_for(self.overlay)
        caches, rest = super().fetch_nearest_cache(_key(model, self.overlay), tokens)
        if caches is None:
            return fresh, tokens
        if not rest:
            # mlx-lm wants a last token to start from.
            if not can_trim_prompt_cache(caches):
                return fresh, tokens
            trim_prompt_cache(caches, 1)
            rest = tokens[-1:]
        return [*caches, fresh[-1]], rest

    def insert_cache(self, model: Any, tokens: list[int], caches: list[Any], *, cache_type: str = "assistant") -> None:
        # Stored without the overlay, so that prompt caches keep no adapter in memory.
        *caches, rows = caches
        (overlay,) = rows.overlays
        # MLX computes late: a request's part of its batch would hold the arrays of the whole batch until it is used
        # again, many times the bytes that are counted.
        mx.eval([cache.state for cache in caches])
        self.max_bytes = (
            self._provider.cli_args.prompt_cache_bytes
        )  # less may have room than was thought before loading
        super().insert_cache(_key(model, overlay), tokens, caches, cache_type=cache_type)
        if cache_type == "assistant":  # an answer has ended
            give_back()


def _key(model: Any, overlay: Overlay | None) -> Any:
    return (model, overlay and (overlay.name, overlay.stamp))


class Generator(ResponseGenerator):
    """mlx_lm.server's loop, told for each request which adapter it is for."""

    model_provider: BaseProvider
    prompt_cache: PromptCache
    requests: Any
    _time_budget: Any

    def __init__(self, provider: BaseProvider, cache: PromptCache) -> None:
        super().__init__(provider, cache)
        # Before there is a server to put anything into the ones that mlx-lm made.
        self.requests = Turns(lambda: provider.room, PROMPT_CHARACTERS, _characters)
        self._time_budget = self.requests

    def _run_generate(self) -> None:
        super()._run_generate()
        # mlx-lm would stay as a server that answers nothing; whoever asks next starts another engine.
        if self._generation_failed:
            print("the generation broke: ending", file=sys.stderr, flush=True)
            os._exit(1)

    def generate(self, request: CompletionRequest, generation_args: GenerationArguments, *args: Any, **kw: Any) -> Any:
        """See mlx_lm.server.

        Raises:
            ValueError: the request names a model that is not here, or asks what would break the loop.
            ModelError: it names an adapter that can't be used.
        """
        adapter = self._adapter(generation_args.model)
        _check(request, generation_args, self.model_provider.words)
        asked = replace(generation_args, model=OneBatch(DEFAULT, DEFAULT, adapter))
        return super().generate(request, asked, *args, **kw)

    def _adapter(self, asked: ModelDescription) -> str | None:
        """As in vLLM an adapter is a model of its own name; mlx-lm's own field `adapters` names it too."""
        name = self.model_provider.name
        if asked.model in (name, DEFAULT):
            return asked.adapter
        known = [adapter.name for adapter in self.model_provider.overlays.usable()]
        if asked.model not in known:
            also = f" and the adapters {', '.join(known)}" if known else ""
            raise ValueError(
                f"this engine holds {name!r}{also}, not {asked.model!r}: set [models] chat, or name one of them"
            )
        if asked.adapter not in (None, asked.model):
            raise ValueError(f"model and adapters name two adapters, {asked.model!r} and {asked.adapter!r}: name one")
        return asked.model

    def _tokenize(self, tokenizer: Any, request: CompletionRequest, args: GenerationArguments) -> Any:
        # The loop's first step for each request, followed at once by the search for its prompt cache; what is raised
        # here refuses this request alone.
        self.prompt_cache.overlay = self.model_provider.overlays.get(args.model.adapter)
        return super()._tokenize(tokenizer, request, args)


def _characters(request: CompletionRequest) -> int:
    return len(request.prompt) + sum(len(str(message.get("content"))) for message in request.messages)


def _check(request: CompletionRequest, args: GenerationArguments, words: int) -> None:
    """Refuses what mlx-lm would only notice in its loop, which ends there and with it all other answers.

    Args:
        words: the width of the logits.
    """
    if request.request_type == "text" and not (isinstance(request.prompt, str) and request.prompt):
        raise ValueError("the prompt must be a string that is not empty")
    if not all(isinstance(word, str) and word for word in args.stop_words):
        raise ValueError("stop must be strings that are not empty")
    if args.sampling.top_k >= words:
        raise ValueError(f"top_k must be below {words}")
    if args.sampling.xtc_threshold > 0.5:
        raise ValueError("xtc_threshold must be at most 0.5")
    if not all(0 <= token < words for token in args.logits.logit_bias or ()):
        raise ValueError(f"logit_bias must name tokens from 0 to {words - 1}")


class EngineHandler(APIHandler):
    """mlx_lm.server's handler for callers on this machine; `touch` is called at each request's begin and end."""

    touch: Callable[[], None]
    response_generator: Generator

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        # A web page in the owner's browser can reach loopback ports: by a name that resolves to 127.0.0.1
        # (DNS rebinding) or by a form's POST, which may not carry this content type without asking first.
        host = (self.headers.get("Host") or "").rsplit(":", 1)[0]
        if host not in ("127.0.0.1", "localhost"):
            self.send_error(403, "this engine serves its own machine only")
            return False
        if self.command == "POST" and not (self.headers.get("Content-Type") or "").startswith("application/json"):
            self.send_error(415, "send application/json")
            return False
        return True

    def do_POST(self) -> None:  # noqa: N802
        self.touch()
        try:
            super().do_POST()
        except (BrokenPipeError, ConnectionResetError):
            # The visitor went away; mlx_lm.server has ended the generation on its way out.
            self.close_connection = True
        finally:
            self.touch()

    def handle_chat_completions(self) -> CompletionRequest:
        # mlx-lm fetches the pictures that a message links to before it finds that the model reads text only.
        for message in self.body.get("messages") or ():
            content = message.get("content")
            if isinstance(content, list) and any(part.get("type") != "text" for part in content):
                raise ValueError("this engine reads text only: send no pictures")
        return super().handle_chat_completions()

    def _set_completion_headers(self, status_code: int = 200) -> None:
        # mlx-lm says 404 for whatever is wrong with a request; that is kept for addresses that are not there.
        wrong = status_code == 404 and hasattr(self, "body")
        super()._set_completion_headers(400 if wrong else status_code)

    def handle_models_request(self) -> None:
        provider = self.response_generator.model_provider
        model = {"object": "model", "created": self.created, "owned_by": "sitetwin"}
        adapters = [{"id": one.name, "parent": provider.name, **model} for one in provider.overlays.usable()]
        body = json.dumps({"object": "list", "data": [{"id": provider.name, **model}, *adapters]})
        self._set_completion_headers(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged: questions are the visitors' own."""


def make_server(
    provider: BaseProvider, host: str, port: int, touch: Callable[[], None]
) -> tuple[ThreadingHTTPServer, Generator]:
    """A bound server and its generation loop, which loads the model in a thread of its own."""
    generator = Generator(provider, PromptCache(provider))
    handler = type("Handler", (EngineHandler,), {"touch": staticmethod(touch)})
    server = ThreadingHTTPServer((host, port), lambda *a, **k: handler(generator, *a, **k))
    server.daemon_threads = True
    return server, generator


def _arguments(path: str, name: str) -> argparse.Namespace:
    """What mlx_lm.server's command line would have given."""
    return argparse.Namespace(
        served_name=name, model=path, adapter_path=None, draft_model=None, num_draft_tokens=3, trust_remote_code=False,
        chat_template="", use_default_chat_template=False, chat_template_args={}, allowed_origins=[],
        temp=0.0, top_p=1.0, top_k=0, min_p=0.0, max_tokens=512,
        decode_concurrency=ROWS, prompt_concurrency=PROMPTS, prefill_step_size=PREFILL_STEP,
        prompt_cache_size=PROMPT_CACHES, prompt_cache_bytes=CACHE_BYTES,
        kv_bits=None, kv_group_size=64, quantized_kv_start=5000, pipeline=False,
    )  # fmt: skip
