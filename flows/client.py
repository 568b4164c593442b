"""Asks a Langflow flow over HTTP, as the gateway does."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import httpx

from flows.events import RunReader, one_line
from pipeline.chat import Answer
from pipeline.errors import ServiceError

CONNECT_SECONDS = 5
VISITOR_HEADER = "x-sitetwin-visitor"
"""Says that nothing private may be opened for this request."""
SILENCE_SECONDS = 300
"""Longest wait in seconds for the next event. The first question may load the model."""


async def run_flow(
    base_url: str,
    api_key: str,
    flow: str,
    question: str,
    session_id: str,
    *,
    http: httpx.AsyncClient | None = None,
) -> AsyncGenerator[str | Answer, None]:
    """Yields pieces of the answer's text as they come, then one `Answer`.

    The answer of a flow without a Cited Answer node has no citations. Closing the iterator early ends the run and the
    model's work on the server.

    Args:
        flow: endpoint name or id.
        session_id: names the conversation; Langflow keeps its history under it.
        http: a client to share; it is not closed.

    Raises:
        ServiceError: Langflow can't be reached, does not know the flow, or the flow fails.
    """
    if http is None:
        async with (
            httpx.AsyncClient(trust_env=False) as own,
            aclosing(run_flow(base_url, api_key, flow, question, session_id, http=own)) as pieces,
        ):
            async for piece in pieces:
                yield piece
        return
    reader = RunReader(question, flow)
    request = http.build_request(
        "POST",
        f"{base_url}/api/v1/run/{flow}",
        params={"stream": "true"},
        headers={"x-api-key": api_key, VISITOR_HEADER: "1"},
        json={"input_value": question, "input_type": "chat", "output_type": "chat", "session_id": session_id},
        timeout=httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS),
    )
    try:
        response = await http.send(request, stream=True)
        try:
            if response.is_error:
                raise ServiceError(_refusal(response, (await response.aread()).decode("utf-8", "replace"), flow))
            async for line in response.aiter_lines():
                for piece in reader.feed(line):
                    yield piece
        finally:
            await response.aclose()
    except httpx.TimeoutException:
        raise ServiceError(f"Langflow at {base_url} was silent for too long: see its log, then ask again") from None
    except httpx.TransportError as error:
        raise ServiceError(
            f"Langflow at {base_url} broke off or is not there ({error or type(error).__name__}): run `sitetwin up`"
        ) from None
    yield reader.answer()


def _refusal(response: httpx.Response, body: str, flow: str) -> str:
    if response.status_code == httpx.codes.NOT_FOUND:
        return f"Langflow has no flow {flow!r}: restart `sitetwin up`, which adds it, or set langflow.flow"
    if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return "Langflow refused the key: restart `sitetwin up`, so that both have the same one"
    return one_line(f"status {response.status_code} {body[:200]}".replace(":", " "), flow)
