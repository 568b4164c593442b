"""Trains a LoRA with Unsloth on the rows beside this file.

    pip install unsloth
    python train.py BASE [--out adapter] [--steps N] [--learning-rate 1e-5]

BASE is the model's folder or its name on the hub: the one that `models.chat` names, unquantised. Then, where sitetwin is:

    sitetwin adapters import adapter --name from-the-gpu
"""

import argparse
from pathlib import Path

from datasets import load_dataset
from transformers import DataCollatorForSeq2Seq, Trainer, TrainingArguments
from unsloth import FastLanguageModel  # first: it changes what the others do

HERE = Path(__file__).resolve().parent
MOST_TOKENS = 2048

parser = argparse.ArgumentParser()
parser.add_argument("base")
parser.add_argument("--out", default="adapter")
parser.add_argument("--steps", type=int, default=-1, help="Steps instead of three epochs.")
parser.add_argument("--learning-rate", type=float, default=1e-5)
given = parser.parse_args()

model, tokenizer = FastLanguageModel.from_pretrained(given.base, max_seq_length=MOST_TOKENS, load_in_4bit=False)
model = FastLanguageModel.get_peft_model(
    model,
    r=16,
    lora_alpha=32,
    lora_dropout=0.05,
    target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    random_state=0,
)


def tokens(row: dict) -> dict:
    """The row's tokens; those of the prompt have the label -100 and are not learnt."""
    prompt = tokenizer.apply_chat_template(row["prompt"], tokenize=False, add_generation_prompt=True)
    whole = tokenizer.apply_chat_template(row["prompt"] + row["completion"], tokenize=False)
    ids = tokenizer(whole, add_special_tokens=False, truncation=True, max_length=MOST_TOKENS)["input_ids"]
    masked = min(len(tokenizer(prompt, add_special_tokens=False)["input_ids"]), len(ids))
    return {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": [-100] * masked + ids[masked:]}


rows = load_dataset("json", data_files={name: str(HERE / f"{name}.jsonl") for name in ("train", "valid")})
rows = rows.map(tokens, remove_columns=["prompt", "completion"])
trainer = Trainer(
    model=model,
    args=TrainingArguments(
        output_dir=given.out,
        num_train_epochs=3,
        max_steps=given.steps,
        per_device_train_batch_size=2,
        learning_rate=given.learning_rate,
        lr_scheduler_type="constant",
        seed=0,
        eval_strategy="epoch",
        save_strategy="no",
        report_to="none",
    ),
    train_dataset=rows["train"],
    eval_dataset=rows["valid"],
    data_collator=DataCollatorForSeq2Seq(tokenizer, label_pad_token_id=-100),
)
trainer.train()
model.save_pretrained(given.out)
