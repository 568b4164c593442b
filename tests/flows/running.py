"""A real Langflow of a site, for as long as a test needs it."""

import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from flows import server
from pipeline.settings import Settings


@contextmanager
def running(site: Settings, log: Path) -> Iterator[httpx.Client]:
    """A healthy Langflow without flows, and a client of its API. What it says is added to `log`."""
    with warnings.catch_warnings():
        # Langflow's dependencies warn while they are imported, by whichever test does it first.
        warnings.simplefilter("ignore")
        import langflow.utils.flow_secrets  # noqa: F401
    with log.open("ab") as output:
        process = subprocess.Popen(
            server.command(site), env=server.environment(site), stdout=output, stderr=output, cwd=log.parent
        )
    try:
        server.wait_healthy(server.base_url(site))
        headers = {"x-api-key": server.credentials(site).api_key}
        with httpx.Client(base_url=server.base_url(site), headers=headers, timeout=120, trust_env=False) as client:
            yield client
    finally:
        process.terminate()
        process.wait(60)
