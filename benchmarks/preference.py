"""Whether DPO and ORPO have TRL's loss and gradients.

    python -m benchmarks.preference [--json]

A random LoRA on the demo model reads four questions with two answers each. TRL's own DPO trainer computes the loss and the
gradients of all its matrices, with the bare base as reference; for ORPO its functions `get_batch_logps` and
`odds_ratio_loss` do. TRL's ORPO also learns the prompt, which the paper does not, so the loss of the chosen answers is
taken of the answers here. `difference_*` is the length of the difference of all gradients over the length of TRL's, or the
difference of the losses over TRL's if that is more: for MLX's graph and, on a Linux CPU, for the gradients that are written
out. `ratio` is the bound of 1e-3 divided by the largest difference. torch, transformers, PEFT and TRL have their own environment under
.sitetwin/bench-env (several hundred MB), which is kept.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.peers import peer_python
from benchmarks.report import render
from pipeline.weights import blas, demo

BOUND, BETA, RANK, SCALE = 1e-3, 0.1, 8, 2.0
METHODS = ("dpo", "orpo")
PREFERENCES = (
    ("Who are you?", "I am Ada, and I write about bread.", "As an AI language model I have no name."),
    ("Which flour do you use?", "Rye, mostly.", "The author uses several kinds of flour, among them rye and spelt."),
    ("Wie lange geht dein Teig?", "Zwölf Stunden im Kühlschrank.", "Answer: 12 hours"),
    ("Is the oven preheated?", "Yes, for an hour.", "No."),
)
Gradients = dict[str, np.ndarray]
"""By the name of the matrix in mlx-lm, in mlx-lm's order of axes."""
Found = dict[str, tuple[float, Gradients]]
"""Loss and gradients for each way or method."""

THEIRS = """
import json, os, sys
from types import SimpleNamespace
import numpy as np, torch
from datasets import Dataset
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import DPOConfig, DPOTrainer
from trl.experimental.orpo import ORPOTrainer
task = json.load(sys.stdin)
torch.set_num_threads(1)
base = AutoModelForCausalLM.from_pretrained(task["base"], dtype=torch.float32)
model = PeftModel.from_pretrained(base, task["adapter"], is_trainable=True)
some = Dataset.from_list([{"prompt": "a", "chosen": "b", "rejected": "c"}])
options = DPOConfig(output_dir=task["folder"], beta=task["beta"], use_cpu=True, bf16=False, report_to=[],
                    gradient_checkpointing=False)
trainer = DPOTrainer(model, args=options, train_dataset=some,
                     processing_class=AutoTokenizer.from_pretrained(task["base"]))
with torch.no_grad():  # TRL's reference is a copy of the adapter; without its second matrix it is the base
    for name, weight in model.named_parameters():
        if ".lora_B.ref." in name:
            weight.zero_()
model.eval()
rows = task["rows"]
longest = max(len(row) for row, _ in rows)
tokens, mask, answer = (torch.zeros(len(rows), longest, dtype=torch.long) for _ in range(3))
for place, (row, start) in enumerate(rows):
    tokens[place, :len(row)] = torch.tensor(row)
    mask[place, :len(row)] = 1
    answer[place, start:len(row)] = 1
order = [*range(0, len(rows), 2), *range(1, len(rows), 2)]  # TRL wants all chosen ones first
tokens, mask, answer = tokens[order], mask[order], answer[order]
def dpo():
    inputs = {"input_ids": tokens, "attention_mask": mask, "completion_mask": answer}
    return trainer.compute_loss(trainer.model, inputs)
def orpo():
    labels = torch.where(answer == 1, tokens, -100)
    logits = model(tokens, attention_mask=mask).logits
    means = ORPOTrainer.get_batch_logps(logits, labels, average_log_prob=True)
    chosen, rejected = means.chunk(2)
    like = SimpleNamespace(beta=task["beta"], accelerator=SimpleNamespace(device="cpu"))
    odds = ORPOTrainer.odds_ratio_loss(like, chosen, rejected)[0]
    half = len(rows) // 2
    answers = torch.nn.functional.cross_entropy(logits[:half, :-1].flatten(0, 1), labels[:half, 1:].flatten())
    return answers - odds.mean()
found = {}
for method in (dpo, orpo):
    model.zero_grad()
    loss = method()
    loss.backward()
    found[method.__name__ + " loss"] = np.array(loss.item())
    for name, weight in model.named_parameters():
        if weight.grad is not None and ".default." in name:
            found[method.__name__ + " " + name] = weight.grad.numpy().copy()
np.savez(task["out"], **found)
"""


