"""The dashboard: its page, with a fresh nonce in each, and its files, as they were built.

`tools/dashboard.py` builds it into the folder `static`; compressed twins lie beside the files.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from heliostat_api.web.problems import NotFoundProblem

STATIC: Final = Path(__file__).parents[1] / "static"
RESERVED: Final = ("api", "agent", "auth", "ingest", "workspace", "metrics", "healthz", "readyz")
"""First parts of paths that are never pages: what is unknown there is not found."""
_INDEX = "index.html"
_OLD_ADDRESSES = {_INDEX, "static/dashboard.html"}
_NONCE = "__CSP_NONCE__"
_TWINS = {"br": ".br", "gzip": ".gz"}
_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_SHARED_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_FOR_EVER = "public, max-age=31536000, immutable"
_NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Heliostat</title>
<h1>The dashboard is not built</h1>
<p>This server has no pages yet. Run <code>make setup</code> in the repository, then reload. The API
works without them.</p></html>
"""


@dataclass(frozen=True)
class Built:
    """The files of one build, by their path in an address; twins by encoding."""

    index: str
    files: Mapping[str, Path]

    def twin(self, path: str, accepted: str) -> tuple[Path, str] | None:
        """The smallest form of a file that the client takes, and its encoding."""
        for encoding, suffix in _TWINS.items():
            found = self.files.get(path + suffix)
            if found and accepts(accepted, encoding):
                return found, encoding
        return None


def add_pages(app: FastAPI, folder: Path = STATIC) -> None:
    """Serve the dashboard for every address that nothing else has.

    An address of the application (`/agents/...`) is answered with its page, which finds its own
    way; a file that is not there, with 404.
    """
    app.router.default = Pages(folder, app.router.default)


class Pages:
    """ASGI: files and pages for who reads; `otherwise` answers everybody else."""

    def __init__(self, folder: Path, otherwise: ASGIApp) -> None:
        self._builds = Builds(folder)
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_page_request(scope):
            path = scope["path"].removeprefix("/")
            response = answer(self._builds.latest(), path, Headers(scope=scope))
            await response(scope, receive, send)
        else:
            await self._otherwise(scope, receive, send)


def is_page_request(scope: Scope) -> bool:
    """Whether somebody reads what may be a page or a file of it."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return False
    path: str = scope["path"]
    return path.split("/")[1] not in RESERVED


def answer(built: Built | None, path: str, headers: Headers) -> Response:
    """A file, or the page. Raises NotFoundProblem for a file that is not there."""
    if built is None:
        return not_built()
    if path in built.files and path != _INDEX:
        return file_response(built, path, headers)
    if "." in path.rpartition("/")[2] and path not in _OLD_ADDRESSES:
        raise NotFoundProblem("file")
    return page_response(built)


class Builds:
    """The latest build in a folder, read again when there is a new one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp = 0
        self._built: Built | None = None

    def latest(self) -> Built | None:
        """None while there is none."""
        try:
            stamp = (self._folder / _INDEX).stat().st_mtime_ns
            if stamp != self._stamp:
                self._built, self._stamp = read_build(self._folder), stamp
        except FileNotFoundError:
            return None
        return self._built


def read_build(folder: Path) -> Built:
    """Raises FileNotFoundError."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    return Built(
        index=(folder / _INDEX).read_text(encoding="utf-8"),
        files={name: path for name, path in files.items() if path.is_file()},
    )


def page_response(built: Built) -> HTMLResponse:
    """The page. Whatever it runs or styles with carries this answer's nonce."""
    nonce = secrets.token_urlsafe(18)
    headers = {
        **_SHARED_HEADERS,
        "Cache-Control": "no-store",
        "Content-Security-Policy": page_policy(nonce),
        "Cross-Origin-Opener-Policy": "same-origin",
        "X-Frame-Options": "DENY",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    }
    return HTMLResponse(built.index.replace(_NONCE, nonce), headers=headers)


def page_policy(nonce: str) -> str:
    """Content-Security-Policy: our own files, and nothing inline without the nonce."""
    rules = {
        "default-src": "'none'",
        "script-src": f"'self' 'nonce-{nonce}'",
        "style-src": f"'self' 'nonce-{nonce}'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "worker-src": "'self'",
        "manifest-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "object-src": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def file_response(built: Built, path: str, headers: Headers) -> FileResponse:
    """A file as it was built. Names in `assets` carry a hash, so they never change."""
    answer = {
        **_SHARED_HEADERS,
        "Cache-Control": _FOR_EVER if path.startswith("assets/") else "no-cache",
        # A worker lives by the policy of its own file.
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'",
        "Vary": "Accept-Encoding",
    }
    kind = _KINDS.get(built.files[path].suffix, "application/octet-stream")
    twin = built.twin(path, headers.get("accept-encoding", ""))
    if twin is None:
        return FileResponse(built.files[path], media_type=kind, headers=answer)
    file, encoding = twin
    return FileResponse(file, media_type=kind, headers={**answer, "Content-Encoding": encoding})


def accepts(header: str, encoding: str) -> bool:
    """Whether Accept-Encoding names an encoding without refusing it (`;q=0`)."""
    for part in header.lower().split(","):
        name, _, parameters = part.partition(";")
        if name.strip() == encoding:
            quality = parameters.replace(" ", "")
            return not quality.startswith("q=0") or any(digit in "123456789" for digit in quality)
    return False


def not_built() -> HTMLResponse:
    """What a person sees who started from the sources and has not built the pages."""
    return HTMLResponse(_NOT_BUILT, 503, {**_SHARED_HEADERS, "Cache-Control": "no-store"})
