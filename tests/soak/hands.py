"""What is done to single pods and Executions, once a run, while its pod runs."""

import asyncio
import base64
from collections import Counter
from dataclasses import dataclass, field

import aiohttp

from heliostat_core.names import EXECUTION_KEY_KEY, EXECUTION_UID_ANNOTATION
from heliostat_core.resources import ObjectHead
from heliostat_core.worlds import (
    EXECUTION,
    POD,
    SECRET,
    Change,
    JsonObject,
    Ref,
    World,
    WorldError,
)
from soak.place import Place
from soak.seen import Run, Seen
from support.objects import make_execution, text_at, value_at

SPEAKS = 5
"""Every so manieth run makes a real model call with the key of its first attempt."""
_CALL = {
    "model": "scripted/hello",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "hello"}],
}


@dataclass
class Hands:
    """`done` counts what took place, by story; `spoken` the answered model calls."""

    world: World
    place: Place
    session: aiohttp.ClientSession
    seen: Seen
    done: Counter[str] = field(default_factory=Counter)
    spoken: int = 0
    _met: set[str] = field(default_factory=set)
    _works: set[asyncio.Task[None]] = field(default_factory=set)

    def see_pod(self, change: Change) -> None:
        """Begins what the story of a running pod's run asks for."""
        head = ObjectHead.model_validate(change.object)
        run = self.seen.runs.get(head.metadata.annotations.get(EXECUTION_UID_ANNOTATION, ""))
        running = value_at(change.object, "status", "phase") == "Running"
        if run is None or not running or change.type == "DELETED" or run.uid in self._met:
            return
        self._met.add(run.uid)
        work = asyncio.create_task(self._meet(run, head))
        self._works.add(work)
        work.add_done_callback(self._works.discard)

    async def _meet(self, run: Run, pod: ObjectHead) -> None:
        try:
            if len(self._met) % SPEAKS == 0:
                await self._speak(pod)
            if await self._touch(run, pod):
                self.done[run.story] += 1
        except (WorldError, aiohttp.ClientError, TimeoutError):
            return  # the API server is away in this moment: a run without its fault

    async def _touch(self, run: Run, pod: ObjectHead) -> bool:
        """Whether something was done."""
        namespace = pod.metadata.namespace
        match run.story:
            case "deleted" | "evicted":
                is_taken = await self._take(run.story, pod)
                run.taken.update({pod.metadata.uid} if is_taken else ())
                return is_taken
            case "cancelled":
                await self.world.apply(_cancelled(namespace, run))
                return True
            case "vanished":
                return await self.world.delete(Ref(EXECUTION, namespace, run.name))
        return False

    async def _take(self, story: str, pod: ObjectHead) -> bool:
        meta = pod.metadata
        if story == "evicted":
            return await self.place.evict(meta.name)
        ref = Ref(POD, meta.namespace, meta.name)
        return await self.world.delete(ref, uid=meta.uid, grace_seconds=0)

    async def _speak(self, pod: ObjectHead) -> None:
        """As the runner does it, with the key that the pod has."""
        job = pod.metadata.owner_references[0].name
        secret = await self.world.get(Ref(SECRET, pod.metadata.namespace, job))
        if secret is None:
            return
        key = base64.b64decode(text_at(secret, "data", EXECUTION_KEY_KEY)).decode()
        async with self.session.post(
            f"{self.place.gateway_url}/v1/messages", json=_CALL, headers={"x-api-key": key}
        ) as answer:
            await answer.read()
            self.spoken += answer.status == 200


def _cancelled(namespace: str, run: Run) -> JsonObject:
    """Only this field is ours: another Execution of the name is none of it."""
    made = make_execution(namespace, run.name, {"uid": run.uid}, cancel=True)
    return {**made, "spec": {"agentRef": {"name": run.story}, "cancel": True}}
