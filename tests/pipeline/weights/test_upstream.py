"""What of mlx-lm is private or nowhere promised, and used all the same: each test fails when an upgrade changes it."""

import ast
import inspect
from pathlib import Path

import pytest

from pipeline.weights import blas

blas.preload(1)

import mlx.core as mx  # noqa: E402
import mlx_lm.server  # noqa: E402
from mlx_lm.generate import BatchGenerator, StopSequences, TextStateMachine, make_text_state_machine  # noqa: E402
from mlx_lm.models.cache import KVCache, LRUPromptCache  # noqa: E402
from mlx_lm.tokenizer_utils import TokenizerWrapper  # noqa: E402

from pipeline.weights import upstream  # noqa: E402
from tests.tiny_llama import byte_tokenizer, make_bases  # noqa: E402

PIPELINE = Path(upstream.__file__).parents[1]


def private_names_of_mlx_lm(file: Path) -> list[str]:
    """Those that a file imports, or asks of a module of mlx-lm."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mlx_lm"):
            found += [f"{node.module}.{name.name}" for name in node.names if name.name.startswith("_")]
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            whole = ast.unparse(node.value)
            if whole.startswith("mlx_lm") or whole == "tokenizer":
                found.append(f"{whole}.{node.attr}")
    return found


def test_private_names_stand_in_one_file() -> None:
    found = {file.name: names for file in PIPELINE.rglob("*.py") if (names := private_names_of_mlx_lm(file))}
    assert found == {"upstream.py": ["tokenizer._tokenizer"]}


def test_the_inner_tokenizer_is_the_one_that_was_wrapped() -> None:
    inner = byte_tokenizer()
    assert upstream.inner_tokenizer(TokenizerWrapper(inner)) is inner


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    make_bases(folder)
    return folder / "base"


def test_generation_wires_what_it_is_told_to(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    generation = importlib.import_module("mlx_lm.generate")
    monkeypatch.setattr(
        generation, "maybe_set_recommended_wired_limit", generation.maybe_set_recommended_wired_limit, raising=True
    )
    asked = []
    upstream.set_wiring(lambda: asked.append(1))  # type: ignore[arg-type,return-value]
    model, _ = mlx_lm.load(str(base))  # type: ignore[misc]
    BatchGenerator(model).close()
    assert asked == [1]


def test_the_servers_provider_takes_these_arguments(base: Path) -> None:
    provider = mlx_lm.server.ModelProvider(upstream.server_arguments(str(base)))
    provider.load_default()
    assert provider.model is not None


def test_the_batch_takes_and_gives_what_the_loop_relies_on(base: Path) -> None:
    model, tokenizer = mlx_lm.load(str(base))  # type: ignore[misc]
    batch = BatchGenerator(model, completion_batch_size=2, prefill_batch_size=2, prefill_step_size=8)
    prompt = tokenizer.encode("What is tea?")
    (number,) = batch.insert_segments(
        segments=[[prompt[:4], prompt[4:]]],
        max_tokens=[2],
        caches=[[KVCache() for _ in model.layers]],
        all_tokens=[[]],
        samplers=[lambda logprobs: mx.argmax(logprobs, axis=-1)],
        logits_processors=[[lambda tokens, logits: logits + 0 * len(tokens)]],
        stop_sequences=[StopSequences([(2,)])],
    )
    ends, said = [], []
    for _ in range(10):
        read, tokens = batch.next()
        for progress in read:
            assert progress.uid == number
            assert progress.progress[1] == len(prompt)
            if progress.end_of_segment and not progress.end_of_prompt:
                caches, of = batch.extract_cache([number])[number]
                assert len(caches) == len(model.layers)
                ends.append(list(of))
        said += tokens
    assert ends == [prompt[:4], prompt[:-1]]
    assert [token.finish_reason for token in said] == [None, "length"]
    assert said[-1].all_tokens == [*prompt, *(token.token for token in said)]
    assert said[-1].logprobs.shape == (len(tokenizer),)
    assert batch.remove([], return_prompt_caches=True) == {}
    assert batch.prompt_cache_nbytes == 0
    batch.close()


def test_kept_prompts_are_found_and_trimmed() -> None:
    def cache(length: int) -> list[KVCache]:
        one = KVCache()
        one.update_and_fetch(mx.zeros((1, 1, length, 4)), mx.zeros((1, 1, length, 4)))
        return [one]

    kept = LRUPromptCache(4, 10**9)
    kept.insert_cache(None, [1, 2, 3, 4], cache(4), cache_type="assistant")
    found, rest = kept.fetch_nearest_cache(None, [1, 2, 3, 9, 9])
    assert (found[0].offset, rest) == (3, [9, 9])
    assert kept.fetch_nearest_cache("another", [1, 2, 3])[0] is None
    kept.trim_to(n_bytes=0)
    assert kept.nbytes == 0


def test_texts_are_told_apart_by_their_states() -> None:
    machine = make_text_state_machine(TokenizerWrapper(byte_tokenizer(("<think>", "</think>"))))
    state, segments = TextStateMachine.split(machine.make_state("normal"), "a<think>b</think>c<th")
    assert segments == [("normal", "a"), ("reasoning", "b"), ("normal", "c")]
    assert TextStateMachine.flush(state)[1:] == ("<th", "normal")


def test_a_parser_of_tools_takes_the_text_and_the_tools() -> None:
    from mlx_lm.tool_parsers import json_tools, qwen3_coder

    for module in (json_tools, qwen3_coder):
        first, second = inspect.signature(module.parse_tool_call).parameters
        assert second == "tools", first
    assert json_tools.parse_tool_call(' {"name": "a", "arguments": {}} ', None) == {"name": "a", "arguments": {}}
