"""Every private name of mlx-lm that sitetwin uses. An upgrade that changes one breaks here, and a test says which.

tests/pipeline/weights/test_upstream.py holds each of them, and finds those that are used elsewhere.
"""

import argparse
import importlib
from collections.abc import Callable
from typing import Any


def inner_tokenizer(tokenizer: Any) -> Any:
    """The tokenizer of transformers that mlx-lm's is around."""
    return tokenizer._tokenizer


def set_wiring(wire: Callable[[], int | None]) -> None:
    """Has mlx-lm's generation keep in memory what `wire` says, where it would keep all that Metal advises."""
    # `mlx_lm.generate` is a function of the same name.
    generation: Any = importlib.import_module("mlx_lm.generate")
    generation.maybe_set_recommended_wired_limit = wire


def server_arguments(model: str) -> argparse.Namespace:
    """What mlx_lm.server's command line gives its `ModelProvider` for a model and nothing else."""
    return argparse.Namespace(
        model=model, adapter_path=None, draft_model=None, trust_remote_code=False, chat_template="",
        use_default_chat_template=False, pipeline=False,
    )  # fmt: skip
