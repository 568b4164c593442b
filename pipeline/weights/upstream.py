"""The only module that uses private names of mlx-lm. An upgrade that changes one breaks here.

tests/pipeline/weights/test_upstream.py tests each name, and finds uses elsewhere.
"""

import argparse
import importlib
from collections.abc import Callable
from typing import Any


def inner_tokenizer(tokenizer: Any) -> Any:
    """The tokenizer of transformers inside mlx-lm's wrapper."""
    return tokenizer._tokenizer


def set_wiring(wire: Callable[[], int | None]) -> None:
    """Make mlx-lm's generation call `wire` to set the wired memory. By default it keeps as much as Metal advises."""
    # Imported by name, because the attribute `mlx_lm.generate` is a function.
    generation: Any = importlib.import_module("mlx_lm.generate")
    generation.maybe_set_recommended_wired_limit = wire


def server_arguments(model: str) -> argparse.Namespace:
    """The arguments that mlx_lm.server's command line gives `ModelProvider` for `model` without further options."""
    return argparse.Namespace(
        model=model, adapter_path=None, draft_model=None, trust_remote_code=False, chat_template="",
        use_default_chat_template=False, pipeline=False,
    )  # fmt: skip
