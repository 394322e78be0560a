"""Foreign hosts, foreign origins and foreign pages: refused before any endpoint."""

from collections.abc import Mapping, Sequence

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from heliostat_api.web.guards import Guard, host_name, origin_of

BEHIND_PROXY = {"x-goog-iap-jwt-assertion": "a.b.c"}
METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PURGE"]


async def say_yes(_: object) -> PlainTextResponse:
    return PlainTextResponse("yes")


async def accept(socket: WebSocket) -> None:
    await socket.accept()
    await socket.close()


def browser(
    url: str = "http://localhost:8080", hosts: Sequence[str] = (), public_url: str = ""
) -> TestClient:
    routes = [
        Route("/thing", say_yes, methods=METHODS),
        Route("/ingest/v1", say_yes, methods=["POST"]),
        Route("/healthz", say_yes),
        WebSocketRoute("/workspace", accept),
    ]
    app = Starlette(routes=routes)
    app.add_middleware(Guard, hosts=hosts, public_url=public_url)
    return TestClient(app, base_url=url)


def post(url: str, headers: Mapping[str, str], public_url: str = "") -> int:
    with browser(url, public_url=public_url) as client:
        return client.post("/thing", headers=dict(headers)).status_code


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("127.0.0.1:8080", "127.0.0.1"),
        ("localhost", "localhost"),
        ("LOCALHOST:8080", "localhost"),
        ("[::1]:8080", "[::1]"),
        ("[::1]", "[::1]"),
        ("[::1", ""),
        ("[::1]evil.example", ""),
        ("[::1]:8080:1", ""),
        ("", ""),
        ("evil.example:8080", "evil.example"),
        ("localhost.evil.example", "localhost.evil.example"),
        ("localhost@evil.example", ""),
    ],
)
def test_a_host_is_known_by_its_name(host: str, name: str) -> None:
    assert host_name(host) == name


