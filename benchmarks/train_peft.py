"""The PEFT side of benchmarks.train: LoRA in a plain loop. It runs in the environment that has torch.

For each JSON line, a list of batches of [tokens, start of the answer], it prints the seconds and the losses.
"""

import json
import sys
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

folder, attention, rank, scale, dropout, rate, keys = json.loads(sys.argv[1])
torch.manual_seed(0)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation=attention)
model = get_peft_model(
    model, LoraConfig(r=rank, lora_alpha=rank * scale, lora_dropout=dropout, target_modules=keys, task_type="CAUSAL_LM")
)
model.config.use_cache = False
model.train()
optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=rate, fused=True)


def step(rows: list[tuple[list[int], int]]) -> float:
    """Trains on one batch and returns the loss."""
    longest = max(len(tokens) for tokens, _ in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    seen, labels = torch.zeros_like(ids), torch.full_like(ids, -100)
    for place, (tokens, start) in enumerate(rows):
        ids[place, : len(tokens)] = torch.tensor(tokens)
        seen[place, : len(tokens)] = 1
        labels[place, start : len(tokens)] = torch.tensor(tokens[start:])
    loss = model(input_ids=ids, attention_mask=seen, labels=labels).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return float(loss.item())


for line in sys.stdin:
    batches = json.loads(line)
    started = time.perf_counter()
    losses = [step(rows) for rows in batches]
    print(json.dumps([time.perf_counter() - started, losses]), flush=True)
