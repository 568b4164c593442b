"""The MLX engine: mlx_lm.server's generation loop over one base model and any adapters, for this machine only.

All requests are in one batch, whichever adapter each names: see `overlays`. Import this after `blas.preload()`.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from mlx_lm.models.cache import LRUPromptCache, can_trim_prompt_cache, trim_prompt_cache
from mlx_lm.server import (
    APIHandler,
    CompletionRequest,
    GenerationArguments,
    ModelDescription,
    ModelProvider,
    ResponseGenerator,
)

from pipeline.models.overlays import OverlaidModel, Overlay, Overlays

PROMPT_CACHE_BYTES = 2_000_000_000


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
    """

    def __init__(self, path: str, name: str, adapters: Path) -> None:
        super().__init__(_arguments(path, name))
        self.path = path
        self.name = name
        self._adapters = adapters
        self.model: Any
        self.overlays: Overlays

    def load_default(self) -> None:
        # mlx-lm would log the traceback and go on without a model; whoever waits for the engine needs the reason.
        try:
            super().load_default()
        except (OSError, ValueError, KeyError) as error:
            reason = " ".join(str(error).split())
            print(f"can't load the model {self.path!r}: {reason}", file=sys.stderr, flush=True)
            os._exit(1)

    def load(self, model_path: str, adapter_path: str | None = None, draft_model_path: str | None = None) -> Any:
        """The base and its tokenizer; the adapter is a matter of each row."""
        return super().load("default_model", None, "default_model")

    def _load(self, model_path: str, adapter_path: str | None = None, draft_model_path: str | None = None) -> None:
        super()._load(model_path, adapter_path, draft_model_path)
        self.processor = None  # text only: pictures would go past the overlays
        self.model = OverlaidModel(self.model)
        self.overlays = Overlays(self._adapters, self.model, self.path, self.name)


class PromptCache(LRUPromptCache):
    """Kept apart by adapter. What one adapter computed carries it along, and is never found for another."""

    def __init__(self, size: int, provider: BaseProvider) -> None:
        super().__init__(size)
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
        super().insert_cache(_key(model, overlay), tokens, caches, cache_type=cache_type)


def _key(model: Any, overlay: Overlay | None) -> Any:
    return (model, overlay and (overlay.name, overlay.stamp))


class Generator(ResponseGenerator):
    """mlx_lm.server's loop, told for each request which adapter it is for."""

    model_provider: BaseProvider
    prompt_cache: PromptCache

    def generate(self, request: CompletionRequest, generation_args: GenerationArguments, *args: Any, **kw: Any) -> Any:
        """See mlx_lm.server.

        Raises:
            ValueError: the request names a model that this engine does not hold.
            ModelError: it names an adapter that can't be used.
        """
        asked, name = generation_args.model, self.model_provider.name
        if asked.model not in (name, "default_model"):
            raise ValueError(f"this engine holds {name!r}, not {asked.model!r}: set [models] chat, or name its model")
        generation_args.model = OneBatch("default_model", "default_model", asked.adapter)
        return super().generate(request, generation_args, *args, **kw)

    def _tokenize(self, tokenizer: Any, request: CompletionRequest, args: GenerationArguments) -> Any:
        # The loop's first step for each request, followed at once by the search for its prompt cache; what is raised
        # here refuses this request alone.
        self.prompt_cache.overlay = self.model_provider.overlays.get(args.model.adapter)
        return super()._tokenize(tokenizer, request, args)


class EngineHandler(APIHandler):
    """mlx_lm.server's handler for callers on this machine; `touch` is called at each request's begin and end."""

    touch: Callable[[], None]

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

    def _set_completion_headers(self, status_code: int = 200) -> None:
        # mlx-lm says 404 for whatever is wrong with a request; that is kept for addresses that are not there.
        wrong = status_code == 404 and hasattr(self, "body")
        super()._set_completion_headers(400 if wrong else status_code)

    def handle_models_request(self) -> None:
        name = self.response_generator.model_provider.cli_args.served_name
        body = json.dumps({"object": "list", "data": [{"id": name, "object": "model", "created": self.created}]})
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
    generator = Generator(provider, PromptCache(provider.cli_args.prompt_cache_size, provider))
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
        decode_concurrency=32, prompt_concurrency=8, prefill_step_size=512,
        prompt_cache_size=64, prompt_cache_bytes=PROMPT_CACHE_BYTES,
        kv_bits=None, kv_group_size=64, quantized_kv_start=5000, pipeline=False,
    )  # fmt: skip
