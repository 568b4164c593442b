"""Holds answers to a JSON schema: tokens that the schema does not allow are never chosen. llguidance computes which.

Import this after `blas.preload()`.
"""

import json
from functools import cached_property
from typing import Any

import llguidance
import llguidance.hf
import mlx.core as mx
import numpy as np
from llguidance.numpy import allocate_token_bitmask, fill_next_token_bitmask

from pipeline.weights.upstream import inner_tokenizer

WRITTEN: Any = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
"""JSON is written as Python's json writes it. If white space were free, a small model might write spaces for ever."""


class OutputGuides:
    """Makes guides for one model.

    Args:
        tokenizer: mlx-lm's wrapper around the model's own tokenizer.
        words: the width of the logits, which may exceed the tokenizer's vocabulary.
    """

    def __init__(self, tokenizer: Any, words: int) -> None:
        self._tokenizer = tokenizer
        self._words = words

    def of(self, schema: dict[str, Any], after: list[int]) -> "OutputGuide":
        """A guide that holds an answer to `schema`.

        Args:
            schema: a JSON schema.
            after: the tokens after which the answer begins; empty: it begins at once.

        Raises:
            ValueError: the schema is wrong, or uses a keyword that can't be followed. The text names it.
        """
        grammar = llguidance.LLMatcher.grammar_from_json_schema(json.dumps(schema), overrides=WRITTEN)
        if wrong := llguidance.LLMatcher.validate_grammar(grammar, self._vocabulary):
            raise ValueError(f"response_format: this JSON schema can't be followed: {' '.join(wrong.split())}")
        return OutputGuide(llguidance.LLMatcher(self._vocabulary, grammar), self._words, after)

    @cached_property
    def _vocabulary(self) -> Any:
        # This takes half a second, once in an engine's life.
        return llguidance.hf.from_tokenizer(
            inner_tokenizer(self._tokenizer), n_vocab=self._words, eos_token=sorted(self._tokenizer.eos_token_ids)
        )


class OutputGuide:
    """Holds one answer to a grammar, as a logits processor of mlx-lm."""

    def __init__(self, matcher: Any, words: int, after: list[int]) -> None:
        self._matcher = matcher
        self._words = words
        self._mask = allocate_token_bitmask(1, words)
        self._after = after
        self._has_begun = False

    def __call__(self, tokens: mx.array, logits: mx.array) -> mx.array:
        """`logits` (1, words) with the forbidden tokens at -infinity.

        Args:
            tokens: (length,), the prompt and the answer so far.
            logits: (1, words), those of the next token.
        """
        if self._has_begun:
            last: Any = tokens[-1].item()
            self._matcher.consume_token(last)
        elif self._after and tokens[-len(self._after) :].tolist() != self._after:
            return logits
        self._has_begun = True
        if self._matcher.is_error():
            # This happens only after the end, because mlx-lm computes one token more than it returns.
            return logits
        fill_next_token_bitmask(self._matcher, self._mask)
        allowed = np.unpackbits(self._mask.view(np.uint8), bitorder="little")[: self._words].astype(bool)
        return mx.where(mx.array(allowed), logits, mx.array(-mx.inf, logits.dtype))
