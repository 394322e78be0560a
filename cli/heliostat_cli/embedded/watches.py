"""Watching the change log, whichever process writes it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress

from heliostat_cli.embedded.selectors import Matcher
from heliostat_cli.embedded.store import Entry, Store
from heliostat_core.worlds import Change, JsonObject, Kind

POLL_SECONDS = 0.05  # how late a change of another process may be seen; our own ring a bell


async def follow_changes(store: Store, kind: Kind, matches: Matcher) -> AsyncIterator[Change]:
    """ADDED for what exists, then every change, seen through a selector.

    Raises UnavailableError when the log was trimmed before it was read: watch again.
    """
    bell = asyncio.Event()
    store.listeners.add(bell.set)
    try:
        revision, documents = store.snapshot(kind.name)
        for document in documents:
            obj: JsonObject = json.loads(document)
            if matches(obj):
                yield Change("ADDED", obj)
        del documents
        stamp = None
        while True:
            bell.clear()
            if (now := store.stamp()) == stamp:
                await wait_at_most(bell, POLL_SECONDS)
                continue
            revision, entries = store.changes(kind.name, revision)
            for entry in entries:
                if change := _seen_through(matches, entry):
                    yield change
            if entries:
                await asyncio.sleep(0)  # others have a turn between two pages of a long log
            if not entries:
                stamp = now  # taken before reading: what came since then has another one
    finally:
        store.listeners.discard(bell.set)


async def wait_at_most(bell: asyncio.Event, seconds: float) -> None:
    """Until the bell rings or the time is over. Not by asyncio.wait_for, which in Python 3.11
    takes a cancellation for the bell when both come at once."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await bell.wait()


def _seen_through(matches: Matcher, entry: Entry) -> Change | None:
    """The change as somebody sees it who only sees what matches."""
    was = entry.previous is not None and matches(entry.previous)
    if entry.type == "DELETED" or not matches(entry.object):
        return Change("DELETED", entry.object) if was else None
    return Change("MODIFIED" if was else "ADDED", entry.object)
