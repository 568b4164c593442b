"""The gain by OpenBLAS before MLX: matrix product, prefill and decoding with and without the preload.

    python -m benchmarks.matmul [--threads N] [--json]

Each side runs in its own process. `ratio` is the speed of the product with the preload divided by that without. On a
machine that needs no preload there is one side and no ratio.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping

from benchmarks.report import render
from pipeline.weights import blas, demo

PROMPT_WORDS = 150
ANSWER_TOKENS = 32
MEASURES = ("gflops", "prefill_tokens_per_second", "decode_tokens_per_second")


def measure(preload: bool, threads: int) -> dict[str, float | str]:
    """The three speeds of this process, and the name of its BLAS."""
    if preload:
        blas.preload(threads)
    import mlx_lm

    model, tokenizer = mlx_lm.load(str(demo.chat_model()))[:2]
    question = "Say what this text is about. " + "A garden needs water, light and some patience. " * (PROMPT_WORDS // 8)
    prompt = tokenizer.apply_chat_template([{"role": "user", "content": question}], add_generation_prompt=True)
    mlx_lm.generate(model, tokenizer, prompt[:8], max_tokens=2)  # the first run reads the weights
    *_, last = mlx_lm.stream_generate(model, tokenizer, prompt, max_tokens=ANSWER_TOKENS)
    speeds = blas.gflops(), last.prompt_tps, last.generation_tps
    return {**dict(zip(MEASURES, speeds, strict=True)), "blas": blas.describe()}


def compare(sides: Mapping[str, Mapping[str, float | str]]) -> dict[str, float | str | None]:
    """The figures of both sides and their ratios; without a reference side `ratio` is None."""
    figures: dict[str, float | str | None] = {"ratio": None}
    for side, values in sides.items():
        figures |= {f"{side}_{name}": value for name, value in values.items()}
    if "reference" in sides:
        for name, key in zip(MEASURES, ("ratio", "prefill_ratio", "decode_ratio"), strict=True):
            figures[key] = float(sides["preload"][name]) / float(sides["reference"][name])
    return figures


def run_side(side: str, threads: int) -> dict[str, float | str]:
    """The figures of one side, measured in its own process."""
    command = [sys.executable, "-m", "benchmarks.matmul", "--side", side, "--threads", str(threads)]
    found: dict[str, float | str] = json.loads(
        subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    )
    return found


def main() -> None:
    """The command line of this benchmark."""
    parser = argparse.ArgumentParser(description="Matrix product and tokens a second with and without the preload.")
    parser.add_argument("--threads", type=int, default=0, help="of one product with the preload; 0: half the cores")
    parser.add_argument("--json", action="store_true", help="only the figures, as JSON")
    parser.add_argument("--side", choices=["preload", "reference"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        print(json.dumps(measure(arguments.side == "preload", arguments.threads)))
        return
    demo.chat_model()
    sides = ("preload", "reference") if blas.is_needed() else ("preload",)
    figures = compare({side: run_side(side, arguments.threads) for side in sides})
    print(render("SmolLM2-135M-Instruct on MLX, with OpenBLAS preloaded and without", figures, as_json=arguments.json))


if __name__ == "__main__":
    main()
