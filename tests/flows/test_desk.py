"""The guard of the editor in front of an application that logs in as Langflow does."""

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from flows.credentials import Credentials, load_credentials
from flows.desk import OPEN_PATH, Desk
from flows.guard import DeskGuard

BASE = "http://127.0.0.1:7860"
HELP = "http://127.0.0.1:8765/sitetwin/help"


class Langflow:
    """Answers whoever is let through."""

    def __init__(self, secrets: Credentials) -> None:
        self._secrets = secrets

    async def login(self, request: Request) -> Response:
        form = (await request.body()).decode()
        if f"password={self._secrets.password}" not in form:
            return PlainTextResponse("no", status_code=401)
        response = PlainTextResponse("in")
        response.set_cookie("refresh_token_lf", "session", path="/")
        return response

    async def page(self, request: Request) -> Response:
        return PlainTextResponse(f"editor {request.cookies.get('refresh_token_lf', '')}".strip())

    async def socket(self, websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("editor")
        await websocket.close()

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/api/v1/login", self.login, methods=["POST"]),
                WebSocketRoute("/ws", self.socket),
                Route("/{path:path}", self.page, methods=["GET", "POST"]),
            ]
        )


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, load_credentials(tmp_path))


@pytest.fixture
def client(desk: Desk) -> TestClient:
    return TestClient(DeskGuard(Langflow(desk.credentials).app(), desk, BASE, HELP), base_url=BASE)


@pytest.mark.parametrize("path", ["/", "/api/v1/flows/", "/api/v1/auto_login", "/health/../api/v1/flows/", OPEN_PATH])
def test_without_key_or_cookie_nothing_is_answered(client: TestClient, path: str) -> None:
    for headers in ({}, {"x-api-key": "sk-guessed"}, {"cookie": "sitetwin_desk=guessed"}):
        refused = client.get(path, headers=headers)
        assert refused.status_code == 401
        assert "sitetwin flows open" in refused.text


def test_health_is_no_secret_and_the_key_is_enough(client: TestClient, desk: Desk) -> None:
    assert client.get("/health").text == "editor"
    assert client.post("/health").status_code == 401
    assert client.post("/api/v1/run/x", headers={"x-api-key": desk.credentials.api_key}).text == "editor"


def test_a_link_opens_the_editor_once_and_its_address_is_not_kept(client: TestClient, desk: Desk) -> None:
    link = desk.new_link(BASE)
    first = client.get(link, follow_redirects=False)
    assert (first.status_code, first.headers["location"]) == (303, "/")
    assert "HttpOnly" in first.headers["set-cookie"]
    assert "SameSite=strict" in first.headers["set-cookie"]
    assert client.get("/").text == "editor session"
    client.cookies.clear()
    assert client.get(link).status_code == 401


def test_links_of_an_earlier_start_are_forgotten(client: TestClient, desk: Desk) -> None:
    link = desk.new_link(BASE)
    desk.forget_links()
    assert client.get(link).status_code == 401


def test_a_session_that_ran_out_is_made_anew_for_a_page_alone(client: TestClient, desk: Desk) -> None:
    client.cookies.set("sitetwin_desk", desk.cookie)
    assert client.get("/api/v1/flows/").text == "editor"
    again = client.get(f"{BASE}//flow/x?a=1", headers={"accept": "text/html"}, follow_redirects=False)
    assert (again.status_code, again.headers["location"]) == (303, "/flow/x?a=1")


def test_a_password_that_langflow_does_not_take_is_said(desk: Desk) -> None:
    other = desk.credentials.model_copy(update={"password": "changed"})
    client = TestClient(DeskGuard(Langflow(other).app(), desk, BASE, HELP), base_url=BASE)
    refused = client.get(desk.new_link(BASE))
    assert refused.status_code == 502
    assert "delete .sitetwin/langflow" in refused.text


def test_sockets_need_the_cookie_too(client: TestClient, desk: Desk) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("ws://127.0.0.1:7860/ws"):
        pass
    client.cookies.set("sitetwin_desk", desk.cookie)
    with client.websocket_connect("ws://127.0.0.1:7860/ws") as websocket:
        assert websocket.receive_text() == "editor"


def test_no_secret_is_in_a_links_file(desk: Desk, tmp_path: Path) -> None:
    token = desk.new_link(BASE).partition("key=")[2]
    (file,) = (tmp_path / "links").iterdir()
    assert token not in file.name
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_components_documentation_lies_on_the_gateway(client: TestClient, desk: Desk) -> None:
    assert client.get("/sitetwin/help").status_code == 401
    client.cookies.set("sitetwin_desk", desk.cookie)
    answer = client.get("/sitetwin/help", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, HELP)
