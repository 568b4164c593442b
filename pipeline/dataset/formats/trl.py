"""The format of TRL and Unsloth, each with the script that trains on it where the GPU is.

A row is a question with its answer in TRL's form of prompt and completion, so that only the answer is learnt, whatever the
model's template. The scripts train with the values of the preset `best`.
"""

from pathlib import Path

from pipeline.dataset.export import ROW_FILES, Format, OpenAIRow

SCRIPTS = Path(__file__).parent / "scripts"


def prompt_and_completion(row: OpenAIRow) -> dict[str, list[dict[str, str]]]:
    """`{"prompt": [system, user], "completion": [assistant]}`."""
    return {"prompt": row["messages"][:-1], "completion": row["messages"][-1:]}


TRL = Format(ROW_FILES, row=prompt_and_completion, beside={"train.py": SCRIPTS / "train_trl.py"})
UNSLOTH = Format(ROW_FILES, row=prompt_and_completion, beside={"train.py": SCRIPTS / "train_unsloth.py"})
