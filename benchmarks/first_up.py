"""The time from `sitetwin up` to the first whole answer in the chat, with everything cached.

    python -m benchmarks.first_up [--rounds 3] [--json]

A newcomer's site is started once, so that weights, index, flows and byte code are there. Then it is started anew in each
round, and a visitor asks until an answer comes. `ratio` is the seconds until all parts are ready divided by the seconds
until the answer: without Langflow's start in the way it is above 1.
"""

import statistics
import time

import click
import httpx

from benchmarks.report import render
from benchmarks.running import newcomers_folder, running_site, starting_site

QUESTION = "Which port does the gateway listen on?"
SECONDS = 240


def answered(visitor: httpx.Client, url: str) -> bool:
    """Whether a visitor's question gets a whole answer now."""
    try:
        response = visitor.post(f"{url}/api/chat", json={"question": QUESTION})
    except httpx.TransportError:
        return False
    return response.is_success and "event: answer" in response.text


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Only the figures.")
def main(rounds: int, as_json: bool) -> None:
    """Measure the time from `sitetwin up` to the first answer."""
    first, whole = [], []
    # A client made anew for each question would take a fifth of a core from the site.
    with newcomers_folder() as root, httpx.Client(timeout=60, trust_env=False) as visitor:
        variables = {
            "SITETWIN_GATEWAY__QUESTIONS_PER_MINUTE": "1000",
            # Also where the environment keeps Python from writing byte code.
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": str(root / "byte code"),
        }
        with running_site(root, variables):
            pass
        for _ in range(rounds):
            started = time.perf_counter()
            with starting_site(root, variables) as (url, ready):
                while not answered(visitor, url):
                    if time.perf_counter() - started > SECONDS:
                        raise TimeoutError(f"no answer at {url} after {SECONDS} s")
                    time.sleep(0.05)
                first.append(time.perf_counter() - started)
                ready.wait(SECONDS)
                whole.append(time.perf_counter() - started)
    figures = {
        "first_answer_s": round(statistics.median(first), 2),
        "all_ready_s": round(statistics.median(whole), 2),
        "ratio": round(statistics.median(whole) / statistics.median(first), 2),
    }
    click.echo(render("Time from `sitetwin up` to the first answer", figures, as_json=as_json))


if __name__ == "__main__":
    main()
