"""Whether an adapter that TRL trained gives the same logits in MLX, once imported, as in Hugging Face PEFT.

    python -m benchmarks.peft_import [--steps 5] [--json]

It builds a data set from docs/, exports it with `sitetwin dataset export --format trl`, runs the exported script on the
CPU with large steps, and imports the adapter with `sitetwin adapters import`. `difference` is the largest difference of
logits over all tokens of some chats and the whole vocabulary, both in fp32 over the same base. `changed_by` is the largest
change by the adapter itself. `ratio` is the bound of 1e-3 divided by the difference. torch, transformers, PEFT and TRL
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
from benchmarks.peft_logits import BOUND, SITETWIN, in_mlx, largest
from benchmarks.report import render
from benchmarks.running import newcomers_folder
from pipeline.adapters import adapters_directory
from pipeline.settings import load_settings
from pipeline.weights import demo

NAME = "from-trl"
OFFLINE = {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
THEIRS = """
import json, sys
import numpy as np, torch
from peft import PeftModel
from transformers import AutoModelForCausalLM
task = json.load(sys.stdin)
base = AutoModelForCausalLM.from_pretrained(task["base"], dtype=torch.float32).eval()
model = PeftModel.from_pretrained(base, task["adapter"]).eval()
with torch.no_grad():
    np.savez(task["out"], *(model(torch.tensor([row])).logits[0].numpy() for row in task["rows"]))
"""


def train(root: Path, base: Path, steps: int) -> Path:
    """The folder of the adapter that TRL trained on pairs of the site at `root`."""
    python = peer_python("torch", "transformers", "peft", "trl", "datasets")
    rows = root / "gpu"
    for command in (["dataset", "build"], ["dataset", "export", "--format", "trl", "--to", str(rows)]):
        subprocess.run([*SITETWIN, *command], cwd=root, check=True, stdout=sys.stderr)
    command = [str(python), "train.py", str(base), "--steps", str(steps), "--learning-rate", "1e-3"]
    subprocess.run(command, cwd=rows, check=True, stdout=sys.stderr, env=os.environ | OFFLINE)
    return rows / "adapter"


def in_torch(rows: list[list[int]], base: Path, adapter: Path) -> list[np.ndarray]:
    """The logits of each chat under the adapter in PEFT, (tokens, vocabulary)."""
    python = peer_python("torch", "transformers", "peft", "trl", "datasets")
    with tempfile.TemporaryDirectory(prefix="sitetwin-") as folder:
        out = Path(folder) / "logits.npz"
        task = {"rows": rows, "base": str(base), "adapter": str(adapter), "out": str(out)}
        subprocess.run(
            [str(python), "-c", THEIRS], input=json.dumps(task), text=True, check=True, stdout=sys.stderr,
            env=os.environ | OFFLINE,
        )  # fmt: skip
        with np.load(out) as arrays:
            return [arrays[name] for name in arrays.files]


@click.command()
@click.option("--steps", default=5, help="Steps of training.")
@click.option("--json", "as_json", is_flag=True, help="Only the figures, as JSON.")
def main(steps: int, as_json: bool) -> None:
    """Whether an adapter that TRL trained gives the same logits in MLX as in Hugging Face PEFT."""
    try:
        with newcomers_folder() as root:
            base = demo.chat_model()
            trained = train(root, base, steps)
            subprocess.run([*SITETWIN, "adapters", "import", str(trained), "--name", NAME], cwd=root, check=True,
                           stdout=sys.stderr)  # fmt: skip
            imported = adapters_directory(load_settings(root / "sitetwin.toml")) / NAME
            rows, ours = in_mlx(base, {NAME: imported})
            theirs = in_torch(rows, base, trained)
    except (subprocess.CalledProcessError, OSError) as error:
        sys.exit(f"the adapter can't be trained, imported or loaded in torch here: {error}")
    difference = largest(ours[NAME], theirs)
    figures = {
        "ratio": BOUND / difference,
        "difference": difference,
        "changed_by": largest(ours["base"], ours[NAME]),
        "tokens": sum(map(len, rows)),
    }
    click.echo(render("An adapter of TRL in MLX; ratio: 1e-3 over the difference", figures, as_json=as_json))


if __name__ == "__main__":
    main()
