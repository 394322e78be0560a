"""The end: what the API server, the gateway and its ledger hold when all runs are over."""

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from uuid import uuid4

import aiohttp
from pydantic import BaseModel, Field

from heliostat_core.keys import execution_claims, sign_admin_token, sign_execution_key
from heliostat_core.resources import ObjectHead
from heliostat_core.worlds import (
    CONTROLLER_REVISION,
    EXECUTION,
    JOB,
    POD,
    SECRET,
    Selection,
    World,
)
from soak.judge import Remains
from soak.place import NAMESPACE, Place
from soak.seen import Run
from soak.stories import STEADY, STORIES

_COLLECTED_SECONDS = 120
_ASKERS = 8
_TAKEN, _REFUSED = 200, 401
_WHERE = Selection(namespace=NAMESPACE)


class _Sum(BaseModel):
    cost_nanos: int = Field(alias="costNanos")


async def take_stock(place: Place, world: World, runs: Collection[Run]) -> Remains:
    """Waits until the garbage collection has caught up and every call is booked."""
    executions, children = await _collected(world)
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(place.gateway_url, timeout=timeout) as session:
        asker = _Asker(place, session)
        return Remains(
            executions=executions,
            children=children,
            live_keys=await asker.live_keys(runs),
            takes_good_keys=await asker.takes_good_keys(),
            ledger=await place.read_ledger(runs),
            agents={each.name: await asker.agent(each.name) for each in STORIES},
        )


async def _collected(world: World) -> tuple[set[str], Mapping[str, str]]:
    """Uids of the Executions, and their children by owner; orphans only if they stay."""
    deadline = time.monotonic() + _COLLECTED_SECONDS
    while True:
        uids = {_head(each).metadata.uid async for each in world.list(EXECUTION, _WHERE)}
        children = await _children(world)
        if uids.issuperset(children.values()) or time.monotonic() > deadline:
            return uids, children
        await asyncio.sleep(1)


async def _children(world: World) -> Mapping[str, str]:
    """Kind and name -> uid of the Execution, or of the Job that is gone."""
    owners: dict[str, str] = {}
    children: dict[str, str] = {}
    for kind in (CONTROLLER_REVISION, SECRET, JOB, POD):
        async for found in world.list(kind, _WHERE):
            meta = _head(found).metadata
            for owner in meta.owner_references:
                owners[meta.uid] = owners.get(owner.uid, owner.uid)
                children[f"{kind.name} {meta.name}"] = owners[meta.uid]
    return children


def _head(found: Mapping[str, object]) -> ObjectHead:
    return ObjectHead.model_validate(found)


@dataclass(frozen=True)
class _Asker:
    """Asks the gateway as the operator does, and as a run would."""

    place: Place
    session: aiohttp.ClientSession

    async def agent(self, name: str) -> int:
        """Nano-dollars of all its runs."""
        token = sign_admin_token(self.place.signing_key, int(time.time()))
        headers = {"Authorization": f"Bearer {token}"}
        async with self.session.get(f"/admin/agents/{NAMESPACE}/{name}", headers=headers) as answer:
            return _Sum.model_validate_json(await answer.text()).cost_nanos

    async def live_keys(self, runs: Iterable[Run]) -> list[tuple[str, int]]:
        """Attempts of runs that are over whose key the gateway still takes."""
        over = (run for run in runs if run.ends or run.is_gone)
        wanted = iter([(run, each.number) for run in over for each in run.attempts])
        alive: list[tuple[str, int]] = []

        async def ask() -> None:
            for run, attempt in wanted:
                if await self._ask(run, attempt) != _REFUSED:
                    alive.append((run.uid, attempt))

        async with asyncio.TaskGroup() as group:
            for _ in range(_ASKERS):
                group.create_task(ask())
        return alive

    async def takes_good_keys(self) -> bool:
        """Of a run that was never made, so that nobody revoked its key."""
        return await self._ask(Run("never-made", str(uuid4()), STEADY.name), 1) == _TAKEN

    async def _ask(self, run: Run, attempt: int) -> int:
        headers = {"x-api-key": self._key(run, attempt)}
        async with self.session.get("/v1/models", headers=headers) as answer:
            return answer.status

    def _key(self, run: Run, attempt: int) -> str:
        """As good as the one that the pod had: what counts is the id in it."""
        now = int(time.time())
        claims = execution_claims(
            namespace=NAMESPACE,
            execution=run.name,
            execution_uid=run.uid,
            attempt=attempt,
            agent=run.story,
            cap_nanos=None,
            cap_tokens=None,
            correlation_id=run.uid,
            issued=now,
            expires=now + 600,
        )
        return sign_execution_key(self.place.signing_key, claims)
