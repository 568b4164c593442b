"""An opened GGUF: its configuration and weights for mlx-lm's model, or the reason why it can't be converted."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import ModelError
from pipeline.weights.gguf.families import NAMES, Family, config_of, family_of
from pipeline.weights.gguf.rope import llama3_scaling
from pipeline.weights.gguf.tokenizers import PREFIX, end_ids, reason_against

if TYPE_CHECKING:
    from gguf import ReaderTensor

TIED_COSINE = 0.9
"""Two rounded copies of one row have a larger cosine, even with 2 bits. Rows of two different matrices have one near 0."""
SAMPLED_ROWS = 64
EMBEDDING, OUTPUT, ROPE = "token_embd.weight", "output.weight", "rope_freqs.weight"


class GgufModel:
    """An opened GGUF. Its weights stay on disk until they are read.

    Raises:
        ModelError: `file` can't be read as GGUF.
    """

    def __init__(self, file: Path) -> None:
        from gguf import GGUFReader

        self.file = file
        try:
            reader: GGUFReader = GGUFReader(file)
            self.metadata: dict[str, Any] = {key: field.contents() for key, field in reader.fields.items()}
        except (ValueError, KeyError, IndexError, OSError) as error:
            raise ModelError(
                f"{file} can't be read as GGUF ({error}): fetch it again, or set [models] chat to another model"
            ) from None
        self.tensors: dict[str, ReaderTensor] = {tensor.name: tensor for tensor in reader.tensors}

    def refusal(self, reason: str) -> ModelError:
        """The error for a file that can't be converted for `reason`, with the next step."""
        return ModelError(
            f"{self.file.name} can't be read here ({reason}): make a model of it in Ollama (`FROM {self.file}` in a "
            "Modelfile, `ollama create NAME`) and set [models] chat to ollama:NAME, or name the same model in MLX format"
        )

    def check(self) -> None:
        """Refuses what can't be converted.

        Raises:
            ModelError: the family or the tokenizer is unknown, or the file is one part of a model.
        """
        arch = self.metadata.get("general.architecture")
        if family_of(str(arch)) is None:
            raise self.refusal(f"its architecture is {arch!r}, and {NAMES} are known")
        if self.metadata.get("split.count", 0) > 1:
            raise ModelError(
                f"{self.file.name} is one of {self.metadata['split.count']} parts of a model: join them with llama.cpp's "
                "`llama-gguf-split --merge` and name the whole"
            )
        if reason := reason_against(self.metadata):
            raise self.refusal(reason)

    @property
    def family(self) -> Family:
        """The family of the model; call `check` first."""
        family = family_of(self.metadata["general.architecture"])
        assert family is not None
        return family

    def read(self, name: str) -> np.ndarray:
        """The tensor `name` in fp32.

        Raises:
            ModelError: the tensor is missing, or its quantisation can't be expanded.
        """
        if name not in self.tensors:
            raise self.refusal(f"it lacks {name}")
        return self._expand(self.tensors[name])

    def config(self, dtype: str) -> dict[str, Any]:
        """The content of config.json.

        Raises:
            ModelError: the model has a feature that mlx-lm's model of this family lacks.
        """
        family, metadata = self.family, self.metadata
        try:
            found = config_of(family, metadata)
        except KeyError as error:
            raise self.refusal(f"it does not say {error}") from None
        if any(isinstance(value, list) for value in found.values()):
            raise self.refusal("its layers are of different sizes")
        scaling = metadata.get(f"{family.arch}.rope.scaling.type", "none")
        if scaling not in ("none", "linear"):
            raise self.refusal(f"its positions are scaled as {scaling}")
        if metadata.get(f"{family.arch}.rope.dimension_count", found["head_dim"]) != found["head_dim"]:
            raise self.refusal("its positions turn a part of each head only")
        if ROPE in self.tensors:
            found["rope_scaling"] = self._llama3(found)
        if EMBEDDING not in self.tensors:
            raise self.refusal(f"it lacks {EMBEDDING}")
        ids = {
            "bos_token_id": metadata.get(f"{PREFIX}bos_token_id"),
            "pad_token_id": metadata.get(f"{PREFIX}padding_token_id"),
        }
        return {
            "architectures": [family.class_name],
            "model_type": family.model_type,
            "torch_dtype": dtype,
            **found,
            "hidden_act": family.activation,
            "attention_bias": family.arch == "llama" and "blk.0.attn_q.bias" in self.tensors,
            "mlp_bias": False,
            "tie_word_embeddings": self.is_tied(),
            "vocab_size": int(self.tensors[EMBEDDING].shape[-1]),
            "eos_token_id": end_ids(metadata),
            **{key: value for key, value in ids.items() if value is not None},
        }

    def is_tied(self) -> bool:
        """Whether the output matrix is the embedding. Some files store it twice, with two quantisations."""
        if OUTPUT not in self.tensors:
            return True
        one, other = self.tensors[EMBEDDING], self.tensors[OUTPUT]
        if one.data.shape[0] != other.data.shape[0]:
            return False
        rows = np.linspace(0, one.data.shape[0] - 1, SAMPLED_ROWS).astype(int)
        left, right = (self._rows(tensor, rows) for tensor in (one, other))
        lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
        cosines = (left * right).sum(axis=1) / np.maximum(lengths, 1e-30)
        return bool(np.median(cosines) > TIED_COSINE)

    def embedding(self) -> str:
        """The name of the copy of a tied embedding that has more bits."""
        copies = [self.tensors[name] for name in (OUTPUT, EMBEDDING) if name in self.tensors]
        return max(copies, key=lambda tensor: tensor.n_bytes).name

    def shapes(self, config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
        """The name and shape of each weight of mlx-lm's model.

        Raises:
            ModelError: the file holds other weights.
        """
        from pipeline.weights.gguf.tensors import shapes_in_mlx

        shapes = shapes_in_mlx(config)
        names = self.names(config, shapes)
        for name, shape in shapes.items():
            tensor = self.tensors.get(names[name])
            if tensor is None:
                raise self.refusal(f"it lacks {names[name]}")
            if tuple(reversed(tensor.shape.tolist())) != shape:
                raise self.refusal(f"{names[name]} is {tensor.shape.tolist()}, not {list(reversed(shape))}")
        known = {*names.values(), ROPE, EMBEDDING} | ({OUTPUT} if config["tie_word_embeddings"] else set())
        if odd := sorted(self.tensors.keys() - known):
            raise self.refusal(f"it holds {odd[0]}, which no {self.family.class_name} has")
        return shapes

    def names(self, config: dict[str, Any], shapes: dict[str, tuple[int, ...]]) -> dict[str, str]:
        """The name of the tensor in this file for each name of mlx-lm's weights."""
        from pipeline.weights.gguf.tensors import names_in_gguf

        names = names_in_gguf(self.family, config["num_hidden_layers"], list(shapes))
        if config["tie_word_embeddings"]:
            names["model.embed_tokens.weight"] = self.embedding()
        return names

    def _llama3(self, config: dict[str, Any]) -> dict[str, Any]:
        factors = self.read(ROPE)
        scaling = llama3_scaling(factors, config["rope_theta"], config["head_dim"])
        if scaling is None:
            raise self.refusal("its positions are scaled in a way that is not Llama 3's")
        return scaling

    def _rows(self, tensor: "ReaderTensor", rows: np.ndarray) -> np.ndarray:
        return self._expand(tensor._replace(data=tensor.data[rows]))

    def _expand(self, tensor: "ReaderTensor") -> np.ndarray:
        from gguf.quants import dequantize

        try:
            array: np.ndarray = dequantize(tensor.data, tensor.tensor_type)
        except NotImplementedError:
            raise self.refusal(f"{tensor.name} is quantised as {tensor.tensor_type.name}") from None
        return array
