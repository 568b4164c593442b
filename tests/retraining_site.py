"""A site of six guides with a tiny chat model, for jobs in the background; what they leave running can be ended."""

import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from pipeline.jobs.retraining.job import RetrainingJob, read_job
from pipeline.processes import engine
from pipeline.settings import Settings, load_settings

SMALL = {
    "batch_size": 2, "iters": 8, "steps_per_report": 4, "steps_per_eval": 4, "save_every": 2, "learning_rate": 0.001,
    "patience": 0, "max_seq_length": 2048, "grad_checkpoint": False, "lora_parameters": {"rank": 4},
}  # fmt: skip

GUIDES = ("astro", "mac", "mcp", "obsidian", "persona", "visibility")

TOML = """
[[content]]
path = "notes"
visibility = "public"
[models]
chat = {base}
[engine]
threads = 1
[retrieval]
mode = "keyword"
[dataset]
held_out = 0.5
kinds = ["fact"]
pairs_per_chunk = 2
stages = ["score", "length", "form"]
[chat]
max_tokens = 12
"""


def make_site(root: Path, base: Path) -> Settings:
    """Six guides as notes, and nothing made of them."""
    (root / "notes").mkdir()
    for name in GUIDES:
        shutil.copy(Path(__file__).parents[1] / "docs" / f"{name}.md", root / "notes")
    file = root / "sitetwin.toml"
    file.write_text(TOML.format(base=json.dumps(str(base))), encoding="utf-8")
    return load_settings(file)


def end_processes(settings: Settings) -> None:
    job = read_job(settings)
    if job and job.state == "running" and job.pid != os.getpid():
        psutil.Process(job.pid).kill()
    service = engine.service(settings)
    if endpoint := service.find():
        service.stop(endpoint)


def until(settings: Settings, holds: Callable[[RetrainingJob], bool], seconds: float = 120) -> RetrainingJob:
    """The job as soon as `holds` it."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while time.monotonic() < deadline:
        job = read_job(settings)
        if job and holds(job):
            return job
        pause.wait(0.02)
    raise AssertionError(f"not within {seconds} s: {read_job(settings)}")
