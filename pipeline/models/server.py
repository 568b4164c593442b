"""The MLX engine: mlx_lm.server's generation loop over one base model, for this machine only.

Import this after `blas.preload()`.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from typing import Any

from mlx_lm.models.cache import LRUPromptCache
from mlx_lm.server import APIHandler, ModelProvider, ResponseGenerator

PROMPT_CACHE_BYTES = 2_000_000_000


class BaseProvider(ModelProvider):
    """Holds the base, whatever name a request gives it, and never loads a second one."""

    def __init__(self, path: str, name: str) -> None:
        super().__init__(_arguments(path, name))
        self.path = path
        self.name = name

    def load_default(self) -> None:
        # mlx-lm would log the traceback and go on without a model; whoever waits for the engine needs the reason.
        try:
            super().load_default()
        except (OSError, ValueError, KeyError) as error:
            reason = " ".join(str(error).split())
            print(f"can't load the model {self.path!r}: {reason}", file=sys.stderr, flush=True)
            os._exit(1)

    def load(self, model_path: str, adapter_path: str | None = None, draft_model_path: str | None = None) -> Any:
        """The base and its tokenizer.

        Raises:
            ValueError: the request names a model or adapter that this engine does not hold.
        """
        if model_path not in (self.name, "default_model"):
            raise ValueError(f"this engine holds {self.name!r}, not {model_path!r}")
        if adapter_path:
            raise ValueError("this engine holds no adapters")
        return super().load("default_model", None, "default_model")


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
) -> tuple[ThreadingHTTPServer, ResponseGenerator]:
    """A bound server and its generation loop, which loads the model in a thread of its own."""
    generator = ResponseGenerator(provider, LRUPromptCache(provider.cli_args.prompt_cache_size))
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
