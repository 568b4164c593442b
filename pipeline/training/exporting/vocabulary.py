"""A tokenizer of transformers in GGUF's words, the inverse of `pipeline.weights.gguf.tokenizers`."""

import json
from pathlib import Path
from typing import Any

from gguf.constants import TokenType

from pipeline.weights.chat_template import ChatTemplate
from pipeline.weights.gguf.pretokenizers import name_of
from pipeline.weights.gguf.tokenizers import BYTE_LEVEL, PREFIX, SENTENCE_PIECE, SPACE

UNMERGED = -1e6
"""The score of a token that no merge makes."""


def read_tokenizer(folder: Path) -> dict[str, Any]:
    """tokenizer.json of a model folder; without one, a tokenizer of no known kind."""
    file = folder / "tokenizer.json"
    if not file.is_file():
        return {"model": {}}
    return json.loads(file.read_bytes())  # type: ignore[no-any-return]


def kind_of(tokenizer: dict[str, Any]) -> tuple[str, str] | None:
    """llama.cpp's `tokenizer.ggml.model` and `tokenizer.ggml.pre`; None when it knows no such tokenizer."""
    if tokenizer["model"].get("type") != "BPE":
        return None
    if tokenizer["model"].get("byte_fallback"):
        return SENTENCE_PIECE, "default"
    name = name_of(tokenizer)
    return (BYTE_LEVEL, name) if name else None


def tokenizer_metadata(tokenizer: dict[str, Any], wrapped: Any, rows: int) -> dict[str, Any]:
    """What a GGUF says of a tokenizer, by its key.

    Args:
        tokenizer: its tokenizer.json, of a kind that `kind_of` knows.
        wrapped: the same as transformers' tokenizer, or mlx-lm's around it.
        rows: of the embedding; those that no token has are filled up.
    """
    kind = kind_of(tokenizer)
    assert kind is not None
    tokens = _tokens(tokenizer, kind[0], rows)
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in tokenizer["model"]["merges"]]
    values: dict[str, Any] = {
        "model": kind[0],
        "pre": kind[1],
        "tokens": [text for text, _ in tokens],
        "token_type": [int(type_) for _, type_ in tokens],
        "add_bos_token": adds_first(wrapped),
        "add_eos_token": False,
    }
    if kind[0] == SENTENCE_PIECE:
        values |= {
            "scores": _scores([text for text, _ in tokens], merges),
            "add_space_prefix": _adds_space(tokenizer),
        }
    else:
        # llama.cpp wants the list, and GGUF knows no empty ones.
        values["merges"] = merges or [""]
    ends = sorted(wrapped.eos_token_ids)
    ids = {
        "bos": wrapped.bos_token_id,
        "eos": wrapped.eos_token_id if wrapped.eos_token_id is not None else next(iter(ends), None),
        # Of a model with two ends (Gemma, Llama 3) the other one closes a turn.
        "eot": next((id_ for id_ in ends if id_ != wrapped.eos_token_id), None),
        "padding": wrapped.pad_token_id,
        "unknown": wrapped.unk_token_id,
    }
    values |= {f"{name}_token_id": id_ for name, id_ in ids.items() if id_ is not None}
    template = ChatTemplate(wrapped).source
    return {f"{PREFIX}{key}": value for key, value in values.items()} | (
        {"tokenizer.chat_template": template} if template else {}
    )


def adds_first(tokenizer: Any) -> bool:
    """Whether each text gets the first token before it."""
    return tokenizer.bos_token_id is not None and tokenizer.encode("a")[0] == tokenizer.bos_token_id


def _tokens(tokenizer: dict[str, Any], kind: str, rows: int) -> list[tuple[str, TokenType]]:
    unknown = tokenizer["model"].get("unk_token")
    tokens = {id_: (text, TokenType.NORMAL) for text, id_ in tokenizer["model"]["vocab"].items()}
    if kind == SENTENCE_PIECE:
        tokens = {id_: (text, TokenType.BYTE if _is_byte(text) else type_) for id_, (text, type_) in tokens.items()}
    for added in tokenizer.get("added_tokens", []):
        # llama.cpp looks for a user's own tokens in the text as it is, with spaces.
        special, text = added["special"], added["content"]
        tokens[added["id"]] = (
            (text, TokenType.CONTROL) if special else (text.replace(SPACE, " "), TokenType.USER_DEFINED)
        )
    listed = [tokens.get(id_, (f"[PAD{id_}]", TokenType.UNUSED)) for id_ in range(rows)]
    if kind == SENTENCE_PIECE:
        listed = [(text, TokenType.UNKNOWN if text == unknown else type_) for text, type_ in listed]
    return listed


def _scores(tokens: list[str], merges: list[str]) -> list[float]:
    """SentencePiece joins the pair with the best score first; here that is the pair that is merged first."""
    ranks: dict[str, int] = {}
    for rank, merge in enumerate(merges):
        ranks.setdefault(merge.replace(" ", ""), rank)
    return [-float(ranks[text]) if text in ranks else UNMERGED for text in tokens]


def _is_byte(text: str) -> bool:
    return len(text) == 6 and text.startswith("<0x") and text.endswith(">")


def _adds_space(tokenizer: dict[str, Any]) -> bool:
    """Whether a text gets a space before it, as Llama 2's does."""
    normaliser = json.dumps(tokenizer.get("normalizer")) + json.dumps(tokenizer.get("pre_tokenizer"))
    return (
        '"Prepend"' in normaliser
        or '"prepend_scheme": "first"' in normaliser
        or '"prepend_scheme": "always"' in normaliser
    )
