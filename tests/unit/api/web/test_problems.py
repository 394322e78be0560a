"""Problems that are raised where a WebSocket is served."""

import pytest
from fastapi import FastAPI, WebSocket
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.types import Message
from starlette.websockets import WebSocketDisconnect

from heliostat_api.web.problems import NotFoundProblem, add_problems

app = FastAPI()
add_problems(app)


@app.websocket("/before")
async def refuse_before(_: WebSocket) -> None:
    raise NotFoundProblem("workspace")


@app.websocket("/after")
async def refuse_after(socket: WebSocket) -> None:
    await socket.accept()
    raise NotFoundProblem("workspace")


@app.websocket("/closed")
async def refuse_when_closed(socket: WebSocket) -> None:
    await socket.accept()
    await socket.close(1008, "come again")
    raise NotFoundProblem("workspace")


def test_before_it_is_open_the_handshake_is_answered() -> None:
    with TestClient(app) as client, pytest.raises(WebSocketDenialResponse) as refused:
        client.websocket_connect("/before").__enter__()
    assert refused.value.status_code == 404
    assert refused.value.headers["content-type"] == "application/problem+json"


def test_once_it_is_open_it_is_closed_with_the_reason() -> None:
    with (
        TestClient(app) as client,
        client.websocket_connect("/after") as socket,
        pytest.raises(WebSocketDisconnect) as closed,
    ):
        socket.receive_text()
    assert closed.value.code == 1008
    assert closed.value.reason.startswith("There is no such workspace")


async def test_what_is_raised_after_its_end_is_told_to_nobody() -> None:
    sent: list[str] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message["type"])

    scope = {"type": "websocket", "path": "/closed", "headers": [], "query_string": b""}
    await app(scope, receive, send)
    assert sent == ["websocket.accept", "websocket.close"]
