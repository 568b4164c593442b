"""Trains a LoRA with TRL on the rows beside this file.

    pip install trl peft
    python train.py BASE [--out adapter] [--steps N] [--learning-rate 1e-5]

BASE is the model's folder or its name on the hub: the one that `models.chat` names, unquantised. Then, where sitetwin is:

    sitetwin adapters import adapter --name from-the-gpu
"""

import argparse
from pathlib import Path

import torch
from datasets import load_dataset
from peft import LoraConfig
from trl import SFTConfig, SFTTrainer

HERE = Path(__file__).resolve().parent

parser = argparse.ArgumentParser()
parser.add_argument("base")
parser.add_argument("--out", default="adapter")
parser.add_argument("--steps", type=int, default=-1, help="Steps instead of three epochs.")
parser.add_argument("--learning-rate", type=float, default=1e-5)
given = parser.parse_args()

rows = load_dataset("json", data_files={name: str(HERE / f"{name}.jsonl") for name in ("train", "valid")})
trainer = SFTTrainer(
    model=given.base,
    args=SFTConfig(
        output_dir=given.out,
        num_train_epochs=3,
        max_steps=given.steps,
        per_device_train_batch_size=2,
        learning_rate=given.learning_rate,
        lr_scheduler_type="constant",
        max_length=2048,
        bf16=torch.cuda.is_available() and torch.cuda.is_bf16_supported(),
        seed=0,
        eval_strategy="epoch",
        save_strategy="no",
        report_to="none",
    ),
    train_dataset=rows["train"],
    eval_dataset=rows["valid"],
    peft_config=LoraConfig(
        task_type="CAUSAL_LM",
        r=16,
        lora_alpha=32,
        lora_dropout=0.05,
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    ),
)
trainer.train()
trainer.save_model(given.out)
