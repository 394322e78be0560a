"""Whole actions of runs in the store: what a digest says, and not without end."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from heliostat_api.documents.actions import RUN_ACTIONS, ActionRefusedError, Actions
from heliostat_api.documents.sqlite.store import open_sqlite
from support.builders.resources import NOW


@pytest.fixture
async def actions(tmp_path: Path) -> AsyncIterator[Actions]:
    documents = open_sqlite(tmp_path / "documents.sqlite")
    yield Actions(documents, lambda: NOW)
    await documents.close()


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


async def test_each_run_has_its_own(actions: Actions) -> None:
    content = '{"to":"\u2028 \ud55c\uae00"}'.encode()
    for _ in range(2):
        await actions.put("u-1", digest_of(content), content)
    assert await actions.get("u-1", digest_of(content)) == content
    assert await actions.get("u-2", digest_of(content)) is None


async def test_a_run_delivers_so_many(actions: Actions) -> None:
    contents = [str(number).encode() for number in range(RUN_ACTIONS + 1)]
    for content in contents[:RUN_ACTIONS]:
        await actions.put("u-1", digest_of(content), content)
    with pytest.raises(ActionRefusedError, match=str(RUN_ACTIONS)):
        await actions.put("u-1", digest_of(contents[-1]), contents[-1])
    await actions.put("u-1", digest_of(contents[0]), contents[0])
    await actions.put("u-2", digest_of(contents[-1]), contents[-1])
