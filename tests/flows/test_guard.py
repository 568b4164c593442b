import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from flows.guard import LoopbackGuard
from pipeline.processes.guard import own_hosts


async def page(request: Request) -> PlainTextResponse:
    return PlainTextResponse("editor")


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("editor")
    await websocket.close()


@pytest.fixture
def client() -> TestClient:
    inner = Starlette(routes=[Route("/", page, methods=["GET", "POST"]), WebSocketRoute("/ws", socket)])
    return TestClient(LoopbackGuard(inner, own_hosts(7860)), base_url="http://127.0.0.1:7860")


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost:7860", "LOCALHOST:7860", "[::1]:7860"])
def test_this_machine_gets_through(client: TestClient, host: str) -> None:
    response = client.get("/", headers={"host": host, "origin": f"http://{host}"})
    assert response.text == "editor"
    assert "frame-ancestors 'self'" in response.headers["content-security-policy"]


@pytest.mark.parametrize(
    "host", ["evil.example:7860", "127.0.0.1:8765", "127.0.0.1", "127.0.0.1.evil.example:7860", ""]
)
def test_a_rebound_name_does_not(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:8765", "null", "https://127.0.0.1:7860"])
def test_another_page_does_not(client: TestClient, origin: str) -> None:
    response = client.post("/", headers={"origin": origin})
    assert response.status_code == 403
    assert "editor by its own address" in response.text


def test_sockets_are_guarded_too(client: TestClient) -> None:
    with client.websocket_connect("ws://127.0.0.1:7860/ws", headers={"host": "127.0.0.1:7860"}) as websocket:
        assert websocket.receive_text() == "editor"
    headers = {"host": "127.0.0.1:7860", "origin": "https://evil.example"}
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("ws://127.0.0.1:7860/ws", headers=headers):
        pass
