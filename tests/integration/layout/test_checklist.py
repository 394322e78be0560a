"""Whatever a person has moves with them, is in their archive and goes with them: every collection.

A document of each collection is put into a store, as a guest's; then the guest signs in, asks for
their archive and leaves. A collection that nobody knows of shows that each of these would miss it.
"""

import asyncio
import io
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zipfile import ZipFile

import httpx2
import pytest
import pytest_asyncio

from heliostat_api.app.settings import ApiSettings
from heliostat_api.documents.port import Documents, Fields, Put
from heliostat_api.documents.sqlite.backups import back_up
from heliostat_api.documents.sqlite.store import open_sqlite
from support.checklist import PLAYED, Item, items_of, subjects
from support.oidc import CLIENT, agree, stock_provider
from support.shared_api import PAGE, URL, ApiApp, api_app

pytestmark = pytest.mark.asyncio(loop_scope="module")
UNKNOWN = "inventions"
NAMES = [*subjects(), UNKNOWN]
SECONDS = 60.0


@dataclass(frozen=True)
class Played:
    """Which collections each of the steps took care of."""

    covered: dict[Item, set[str]]
    stored: set[str]
    """Collections of the store at the end."""


def path_of(name: str, person: str) -> str:
    """The document of that collection; a person is one themselves."""
    return f"people/{person}" if name == "people" else f"{name}/checklist-{name}"


async def give(api: ApiApp, person: str) -> None:
    """A document of each collection, with what any of its readers needs."""
    fields: Fields = {
        "userId": person,
        "createdAt": api.clock(),
        "name": "sales",
        "namespace": "default",
        "shown": True,
        "isOpen": False,
        "deleting": False,
        "state": "idle",
        "keys": [],
    }
    for name in NAMES:
        if name != "people":
            await api.documents.commit(Put(path_of(name, person), fields))


async def owned(documents: Documents, person: str) -> set[str]:
    """Collections whose document is that person's."""
    found = set()
    for name in NAMES:
        document = await documents.get(path_of(name, person))
        if document and (name == "people" or document.fields.get("userId") == person):
            found.add(name)
    return found


async def sign_in(browser: httpx2.AsyncClient) -> str:
    """The id of the user."""
    begun = await browser.get("/auth/sign-in", params={"next": "/"})
    await browser.get(await agree(begun.headers["location"], "ann"))
    return str((await browser.get("/api/me")).json()["id"])


async def archived(browser: httpx2.AsyncClient) -> set[str]:
    """Collections whose document is in the archive."""
    answer = await browser.get("/api/me/archive")
    with ZipFile(io.BytesIO(answer.content)) as archive:
        names = "\n".join(archive.namelist())
    return {name for name in NAMES if path_of(name, "") in names or f"checklist-{name}/" in names}


async def backed_up(folder: Path, person: str) -> set[str]:
    """Collections whose document is in a backup that is made now."""
    target = folder / "backup.sqlite"
    target.unlink(missing_ok=True)
    back_up(folder / "documents.sqlite", target)
    copy = open_sqlite(target)
    try:
        return await owned(copy, person)
    finally:
        await copy.close()


async def left(api: ApiApp, browser: httpx2.AsyncClient, person: str) -> set[str]:
    """Collections without a document of somebody who left, once nothing more goes."""
    answer = await browser.request("DELETE", "/api/me", json={"confirm": "delete everything"})
    assert answer.status_code == 202, answer.text
    async with asyncio.timeout(SECONDS):
        while "people" in (rest := await owned(api.documents, person)):
            api.clock.go_on(timedelta(minutes=10))
            await asyncio.sleep(0.2)
    return set(NAMES) - rest


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with stock_provider(json.dumps({"sub": "ann"})) as address:
        yield address


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played(issuer: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Played]:
    folder = tmp_path_factory.mktemp("checklist")
    settings = {"oidc_issuer": issuer, "oidc_client_id": CLIENT, "public_url": URL}
    settings["oidc_client_secret"] = "a secret"
    async with (
        api_app(folder, ApiSettings.model_validate(settings)) as api,
        api.serving(),
        api.browser() as browser,
    ):
        await browser.get("/", headers=PAGE)
        guest = str((await browser.get("/api/me")).json()["id"])
        await give(api, guest)
        user = await sign_in(browser)
        covered = {Item.MOVING: await owned(api.documents, user)}
        await give(api, user)
        covered[Item.BACKUP] = await backed_up(folder, user)
        covered[Item.ARCHIVE] = await archived(browser)
        covered[Item.ERASING] = await left(api, browser, user)
        yield Played(covered, collections_in(folder / "documents.sqlite"))


def collections_in(file: Path) -> set[str]:
    """As the store has them; those below a document not."""
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute("SELECT DISTINCT collection FROM documents").fetchall()
    return {str(collection).partition("/")[0] for (collection,) in rows}


@pytest.mark.parametrize("item", sorted(PLAYED))
async def test_every_collection_is_taken_care_of(played: Played, item: Item) -> None:
    asked = {name for name in subjects() if item in items_of(name)}
    assert asked <= played.covered[item], f"{item}: {sorted(asked - played.covered[item])}"


@pytest.mark.parametrize("item", sorted(PLAYED - {Item.BACKUP}))
async def test_what_nobody_knows_of_would_be_missed(played: Played, item: Item) -> None:
    assert UNKNOWN not in played.covered[item]


@pytest.mark.parametrize("item", sorted(PLAYED))
async def test_what_is_not_needed_is_not_there(played: Played, item: Item) -> None:
    """Else the reason is out of date."""
    waived = {name for name in subjects() if item not in items_of(name)}
    assert not waived & played.covered[item]


async def test_the_list_knows_what_an_api_stores(played: Played) -> None:
    assert played.stored <= set(NAMES)
