"""The requests of the ingest protocol (docs/events.md), as the api takes them."""

from __future__ import annotations

from urllib.parse import quote

from .api import Request
from .files import WorkFile
from .jsonvalue import JsonObject, dump
from .spool import Batch


def attempt_path(uid: str, attempt: int) -> str:
    """Where the api takes what this attempt delivers."""
    return f"/ingest/v1/executions/{quote(uid, safe='')}/attempts/{attempt}"


def events_request(path: str, batch: Batch) -> Request:
    lost = f"&lost={batch.count}" if batch.is_gap else ""
    query = f"first={batch.first}{lost}"
    return Request("POST", f"{path}/events?{query}", batch.lines, "application/x-ndjson")


def pieces_request(path: str, body: bytes) -> Request:
    return Request("POST", f"{path}/pieces", body)


def end_request(path: str, count: int, lost: int) -> Request:
    body: JsonObject = {"next": count, "lost": lost}
    return Request("POST", f"{path}/end", dump(body).encode())


def file_request(path: str, file: WorkFile, offset: int, piece: bytes) -> Request:
    query = f"offset={offset}&size={file.size}&sha256={file.sha256}"
    name = quote(file.path)
    return Request("PUT", f"{path}/files/{name}?{query}", piece, "application/octet-stream")


def action_request(path: str, digest: str, canonical: bytes) -> Request:
    """The whole canonical action that waits for a person, by its digest."""
    return Request("PUT", f"{path}/actions/{quote(digest, safe=':')}", canonical)