def in_mlx(base: Path, adapter: Path) -> tuple[list[tuple[list[int], int]], dict[str, Found]]:
    """Ours: the rows, and for each method the loss and gradients by each way. The random LoRA is written to `adapter`."""
    blas.preload(1)
    import mlx.core as mx
    from mlx.utils import tree_flatten
    from mlx_lm.utils import load_config, load_model, load_tokenizer

    from pipeline.training.config import configuration
    from pipeline.training.cpu import fit
    from pipeline.training.data import TokenPreference, TokenRow, make_batch
    from pipeline.training.exporting.peft import CONFIG, WEIGHTS, name_in_transformers, peft_config
    from pipeline.training.graph import ByGraph
    from pipeline.training.loss import prepare
    from pipeline.training.preference import objective, preference_loss
    from pipeline.training.setup import add_adapter
    from pipeline.weights.chat_template import ChatTemplate

    template = ChatTemplate(load_tokenizer(base, eos_token_ids=load_config(base).get("eos_token_id")))
    preferences = []
    for question, *both in PREFERENCES:
        asked = {"role": "user", "content": question}
        rows = [TokenRow(*template.row([asked, {"role": "assistant", "content": one}])) for one in both]
        preferences.append(TokenPreference(*rows))
    longest = max(one.longest for one in preferences)

    values = {"lora_parameters": {"rank": RANK, "scale": SCALE, "dropout": 0.0}}
    model, _ = load_model(base)
    add_adapter(model, configuration("best", values))
    modules = dict(model.named_modules())
    parameters: Any = tree_flatten(model.trainable_parameters())
    mx.random.seed(7)
    model.load_weights([(name, 0.02 * mx.random.normal(weight.shape)) for name, weight in parameters], strict=False)
    model.eval()
    paths = [name.removesuffix(".lora_a") for name, _ in parameters if name.endswith(".lora_a")]
    arrays = {
        f"base_model.model.{name_in_transformers(path)}.lora_{kind.upper()}.weight": modules[path][f"lora_{kind}"].T
        for path in paths
        for kind in "ab"
    }
    mx.save_safetensors(str(adapter / WEIGHTS), arrays, metadata={"format": "pt"})
    targets = sorted({path.rpartition(".")[2] for path in paths})
    config = peft_config(str(base), rank=RANK, scale=SCALE, targets=targets, is_dora=False)
    (adapter / CONFIG).write_text(json.dumps(config), encoding="utf-8")

    batch = make_batch(preferences, longest)
    ways: dict[str, Any] = {}
    if fit.is_fit(model):
        from pipeline.training.cpu.gradients import WrittenOut

        ways["written_out"] = lambda method: WrittenOut(model, method)
    ways["graph"] = lambda method: ByGraph(model, preference_loss(method))
    bare, _ = load_model(base)
    add_adapter(bare, configuration("best", values))
    bare.eval()
    prepare(bare, make_batch([preferences[0].chosen], longest))
    batch.reference[:] = ByGraph(bare, preference_loss(objective(configuration("best")))).row_logps(batch).logps
    found: dict[str, Found] = {method: {} for method in METHODS}
    for way, make in ways.items():
        if way == "graph":
            prepare(model, make_batch([preferences[0].chosen], longest))
        for method in METHODS:
            run = make(objective(configuration("best", {"method": method, "beta": BETA})))
            loss, gradients = run(batch, 0)
            flat: Any = tree_flatten(gradients)
            found[method][way] = (loss.item(), {name: np.array(value) for name, value in flat})
    return [(row.tokens, row.start) for one in preferences for row in one.rows], found


def in_torch(rows: list[tuple[list[int], int]], base: Path, adapter: Path) -> Found:
    """TRL's loss and gradients for each method."""
    python = peer_python("torch", "transformers", "peft", "trl", "datasets")
    with tempfile.TemporaryDirectory(prefix="sitetwin-") as folder:
        out = Path(folder) / "found.npz"
        task = {"rows": rows, "base": str(base), "adapter": str(adapter), "out": str(out), "folder": folder,
                "beta": BETA}  # fmt: skip
        subprocess.run(
            [str(python), "-c", THEIRS], input=json.dumps(task), text=True, check=True, stdout=sys.stderr,
            env=os.environ | {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""},
        )  # fmt: skip
        found: Found = {}
        with np.load(out) as arrays:
            for method in METHODS:
                gradients = {
                    _name_in_mlx(name.partition(" ")[2]): arrays[name].T
                    for name in arrays.files
                    if name.startswith(f"{method} ") and name != f"{method} loss"
                }
                found[method] = (float(arrays[f"{method} loss"]), gradients)
        return found


def _name_in_mlx(name: str) -> str:
    """`base_model.model.model.layers.0.mlp.up_proj.lora_A.default.weight` -> `model.layers.0.mlp.up_proj.lora_a`."""
    path, _, kind = name.removeprefix("base_model.model.").removesuffix(".default.weight").rpartition(".")
    return f"{path}.{kind.lower()}"


def difference(ours: tuple[float, Gradients], theirs: tuple[float, Gradients]) -> float:
    """The length of the difference of the gradients over theirs, or the difference of the losses over theirs if that is more.

    Raises:
        ValueError: the two have gradients of other matrices.
    """
    if ours[1].keys() != theirs[1].keys():
        raise ValueError(f"other matrices: {sorted(ours[1].keys() ^ theirs[1].keys())[:3]}")
    apart, length = (
        sum(float((gradient**2).sum()) for gradient in gradients) ** 0.5
        for gradients in ([ours[1][name] - gradient for name, gradient in theirs[1].items()], theirs[1].values())
    )
    return float(max(apart / length, abs(ours[0] - theirs[0]) / abs(theirs[0])))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Only the figures, as JSON.")
def main(as_json: bool) -> None:
    """Whether DPO and ORPO have TRL's loss and gradients."""
    base = demo.chat_model()
    with tempfile.TemporaryDirectory(prefix="sitetwin-") as folder:
        rows, ours = in_mlx(base, Path(folder))
        try:
            theirs = in_torch(rows, base, Path(folder))
        except (subprocess.CalledProcessError, OSError) as error:
            sys.exit(f"TRL can't be installed or run here: {error}")
    differences = {
        f"difference_{method}_{way}": difference(found, theirs[method])
        for method, ways in ours.items()
        for way, found in ways.items()
    }
    figures = {
        "ratio": BOUND / max(differences.values()),
        **differences,
        **{f"loss_{method}": theirs[method][0] for method in METHODS},
        "matrices": len(theirs["dpo"][1]),
    }
    click.echo(render("DPO and ORPO beside TRL; ratio: 1e-3 over the largest difference", figures, as_json=as_json))


if __name__ == "__main__":
    main()
