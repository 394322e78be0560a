"""How the dashboard's page and files are served."""

import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from heliostat_api.app.pages import accepts, add_pages
from heliostat_api.web.problems import add_problems

PAGE = '<script nonce="__CSP_NONCE__"></script><style nonce="__CSP_NONCE__"></style>'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "favicon.svg").write_text("<svg/>")
    for suffix, text in {"": "plain", ".br": "brotli", ".gz": "gzip"}.items():
        (tmp_path / "assets" / f"app-1a2b.js{suffix}").write_text(text)
    return tmp_path


@pytest.fixture
def client(folder: Path) -> TestClient:
    app = FastAPI()
    add_problems(app)
    app.add_api_route("/api/things", lambda: "things")
    add_pages(app, folder)
    return TestClient(app)


@pytest.mark.parametrize(
    "path",
    ["/", "/static/dashboard.html", "/index.html", "/executions", "/agents/42", "/a/b/c"],
)
def test_every_address_of_the_application_is_its_page(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"


def test_every_answer_has_a_nonce_of_its_own(client: TestClient) -> None:
    seen = set()
    for _ in range(3):
        answer = client.get("/")
        nonces = set(re.findall(r'nonce="([^"]+)"', answer.text))
        policy = set(re.findall(r"'nonce-([^']+)'", answer.headers["content-security-policy"]))
        assert nonces == policy
        seen |= nonces
    assert len(seen) == 3
    assert all(len(nonce) >= 22 for nonce in seen)


def test_the_policy_allows_nothing_inline(client: TestClient) -> None:
    policy = client.get("/").headers["content-security-policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none';")
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize("path", ["/", "/assets/app-1a2b.js", "/favicon.svg"])
def test_no_answer_is_guessed_at_or_told_of_elsewhere(client: TestClient, path: str) -> None:
    headers = client.get(path, headers={"Accept-Encoding": "identity"}).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("accepted", "encoding", "text"),
    [
        ("gzip, deflate, br", "br", "brotli"),
        ("gzip", "gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip", "gzip"),
        ("identity", None, "plain"),
        ("", None, "plain"),
    ],
)
def test_a_file_comes_in_the_smallest_form_that_is_taken(
    client: TestClient, accepted: str, encoding: str | None, text: str
) -> None:
    request = client.stream("GET", "/assets/app-1a2b.js", headers={"Accept-Encoding": accepted})
    with request as answer:
        assert b"".join(answer.iter_raw()) == text.encode()
        assert answer.headers.get("content-encoding") == encoding
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.headers["content-type"].startswith("text/javascript")


def test_only_files_with_a_hash_in_their_name_are_kept_for_ever(client: TestClient) -> None:
    hashed = client.get("/assets/app-1a2b.js", headers={"Accept-Encoding": "identity"})
    assert hashed.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert client.get("/favicon.svg").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["/assets/gone.js", "/secret.txt", "/..%2f..%2fpages.py", "/assets/../../pages.py"]
)
def test_a_file_that_is_not_there_is_not_found(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/things", 200),
        ("GET", "/api/nothing", 404),
        ("POST", "/api/things", 405),
        ("PUT", "/ingest/v1/nothing", 404),
        ("POST", "/executions", 404),
        ("GET", "/agent/nothing", 404),
    ],
)
def test_the_api_answers_for_itself(
    client: TestClient, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"].endswith("json")


def test_without_a_build_the_remedy_is_said(folder: Path, client: TestClient) -> None:
    (folder / "index.html").unlink()
    answer = client.get("/")
    assert answer.status_code == 503
    assert "make setup" in answer.text


def test_a_new_build_is_served_without_a_restart(folder: Path, client: TestClient) -> None:
    assert client.get("/assets/new-3c4d.css").status_code == 404
    (folder / "assets" / "new-3c4d.css").write_text("new")
    (folder / "index.html").write_text("a new page")
    assert client.get("/").text == "a new page"
    assert client.get("/assets/new-3c4d.css").text == "new"


@pytest.mark.parametrize(
    ("header", "is_accepted"),
    [
        ("br", True),
        ("gzip, br", True),
        ("BR", True),
        ("br; q=0.1", True),
        ("br;q=0", False),
        ("br; q=0.000", False),
        ("brotli", False),
        ("", False),
    ],
)
def test_an_encoding_is_taken_unless_it_is_refused(header: str, is_accepted: bool) -> None:
    assert accepts(header, "br") is is_accepted
