"""List, then watch from there: what exists, then every change, over reconnections."""

import json
import random
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing

import aiohttp

from heliostat_core.names import GROUP
from heliostat_core.worlds import Change, JsonObject, Kind
from heliostat_kubernetes.connection import JSON, Connection, Query, SilenceError
from heliostat_kubernetes.errors import ExpiredError, map_status

PAGE_SIZE = 500
HEADS = f"{JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""Asks for the metadata alone of what is listed."""
# The server ends a watch after this time; spread out, so that not all come back at once.
_LIFETIME_SECONDS = (240, 360)
# Bookmarks come every minute. No byte for longer: the connection may be dead, so make a new one.
SILENCE_SECONDS = 90.0
# What is left of an object that went while we were not looking: enough to find its owner, and
# what we wrote on it ourselves; other annotations may be large.
_HEAD = ("name", "namespace", "uid", "labels", "ownerReferences")
_OWN = f"{GROUP}/"


async def watch(
    connection: Connection,
    kind: Kind,
    path: str,
    query: Query,
    silence_seconds: float = SILENCE_SECONDS,
) -> AsyncIterator[Change]:
    """Changes, begun with an ADDED for everything. Raises UnavailableError when contact is lost.

    When the server forgot where we were, everything is listed again: what exists comes as ADDED
    once more, what went in between as DELETED with only its head.
    """
    known: dict[str, JsonObject] = {}
    while True:
        gone, known, version = known, {}, ""
        async for page in list_pages(connection, path, query):
            version = _text(page, "resourceVersion")
            for item in read_items(kind, page):
                gone.pop(_text(item, "uid"), None)
                yield _track(known, Change("ADDED", item))
        for head in gone.values():
            yield Change("DELETED", head)
        try:
            async with aclosing(
                _follow(connection, path, query, version, silence_seconds)
            ) as changes:
                async for change in changes:
                    yield _track(known, change)
        except ExpiredError:
            continue


def _track(known: dict[str, JsonObject], change: Change) -> Change:
    """The change; `known` keeps the heads of what exists, by uid."""
    uid = _text(change.object, "uid")
    if change.type == "DELETED":
        known.pop(uid, None)
    else:
        known[uid] = head_of(change.object)
    return change


def head_of(obj: JsonObject) -> JsonObject:
    """What is kept of an object in case that it goes while we are not looking."""
    metadata = _metadata(obj)
    kept = {name: metadata[name] for name in _HEAD if name in metadata}
    annotations = metadata.get("annotations")
    if isinstance(annotations, Mapping):
        own = {name: each for name, each in annotations.items() if name.startswith(_OWN)}
        kept = {**kept, "annotations": own}
    return {"apiVersion": obj.get("apiVersion"), "kind": obj.get("kind"), "metadata": kept}


async def list_pages(
    connection: Connection, path: str, query: Query, accept: str = JSON
) -> AsyncIterator[JsonObject]:
    """The pages of a list. Raises ExpiredError when reading them took minutes."""
    asked = {**query, "limit": PAGE_SIZE}
    while True:
        _, page = await connection.request("GET", path, asked, accept=accept)
        yield page
        token = _text(page, "continue")
        if not token:
            return
        asked["continue"] = token


def read_items(kind: Kind, page: JsonObject) -> Iterator[JsonObject]:
    """The objects of a page, each with the kind that built-in lists leave out."""
    items = page.get("items")
    for item in items if isinstance(items, list) else ():
        if isinstance(item, Mapping):
            yield {"apiVersion": kind.api_version, "kind": kind.name, **item}


async def _follow(
    connection: Connection, path: str, query: Query, version: str, silence_seconds: float
) -> AsyncGenerator[Change, None]:
    """Changes after `version`, over as many connections as it takes."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=silence_seconds)
    while True:
        asked = {
            **query,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": random.randint(*_LIFETIME_SECONDS),
        }
        answered = False
        try:
            async with connection.stream(path, asked, timeout) as lines:
                answered = True
                async for line in lines:
                    change, version = _read_event(line)
                    if change is not None:
                        yield change
        except SilenceError:
            if not answered:
                raise


def _read_event(line: bytes) -> tuple[Change | None, str]:
    """The change, None for a bookmark, and the version that it brings us to."""
    event = json.loads(line)
    obj: JsonObject = event["object"]
    match event["type"]:
        case "BOOKMARK":
            return None, _text(obj, "resourceVersion")
        case "ADDED" | "MODIFIED" | "DELETED" as type_:
            return Change(type_, obj), _text(obj, "resourceVersion")
        case _:
            code = obj.get("code")
            raise map_status(obj, code if isinstance(code, int) else 500)


def _text(obj: JsonObject, name: str) -> str:
    """A text of the object's metadata, or an empty one."""
    value = _metadata(obj).get(name)
    return value if isinstance(value, str) else ""


def _metadata(obj: JsonObject) -> JsonObject:
    metadata = obj.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}
