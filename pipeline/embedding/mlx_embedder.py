"""Turns texts into vectors on a Mac's graphics processor: a BERT-like encoder on MLX, in fp32."""

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.embedding.batches import batches, padded
from pipeline.embedding.bert import IDS, MASK, Activation, layer_count
from pipeline.embedding.bert_folder import Config, load_tokenizer, read_config, read_weights, vectors_name
from pipeline.embedding.token_vectors import TokenVectors, of_tokens
from pipeline.weights import blas

if TYPE_CHECKING:
    import mlx.core as mx
    from tokenizers import Tokenizer

    Weights = Mapping[str, mx.array]

BATCH_TOKENS = 8192
"""The most padded tokens of one run. They fill a graphics processor, and attention's scores stay below 200 MB."""
CACHE_BYTES = 512 * 1024**2
"""The most bytes of earlier runs that MLX may keep. The chat model needs the memory more."""


def has_metal() -> bool:
    """Whether MLX computes on a graphics processor here. Imports MLX only on a Mac."""
    if sys.platform != "darwin":
        return False
    blas.preload()
    import mlx.core as mx

    return mx.metal.is_available()


class MlxEmbedder:
    """Runs the model in `folder`, which has the files that `onnx_embedder.BertEmbedder` reads.

    Its vectors are those of ONNX Runtime in fp32, so it has the same name. Nothing is loaded before the first text.

    Raises:
        ModelError: a file is missing, or the model is of a kind that is not known here.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = read_config(folder)
        self.dimension = self.config.width
        # A stream of MLX belongs to the thread that made it, so one thread does all the work.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="mlx-embedder")

    @cached_property
    def name(self) -> str:
        """The folder's name with a digest of everything that the vectors depend on."""
        return vectors_name(self.folder, self.config)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """The texts' vectors, as `TextModel.embed`. Any thread may call it."""
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        return self._worker.submit(self._embed, list(texts)).result()

    def _embed(self, texts: list[str]) -> np.ndarray:
        import mlx.core as mx

        weights, config = self._weights, self.config
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(texts)]
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for rows in batches([len(ids) for ids in tokens], BATCH_TOKENS):
            inputs = padded([tokens[row] for row in rows])
            vectors[rows] = np.array(encode(weights, mx.array(inputs[IDS]), mx.array(inputs[MASK]), config))
        if mx.get_cache_memory() > CACHE_BYTES:
            mx.clear_cache()
        return vectors

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """The vectors of the texts' tokens, as `TokenModel.embed_tokens`. Any thread may call it."""
        return self._worker.submit(self._embed_tokens, list(texts)).result()

    def _embed_tokens(self, texts: list[str]) -> list[TokenVectors]:
        import mlx.core as mx

        found = []
        for encoding in self._tokenizer.encode_batch(texts):
            inputs = padded([encoding.ids])
            vectors = encode_tokens(self._weights, mx.array(inputs[IDS]), mx.array(inputs[MASK]), self.config)
            found.append(of_tokens(encoding, np.array(vectors[0])))
        return found

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        return load_tokenizer(self.folder, self.config)

    @cached_property
    def _weights(self) -> "Weights":
        import mlx.core as mx

        weights = {name: mx.array(array.astype(np.float32)) for name, array in read_weights(self.folder).items()}
        mx.eval(weights)
        return weights


def encode(weights: "Weights", ids: "mx.array", mask: "mx.array", config: Config) -> "mx.array":
    """The texts' vectors, float32 (texts, width) of length 1, as `bert.encoder` computes them.

    Args:
        weights: under transformers' names, without the prefix `bert.`; a linear layer's are (output, input).
        ids: int (texts, tokens).
        mask: int (texts, tokens), 0 where there is no token.
        config: the model's configuration.
    """
    import mlx.core as mx

    hidden = _hidden(weights, ids, mask, config)[-1]
    pooled = hidden[:, 0]
    if config.pooling == "mean":
        pooled = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
    return pooled / mx.linalg.norm(pooled, axis=-1, keepdims=True)


def encode_tokens(weights: "Weights", ids: "mx.array", mask: "mx.array", config: Config) -> "mx.array":
    """The tokens' vectors, float32 (texts, tokens, 2 * width) of length 1, as `bert.encoder` computes them.

    Takes what `encode` takes.
    """
    import mlx.core as mx

    *_, below, last = _hidden(weights, ids, mask, config)
    both = [layer / mx.linalg.norm(layer, axis=-1, keepdims=True) for layer in (below, last)]
    return mx.concatenate(both, axis=-1) * mx.array(0.5**0.5)


def _hidden(weights: "Weights", ids: "mx.array", mask: "mx.array", config: Config) -> "list[mx.array]":
    """The embedding's and each layer's output, (texts, tokens, width)."""
    words = weights["embeddings.word_embeddings.weight"][ids]
    places = weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
    hidden = words + places + weights["embeddings.token_type_embeddings.weight"][0]
    outputs = [_norm(weights, hidden, "embeddings.LayerNorm", config.epsilon)]
    seen = (mask == 1)[:, None, None, :]
    for layer in range(layer_count(weights)):
        outputs.append(_layer(weights, outputs[-1], seen, f"encoder.layer.{layer}", config))
    return outputs


def _layer(weights: "Weights", hidden: "mx.array", seen: "mx.array", name: str, config: Config) -> "mx.array":
    """`hidden`, (texts, tokens, width), after layer `name`; `seen`, bool (texts, 1, 1, tokens), is true for tokens."""
    import mlx.core as mx

    query, key, value = (
        _linear(weights, hidden, f"{name}.attention.self.{part}")
        .reshape(*hidden.shape[:2], config.heads, -1)
        .swapaxes(1, 2)
        for part in ("query", "key", "value")
    )
    scale = 1 / math.sqrt(query.shape[-1])
    mixed = mx.fast.scaled_dot_product_attention(query, key, value, scale=scale, mask=seen)
    attended = _linear(weights, mixed.swapaxes(1, 2).reshape(hidden.shape), f"{name}.attention.output.dense")
    hidden = _norm(weights, hidden + attended, f"{name}.attention.output.LayerNorm", config.epsilon)
    wide = _activate(_linear(weights, hidden, f"{name}.intermediate.dense"), config.activation)
    narrow = _linear(weights, wide, f"{name}.output.dense")
    return _norm(weights, hidden + narrow, f"{name}.output.LayerNorm", config.epsilon)


def _activate(inputs: "mx.array", activation: Activation) -> "mx.array":
    from mlx import nn

    act: Callable[[mx.array], mx.array] = {"gelu": nn.gelu, "gelu_tanh": nn.gelu_approx, "relu": nn.relu}[activation]
    return act(inputs)


def _linear(weights: "Weights", inputs: "mx.array", name: str) -> "mx.array":
    import mlx.core as mx

    return mx.addmm(weights[f"{name}.bias"], inputs, weights[f"{name}.weight"].T)


def _norm(weights: "Weights", inputs: "mx.array", name: str, epsilon: float) -> "mx.array":
    import mlx.core as mx

    return mx.fast.layer_norm(inputs, weights[f"{name}.weight"], weights[f"{name}.bias"], epsilon)
