"""Converts a GGUF's tokenizer into the files that transformers and mlx-lm read."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gguf.constants import TokenType

from pipeline.weights.gguf.pretokenizers import BEGINS, KNOWN, WHOLE_TOKENS, canonical, pre_tokenizer

PREFIX = "tokenizer.ggml."
BYTE_LEVEL, SENTENCE_PIECE = "gpt2", "llama"
"""Values of `tokenizer.ggml.model`."""
SPACE = "▁"
"""SentencePiece's sign for a space."""
ENDS = ("<|im_end|>", "<end_of_turn>", "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", "<|endoftext|>")
"""Tokens that end an answer. llama.cpp finds them by name too."""

Metadata = Mapping[str, Any]


def reason_against(metadata: Metadata) -> str | None:
    """Why this tokenizer can't be converted, as a text for brackets; None if it can."""
    kind, cut = metadata.get(f"{PREFIX}model"), metadata.get(f"{PREFIX}pre")
    if kind not in (BYTE_LEVEL, SENTENCE_PIECE):
        return f"its tokenizer is of the kind {kind!r}"
    if kind == BYTE_LEVEL and canonical(str(cut)) not in KNOWN:
        return f"its tokenizer cuts words in a way that is unknown here, {cut!r}"
    return None


def tokenizer_json(metadata: Metadata) -> str:
    """The text of tokenizer.json for a GGUF's metadata."""
    from tokenizers import AddedToken, Tokenizer, processors

    make = _byte_level if metadata[f"{PREFIX}model"] == BYTE_LEVEL else _sentence_piece
    tokenizer: Tokenizer = make(metadata)
    tokens = metadata[f"{PREFIX}tokens"]
    tokenizer.add_special_tokens(
        [AddedToken(tokens[id_], special=True, normalized=False) for id_ in _ids(metadata, TokenType.CONTROL)]
    )
    tokenizer.add_tokens(
        [
            AddedToken(_plain(tokens[id_]), special=False, normalized=False)
            for id_ in _ids(metadata, TokenType.USER_DEFINED)
        ]
    )
    if begins(metadata):
        first = _token(metadata, "bos")
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{first} $A", pair=f"{first} $A {first}:1 $B:1", special_tokens=[(first, tokens.index(first))]
        )
    return tokenizer.to_str(pretty=False)


def tokenizer_config(metadata: Metadata, longest: int) -> dict[str, Any]:
    """The content of transformers' tokenizer_config.json: special tokens and the chat template.

    Args:
        longest: the model's context in tokens.
    """
    names = {"bos": "bos_token", "eos": "eos_token", "padding": "pad_token", "unknown": "unk_token"}
    config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        **{key: text for name, key in names.items() if (text := _token(metadata, name)) is not None},
        "additional_special_tokens": [metadata[f"{PREFIX}tokens"][id_] for id_ in _ids(metadata, TokenType.CONTROL)],
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": longest,
    }
    if template := metadata.get("tokenizer.chat_template"):
        config["chat_template"] = template
    return config


def begins(metadata: Metadata) -> bool:
    """Whether the tokenizer puts the first token (`<s>`, `<bos>`) before each text."""
    if metadata.get(f"{PREFIX}bos_token_id") is None:
        return False
    by_default = metadata[f"{PREFIX}model"] == SENTENCE_PIECE or canonical(str(metadata.get(f"{PREFIX}pre"))) in BEGINS
    return bool(metadata.get(f"{PREFIX}add_bos_token", by_default))


def end_ids(metadata: Metadata) -> int | list[int]:
    """`eos_token_id` of config.json: the id of the token that ends an answer, or a list if there are several."""
    tokens = metadata[f"{PREFIX}tokens"]
    found = [metadata.get(f"{PREFIX}{name}_token_id") for name in ("eos", "eot", "eom")]
    special = {*_ids(metadata, TokenType.CONTROL), *_ids(metadata, TokenType.USER_DEFINED)}
    # SmolLM2's end of a document is also its unknown token, which ends no answer.
    special.discard(metadata.get(f"{PREFIX}unknown_token_id", -1))
    found += sorted(id_ for id_ in special if tokens[id_] in ENDS)
    ids = list(dict.fromkeys(id_ for id_ in found if id_ is not None))
    return ids[0] if len(ids) == 1 else ids


def _byte_level(metadata: Metadata) -> Any:
    from tokenizers import Tokenizer, decoders, models

    cut = canonical(str(metadata[f"{PREFIX}pre"]))
    # llama.cpp demands a list and GGUF has no empty ones, so a tokenizer without merges has one empty merge.
    merges = [tuple(merge.split(" ", 1)) for merge in metadata[f"{PREFIX}merges"] if merge]
    more = {"ignore_merges": True} if cut in WHOLE_TOKENS else {}
    tokenizer = Tokenizer(models.BPE(vocab=_numbered(metadata[f"{PREFIX}tokens"]), merges=merges, **more))
    tokenizer.pre_tokenizer = pre_tokenizer(cut)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _sentence_piece(metadata: Metadata) -> Any:
    from tokenizers import Tokenizer, decoders, models, normalizers

    defined = set(_ids(metadata, TokenType.USER_DEFINED))
    tokens = [_plain(text) if id_ in defined else text for id_, text in enumerate(metadata[f"{PREFIX}tokens"])]
    tokenizer = Tokenizer(
        models.BPE(
            vocab=_numbered(tokens),
            merges=list(_merges(metadata)),
            unk_token=_token(metadata, "unknown"),
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    spaces: list[Any] = [normalizers.Replace(" ", SPACE)]
    parts: list[Any] = [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse()]
    if metadata.get(f"{PREFIX}add_space_prefix", True):
        spaces.insert(0, normalizers.Prepend(SPACE))
        parts.append(decoders.Strip(" ", 1, 0))
    tokenizer.normalizer = normalizers.Sequence(spaces)
    tokenizer.decoder = decoders.Sequence(parts)
    return tokenizer


def _merges(metadata: Metadata) -> Iterator[tuple[str, str]]:
    """The pairs that SentencePiece merges, the best first. It merges the neighbours whose union has the best score."""
    kinds, scores = metadata[f"{PREFIX}token_type"], metadata[f"{PREFIX}scores"]
    ids = {
        text: id_
        for id_, (text, kind) in enumerate(zip(metadata[f"{PREFIX}tokens"], kinds, strict=True))
        if kind == TokenType.NORMAL
    }
    for text in sorted(ids, key=lambda text: -scores[ids[text]]):
        cuts = ((text[:cut], text[cut:]) for cut in range(1, len(text)))
        pairs = [(left, right) for left, right in cuts if left in ids and right in ids]
        yield from sorted(pairs, key=lambda pair: (ids[pair[0]], ids[pair[1]]))


def _plain(text: str) -> str:
    """A user-defined token as it appears in a text. Some files write its spaces as SentencePiece does."""
    return text.replace(SPACE, " ")


def _numbered(tokens: Sequence[str]) -> dict[str, int]:
    return {token: id_ for id_, token in enumerate(tokens)}


def _ids(metadata: Metadata, kind: TokenType) -> list[int]:
    return [id_ for id_, one in enumerate(metadata[f"{PREFIX}token_type"]) if one == kind]


def _token(metadata: Metadata, name: str) -> str | None:
    id_ = metadata.get(f"{PREFIX}{name}_token_id")
    return None if id_ is None else metadata[f"{PREFIX}tokens"][id_]
