"""The shipped flows run by `lfx` alone, as in an environment without Langflow's server and editor."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from flows.builder import RAG_CHAT_ID
from flows.files import SHIPPED
from pipeline.processes.endpoint import free_port
from pipeline.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

QUESTION = "How long does the dough rise?"
LFX = "import sys; sys.modules['langflow'] = None; from lfx.__main__ import main; main()"
"""The command `lfx`, for which Langflow is not installed. It takes an editable installation such as this one for none, so
it must not check dependencies."""
KEY = "sk-of-the-test"


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", LFX, *arguments]


def environment(site: Settings) -> dict[str, str]:
    return {**os.environ, "SITETWIN_CONFIG": str(site.file), "DO_NOT_TRACK": "true", "LANGFLOW_API_KEY": KEY}


def test_lfx_run_answers_with_the_source(site: Settings) -> None:
    ran = subprocess.run(
        command("run", "--no-check-dependencies", str(SHIPPED / "rag_chat.json"), QUESTION),
        env=environment(site), cwd=site.root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    result = json.loads(ran.stdout)["result"]
    assert "two hours" in result
    assert "/notes/bread#first-rise" in result


@pytest.fixture
def served(site: Settings) -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen(
        command("serve", str(SHIPPED), "--port", str(port)),
        env=environment(site), cwd=site.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=9), timeout=60) as client:
            client.get(f"{url}/health").raise_for_status()
        yield url
    finally:
        process.terminate()
        process.wait(30)


def test_lfx_serve_answers_whoever_has_the_key(served: str) -> None:
    with httpx.Client(base_url=served, timeout=120) as client:
        assert client.get("/flows").status_code == httpx.codes.UNAUTHORIZED
        client.headers["x-api-key"] = KEY
        assert {flow["title"] for flow in client.get("/flows").json()} >= {"rag_chat", "lora_chat", "hybrid_chat"}
        answer = client.post(f"/flows/{RAG_CHAT_ID}/run", json={"input_value": QUESTION}).raise_for_status().json()
    assert "two hours" in answer["result"]
