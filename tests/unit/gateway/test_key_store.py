"""Keys of one process: on the disk when they are made, and again after a restart."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from heliostat_gateway.access.admin_key import AdminKeyFile
from heliostat_gateway.access.callers import KeyKind, Scope
from heliostat_gateway.access.key_store import SqliteKeyStore
from heliostat_gateway.access.keyring import KeyRing
from heliostat_gateway.access.keys import NoSuchKeyError, WantedKey
from heliostat_gateway.errors import RefusalError
from heliostat_gateway.storage import Storage

NOW = 1_800_000_000
SERVICE = WantedKey(name="nightly", kind=KeyKind.SERVICE)
ADMIN = WantedKey(name="boss", kind=KeyKind.SERVICE, scopes=frozenset({Scope.ADMIN}))


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    opened = Storage(tmp_path / "data")
    yield opened
    opened.close()


@pytest.fixture
def store(storage: Storage) -> SqliteKeyStore:
    return SqliteKeyStore(storage)


def ring(store: SqliteKeyStore, folder: Path, admin_key: AdminKeyFile | None = None) -> KeyRing:
    return KeyRing(folder, lambda: float(NOW), store, admin_key)


def refusal(ring: KeyRing, key: str, *, admin: bool = False) -> RefusalError:
    check = ring.admin if admin else ring.caller
    with pytest.raises(RefusalError) as caught:
        check({"x-api-key": key})
    assert key not in caught.value.message
    return caught.value


async def test_keys_and_their_times_outlive_the_process(storage: Storage, tmp_path: Path) -> None:
    first = SqliteKeyStore(storage)
    await first.start()
    issued = await first.create(SERVICE, NOW)
    revoked = await first.create(SERVICE, NOW + 1)
    await first.revoke(revoked.record.id, NOW + 2)
    ring(first, tmp_path).caller({"x-api-key": issued.text})
    await first.close()
    second = SqliteKeyStore(storage)
    assert ring(second, tmp_path).caller({"x-api-key": issued.text}).key == issued.record.id
    listed = await second.list("hsk_")
    assert [(each.record.revoked, each.last_used) for each in listed] == [
        (None, NOW),
        (NOW + 2, None),
    ]


async def test_lists_by_the_beginning_of_the_id(store: SqliteKeyStore) -> None:
    ids = [(await store.create(SERVICE, NOW + i)).record.id for i in range(5)]
    assert [each.record.id for each in await store.list("hsk_")] == ids
    assert [each.record.id for each in await store.list(ids[2])] == [ids[2]]
    assert await store.list("hsk_none") == []


async def test_rotation_and_revocation_hold_at_once(store: SqliteKeyStore, tmp_path: Path) -> None:
    keys = ring(store, tmp_path)
    issued = await store.create(SERVICE, NOW)
    rotated = await store.rotate(issued.record.id, 0, NOW)
    assert refusal(keys, issued.text).status == 401
    assert keys.caller({"authorization": f"Bearer {rotated.text}"}).key == issued.record.id
    await store.revoke(issued.record.id, NOW)
    assert "revoked" in refusal(keys, rotated.text).message
    with pytest.raises(NoSuchKeyError):
        await store.rotate("hsk_other", 0, NOW)


async def test_scopes_open_what_they_name(store: SqliteKeyStore, tmp_path: Path) -> None:
    keys = ring(store, tmp_path)
    service, admin = await store.create(SERVICE, NOW), await store.create(ADMIN, NOW)
    keys.admin({"x-api-key": admin.text})
    refused = refusal(keys, admin.text)
    assert (refused.status, refused.kind) == (403, "permission_error")
    assert "scope models" in refused.message
    refused = refusal(keys, service.text, admin=True)
    assert (refused.status, refused.kind) == (403, "permission_error")
    assert "scope admin" in refused.message


async def test_a_key_of_nobody_is_refused_without_words_about_it(
    store: SqliteKeyStore, tmp_path: Path
) -> None:
    issued = await store.create(SERVICE, NOW)
    for text in ("hsk_", "hsk__", "hsk_none_secret", issued.record.id, f"{issued.text}x"):
        refused = refusal(ring(store, tmp_path), text)
        assert (refused.status, refused.headers) == (401, {"x-should-retry": "false"})


async def test_the_owners_key_opens_admin_and_nothing_else(
    store: SqliteKeyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "admin"
    path.write_text("a" * 40 + "\n")
    keys = ring(store, tmp_path, AdminKeyFile(path))
    keys.admin({"x-api-key": "a" * 40})
    assert refusal(keys, "a" * 40).status == 401
    assert refusal(keys, "a" * 39, admin=True).status == 401
    path.write_text("b" * 40)
    later = time.monotonic() + 2
    monkeypatch.setattr(time, "monotonic", lambda: later)
    keys.admin({"x-api-key": "b" * 40})
    assert refusal(keys, "a" * 40, admin=True).status == 401
