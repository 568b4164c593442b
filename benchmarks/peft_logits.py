"""Whether an exported adapter gives the same logits in Hugging Face PEFT as in MLX.

    python -m benchmarks.peft_logits [--iters 10] [--json]

It trains a LoRA and a DoRA of the demo model on pairs from docs/, with a few large steps, and exports both with
`sitetwin export --to peft`. It compares the logits of some chats: MLX with the adapter against torch with transformers and
PEFT, both in fp32 on the same base weights. `difference_*` is the largest difference over all tokens and the whole
vocabulary. `changed_by_*` is the largest change by the adapter itself. `ratio` is the bound of 1e-3 divided by the larger
difference of LoRA and DoRA. `difference_fused` compares the LoRA exported with `--to fused` and with `--to peft`, both in
torch in double precision, because in single precision rounding hides the effect of merging. torch, transformers and PEFT
have their own environment under .sitetwin/bench-env (several hundred MB), which is kept.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import numpy as np

from benchmarks.peers import peer_python
from benchmarks.report import render
from benchmarks.running import newcomers_folder
from pipeline.adapters import adapters_directory
from pipeline.settings import load_settings
from pipeline.weights import blas, demo

BOUND = 1e-3
KINDS = ("lora", "dora")
CHATS = (
    "Which files does sitetwin read, and where do I say so?",
    "How is an adapter trained, and what is checked before?",
    "Wer bist du? 2026!",
)
SITETWIN = (sys.executable, "-m", "pipeline")
THEIRS = """
import json, sys, warnings
import numpy as np, torch
from peft import PeftModel
from transformers import AutoModelForCausalLM
task = json.load(sys.stdin)
torch.set_num_threads(1)
def logits(model):
    with torch.no_grad():
        return [model(torch.tensor([row])).logits[0].numpy() for row in task["rows"]]
def load(folder, dtype=torch.float32):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()
found = {"base": logits(load(task["base"])), "fused": logits(load(task["fused"], torch.float64))}
warnings.filterwarnings("error", message=".*(missing|unexpected).*")
for kind, folder in task["adapters"].items():
    model = PeftModel.from_pretrained(load(task["base"]), folder).eval()
    found[kind] = logits(model)
    if kind == task["merged"]:
        found["merged"] = logits(model.double())
np.savez(task["out"], **{f"{name} {n}": array for name, arrays in found.items() for n, array in enumerate(arrays)})
"""

Logits = dict[str, list[np.ndarray]]
"""For each model, one array of shape (tokens, vocabulary) per chat."""


def train(root: Path, iters: int) -> None:
    """Trains one run of each kind in the site at `root`. The kind is the run's name."""
    subprocess.run([*SITETWIN, "dataset", "build"], cwd=root, check=True, stdout=sys.stderr)
    values = {"iters": iters, "steps_per_eval": iters, "val_batches": 1, "learning_rate": 1e-3}
    for kind in KINDS:
        options = [part for key, value in values.items() for part in ("--set", f"{key}={value}")]
        command = [*SITETWIN, "train", "--name", kind, "--set", f"fine_tune_type={kind}", *options]
        subprocess.run(command, cwd=root, check=True, stdout=sys.stderr)


def export(root: Path, run: str, to: str) -> Path:
    """The folder of the exported run."""
    done = subprocess.run(
        [*SITETWIN, "export", run, "--to", to, "--json"], cwd=root, check=True, stdout=subprocess.PIPE
    )
    return Path(json.loads(done.stdout)["folder"])


def in_mlx(base: Path, adapters: dict[str, Path]) -> tuple[list[list[int]], Logits]:
    """The tokens of each chat, and the logits of the base and of each adapter in MLX."""
    blas.preload(1)
    import mlx.core as mx
    import mlx_lm

    rows: list[list[int]] = []
    found: Logits = {}
    for name, adapter in {"base": None, **adapters}.items():
        model, tokenizer = mlx_lm.load(str(base), adapter_path=str(adapter) if adapter else None)[:2]
        rows = [tokenizer.apply_chat_template([{"role": "user", "content": chat}]) for chat in CHATS]
        found[name] = [np.array(model(mx.array([row]))[0]) for row in rows]
    return rows, found


def in_torch(rows: list[list[int]], base: Path, fused: Path, adapters: dict[str, Path]) -> Logits:
    """The logits of the base and of each adapter in torch. `fused` and `merged`, the first adapter, use double precision."""
    python = peer_python("torch", "transformers", "peft")
    with tempfile.TemporaryDirectory(prefix="sitetwin-") as folder:
        out = Path(folder) / "logits.npz"
        exported = {kind: str(path) for kind, path in adapters.items()}
        task = {"rows": rows, "base": str(base), "fused": str(fused), "adapters": exported, "out": str(out)}
        task["merged"] = next(iter(adapters))
        subprocess.run(
            [str(python), "-c", THEIRS],
            input=json.dumps(task),
            text=True,
            check=True,
            stdout=sys.stderr,
            env=os.environ | {"HF_HUB_OFFLINE": "1"},
        )
        with np.load(out) as arrays:
            return {
                name: [arrays[f"{name} {n}"] for n in range(len(rows))]
                for name in ("base", "fused", "merged", *adapters)
            }


def largest(ours: list[np.ndarray], theirs: list[np.ndarray]) -> float:
    """The largest absolute difference between two lists of logits."""
    return float(max(np.abs(one - other).max() for one, other in zip(ours, theirs, strict=True)))


@click.command()
@click.option("--iters", default=10, help="Steps of training.")
@click.option("--json", "as_json", is_flag=True, help="Only the figures, as JSON.")
def main(iters: int, as_json: bool) -> None:
    """Whether an exported adapter gives the same logits in Hugging Face PEFT as in MLX."""
    try:
        with newcomers_folder() as root:
            train(root, iters)
            exported = {kind: export(root, kind, "peft") for kind in KINDS}
            fused = export(root, "lora", "fused")
            base = demo.chat_model()
            own = adapters_directory(load_settings(root / "sitetwin.toml"))
            rows, ours = in_mlx(base, {kind: own / kind for kind in KINDS})
            theirs = in_torch(rows, base, fused, exported)
    except (subprocess.CalledProcessError, OSError) as error:
        sys.exit(f"the adapters can't be trained, exported or loaded in torch here: {error}")
    differences = {f"difference_{kind}": largest(ours[kind], theirs[kind]) for kind in KINDS}
    figures = {
        "ratio": BOUND / max(differences.values()),
        **differences,
        "difference_base": largest(ours["base"], theirs["base"]),
        "difference_fused": largest(theirs["merged"], theirs["fused"]),
        **{f"changed_by_{kind}": largest(ours["base"], ours[kind]) for kind in KINDS},
        "tokens": sum(map(len, rows)),
    }
    click.echo(render("An exported adapter in PEFT; ratio: 1e-3 over the larger difference", figures, as_json=as_json))


if __name__ == "__main__":
    main()