@pytest.mark.parametrize(
    ("scheme", "host", "origin"),
    [
        ("http", "a.example", "http://a.example"),
        ("http", "a.example:80", "http://a.example"),
        ("https", "A.example:443", "https://a.example"),
        ("https", "a.example:80", "https://a.example:80"),
        ("http", "[::1]:80", "http://[::1]"),
        ("http", "[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_origin_is_written_as_browsers_do(scheme: str, host: str, origin: str) -> None:
    assert origin_of(scheme, host) == origin


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://localhost:8080", "cookie": "a=b"}, 200),
        ({"origin": "http://localhost:8080"}, 200),
        ({"origin": "http://evil.example", "cookie": "a=b"}, 403),
        ({"origin": "http://evil.example", "authorization": "Bearer key"}, 403),
        ({"origin": "http://localhost:8081"}, 403),
        ({"origin": "https://localhost:8080"}, 403),
        ({"origin": "http://localhost"}, 403),
        ({"origin": "http://localhost:8080.evil.example"}, 403),
        ({"origin": "http://evil@localhost:8080"}, 403),
        ({"origin": "http://localhost:8080/path"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "null", "authorization": "Bearer key"}, 403),
        ({"origin": ""}, 403),
        ({"cookie": "a=b"}, 403),
        ({"cookie": ""}, 403),
        ({"cookie": "a=b", "authorization": "Bearer key"}, 403),
        (BEHIND_PROXY, 403),
        ({**BEHIND_PROXY, "authorization": "Bearer key"}, 200),
        ({**BEHIND_PROXY, "authorization": "Basic YTpi"}, 403),
        ({**BEHIND_PROXY, "cookie": "a=b", "authorization": "Bearer key"}, 403),
        ({**BEHIND_PROXY, "origin": "null", "authorization": "Bearer key"}, 403),
        ({"authorization": "Bearer key"}, 200),
        ({}, 200),
    ],
    ids=str,
)
def test_a_write_comes_from_our_own_pages_or_from_a_program(
    headers: dict[str, str], status: int
) -> None:
    assert post("http://localhost:8080", headers) == status


def test_two_origins_are_none() -> None:
    with browser() as client:
        pair = [("origin", "http://localhost:8080"), ("origin", "http://evil.example")]
        assert client.post("/thing", headers=pair).status_code == 403


def test_the_schemes_own_port_may_be_left_out() -> None:
    assert post("https://a.example:443", {"origin": "https://a.example"}) == 200
    assert post("http://a.example", {"origin": "https://a.example"}) == 403


def test_behind_a_proxy_the_public_origin_is_our_own() -> None:
    for public_url in ("https://a.example", "https://A.example:443"):
        given = {"origin": "https://a.example"}
        assert post("http://10.0.0.7:8080", given, public_url) == 200
    assert post("http://10.0.0.7:8080", {"origin": "https://b.example"}, "https://a.example") == 403


def test_every_method_but_the_safe_ones_writes() -> None:
    with browser() as client:
        for method in METHODS:
            answer = client.request(method, "/thing", headers={"origin": "http://evil.example"})
            is_safe = method in ("GET", "HEAD", "OPTIONS")
            assert (method, answer.status_code) == (method, 200 if is_safe else 403)


@pytest.mark.parametrize(
    ("site", "mode", "dest", "method", "status"),
    [
        ("same-origin", "cors", "empty", "GET", 200),
        ("none", "navigate", "document", "GET", 200),
        ("cross-site", "navigate", "document", "GET", 200),
        ("same-site", "navigate", "document", "GET", 200),
        ("cross-site", "navigate", "iframe", "GET", 403),
        ("cross-site", "navigate", "object", "GET", 403),
        ("cross-site", "no-cors", "script", "GET", 403),
        ("cross-site", "no-cors", "image", "GET", 403),
        ("cross-site", "cors", "empty", "GET", 403),
        ("same-site", "cors", "empty", "GET", 403),
        ("cross-site", "no-cors", "empty", "HEAD", 403),
    ],
)
def test_a_foreign_page_may_lead_here_but_not_read(
    site: str, mode: str, dest: str, method: str, status: int
) -> None:
    headers = {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": dest}
    with browser() as client:
        assert client.request(method, "/thing", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8080", 200),
        ("LocalHost", 200),
        ("[::1]:8080", 200),
        ("evil.example:8080", 403),
        ("localhost.", 403),
        ("[::1", 403),
        ("[::1]evil.example", 403),
        ("", 403),
    ],
)
def test_only_its_own_names_are_answered(host: str, status: int) -> None:
    with browser(hosts=["localhost", "[::1]"]) as client:
        assert client.get("/thing", headers={"host": host}).status_code == status


def test_two_hosts_are_none() -> None:
    with browser(hosts=["localhost"]) as client:
        pair = [("host", "localhost"), ("host", "evil.example")]
        assert client.get("/thing", headers=pair).status_code == 403


def test_probes_and_deliveries_come_under_any_name() -> None:
    with browser("http://10.0.0.7:8080", hosts=["a.example"]) as client:
        assert client.get("/healthz").status_code == 200
        assert client.post("/ingest/v1").status_code == 200
        assert client.get("/thing").status_code == 403


@pytest.mark.parametrize(
    "headers", [{"origin": "http://evil.example"}, {"origin": "null"}, {"cookie": "a=b"}], ids=str
)
def test_a_foreign_page_opens_no_websocket(headers: dict[str, str]) -> None:
    with browser() as client, pytest.raises(WebSocketDisconnect) as refused:
        client.websocket_connect("/workspace", headers=headers).__enter__()
    assert refused.value.code == 1008


def test_our_own_page_and_a_program_open_a_websocket() -> None:
    with browser() as client:
        for headers in ({"origin": "http://localhost:8080", "cookie": "a=b"}, {}):
            with client.websocket_connect("ws://localhost:8080/workspace", headers=headers):
                pass


def test_under_tls_a_websocket_comes_from_the_secure_page() -> None:
    with browser("https://a.example") as client:
        given = {"origin": "https://a.example", "cookie": "a=b"}
        with client.websocket_connect("wss://a.example/workspace", headers=given):
            pass
        with pytest.raises(WebSocketDisconnect):
            client.websocket_connect(
                "wss://a.example/workspace", headers={"origin": "http://a.example"}
            ).__enter__()
