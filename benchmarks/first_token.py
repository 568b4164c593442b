"""The time to the first word through each layer: engine, pipeline, command line, MCP, Langflow, gateway.

    python -m benchmarks.first_token [--rounds 3] [--json]

Every layer answers the same questions from docs/ with the same model. None of them quotes, so each first word comes from
the model. The engine has cached each prompt, as in a conversation, so the rest is the time that a layer adds. `ratio` is
the gateway's median divided by the engine's.
"""

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from uuid import uuid4

import click
import httpx
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from benchmarks.report import render
from benchmarks.running import Site, newcomers_folder, running_site
from flows import server as langflow
from flows.client import run_flow
from pipeline import site as wired
from pipeline.chat.prompt import grounded_messages
from pipeline.processes import engine

QUESTIONS = (
    "Which port does the gateway listen on?",
    "Where are the log files?",
    "How many questions may a visitor ask a minute?",
)
Layer = Callable[[Site, str], Awaitable[float]]


def first_of(pieces: Iterator[object], started: float) -> float:
    """Seconds from `started` to the first piece. The rest is read too, so that it does not disturb the next layer."""
    next(pieces)
    took = time.perf_counter() - started
    for _ in pieces:
        pass
    return took


async def first_of_engine(site: Site, question: str) -> float:
    """Seconds to the first token of the engine's answer to the whole prompt."""
    settings = site.settings
    with wired.Site(settings).index() as index:
        passages = index.search(question, visibility="public").passages
    client = engine.connect(settings)
    messages = grounded_messages(question, passages, [], settings.persona)
    return first_of(client.generate(messages, max_tokens=settings.chat.max_tokens), time.perf_counter())


async def first_of_pipeline(site: Site, question: str) -> float:
    """Seconds to the first token, retrieval included."""
    return first_of(wired.Site(site.settings).assistant.ask(question, visibility="public"), time.perf_counter())


async def first_of_command_line(site: Site, question: str) -> float:
    """Seconds to the first byte that `sitetwin ask` prints, its start included."""
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", "ask", question], env=site.environment, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        assert process.stdout is not None
        return first_of(iter(lambda: process.stdout.read(1) or None, None), started)  # type: ignore[union-attr]


async def first_of_mcp(site: Site, question: str) -> float:
    """Seconds to the first progress message of the MCP tool `ask`."""
    server = StdioServerParameters(command=sys.executable, args=["-m", "pipeline", "mcp"], env=site.environment)
    first: list[float] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        first.append(time.perf_counter())

    async with stdio_client(server) as streams, ClientSession(*streams) as session:
        await session.initialize()
        # An agent's server runs for hours, so its imports are not counted.
        await session.call_tool("search", {"query": question})
        started = time.perf_counter()
        await session.call_tool("ask", {"question": question}, progress_callback=note)
    return first[0] - started


async def first_of_langflow(site: Site, question: str) -> float:
    """Seconds to the first token of a run of the flow."""
    url, key = langflow.base_url(site.settings), langflow.credentials(site.settings).api_key
    pieces = run_flow(url, key, site.settings.langflow.flow, question, str(uuid4()))
    started = time.perf_counter()
    await anext(pieces)
    took = time.perf_counter() - started
    async for _ in pieces:
        pass
    return took


async def first_of_gateway(site: Site, question: str) -> float:
    """Seconds to the first token event of the gateway."""
    started = time.perf_counter()
    tokens: list[float] = []
    async with (
        httpx.AsyncClient(timeout=120, trust_env=False) as http,
        http.stream("POST", f"{site.url}/api/chat", json={"question": question}) as response,
    ):
        response.raise_for_status()
        async for line in response.aiter_lines():
            if line.startswith("event: token"):
                tokens.append(time.perf_counter())
    return tokens[0] - started


LAYERS: dict[str, Layer] = {
    "engine": first_of_engine,
    "pipeline": first_of_pipeline,
    "command_line": first_of_command_line,
    "mcp": first_of_mcp,
    "langflow": first_of_langflow,
    "gateway": first_of_gateway,
}


async def measure(site: Site, rounds: int) -> dict[str, list[float]]:
    """Seconds to the first token of each layer. The layers take turns, so that a slow moment affects all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in LAYERS}
    for round_ in range(rounds + 1):
        for question in QUESTIONS:
            for name, first in LAYERS.items():
                took = await first(site, question)
                # The first round fills the engine's prompt cache, which all layers share. It is not counted.
                if round_ > 0:
                    seconds[name].append(took)
    return seconds


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Only the figures.")
def main(rounds: int, as_json: bool) -> None:
    """Measure the time to the first token through every layer."""
    variables = {
        "SITETWIN_CHAT__QUOTE_FIRST": "false",
        "SITETWIN_CHAT__DECLINE_BELOW": "0",
        "SITETWIN_CHAT__MAX_TOKENS": "8",
        "SITETWIN_GATEWAY__QUESTIONS_PER_MINUTE": "1000",
    }
    with newcomers_folder() as root, running_site(root, variables) as site:
        seconds = asyncio.run(measure(site, rounds))
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    figures = {
        **{f"{name}_first_token_ms": round(value * 1000) for name, value in medians.items()},
        **{f"{name}_adds_ms": round((value - medians["engine"]) * 1000) for name, value in medians.items()},
        "ratio": round(medians["gateway"] / medians["engine"], 2),
    }
    click.echo(render("Time to the first token; ratio: gateway over engine", figures, as_json=as_json))


if __name__ == "__main__":
    main()
