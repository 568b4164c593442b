"""Shows a benchmark's figures as a short table or one JSON document."""

import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path

Figures = Mapping[str, float | int | str | None]


def machine() -> str:
    """This machine, e.g. `Intel(R) Xeon(R) Processor, 2 cores, Linux x86_64, Python 3.11.7`."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = names[0] if names else platform.processor() or platform.machine()
    system = f"{platform.system()} {platform.machine()}"
    return f"{processor}, {os.cpu_count()} cores, {system}, Python {platform.python_version()}"


def render(title: str, figures: Figures, *, as_json: bool) -> str:
    """The report of one benchmark.

    Args:
        title: what was measured, in one line; left out of the JSON.
        figures: values by name; a name ends with the unit (`prefill_tokens_per_second`), the main one is `ratio`. None:
            not measured.
        as_json: give one JSON document and nothing else.
    """
    if as_json:
        return json.dumps({"machine": machine(), **figures}, indent=2)
    width = max(map(len, figures))
    rows = [f"  {name.replace('_', ' '):<{width}}  {_shown(value)}" for name, value in figures.items()]
    return "\n".join([title, f"  on {machine()}", *rows])


def _shown(value: float | int | str | None) -> str:
    if value is None:
        return "not measured"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return str(value)
