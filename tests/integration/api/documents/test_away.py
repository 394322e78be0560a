"""Firestore that can't be reached, or not by us: an error says so."""

from pathlib import Path

import pytest

from heliostat_api.documents.firestore.store import open_firestore
from heliostat_api.documents.port import Delete, Put, Query, StoreError, UnavailableError
from support.ports import free_port


async def test_a_store_that_is_away_is_unavailable_and_nothing_hangs() -> None:
    address = f"127.0.0.1:{free_port()}"
    store = open_firestore("p", emulator=address, patience_seconds=0.3)
    try:
        for call in (
            store.get("things/a"),
            store.query(Query("agents", None)),
            store.commit(Put("things/a", {}), Delete("things/b")),
            store.delete_tree("things/a"),
        ):
            with pytest.raises(UnavailableError, match="Firestore"):
                await call
    finally:
        await store.close()


async def test_without_credentials_the_remedy_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    with pytest.raises(StoreError, match="Workload Identity"):
        open_firestore("p")
