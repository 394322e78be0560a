"""The three requests whose way through our files is counted, each at a program as it is deployed.

Each gives the files that one request passes in the program that serves it; what stands beside it
(the provider, the API server, the gateway behind the api) is in processes of its own.
"""

import asyncio
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from bench.gateway.rigs import Target, request_of, run_upstream, running, wait_for
from bench.gateways import run_gateway as run_empty_gateway
from bench.loads import arrivals, create_execution, open_ground
from bench.operators import PATIENT, SYSTEM, launch_operator
from bench.replicas import run_replica
from bench.test_people_at_once import run_gateway as run_scripted_gateway
from bench.walk.tracer import Tracer
from heliostat_api.gateway.client import Identity
from heliostat_api.people.identities import new_guest_id
from heliostat_core.keys import new_private_key
from heliostat_core.names import attempt_name
from heliostat_core.worlds import EXECUTION, JOB, Ref
from integration.gateway.gateway_process import GatewayProcess
from support.chatting import talking
from support.control_plane import Address, run_control_plane
from tools.machine import ROOT

SECONDS = 60.0
POLL_SECONDS = 0.1


async def walk_model_call(folder: Path) -> list[str]:
    """A streamed call in Claude's dialect through a gateway that keeps its ledger itself."""
    with (
        Tracer() as tracer,
        run_upstream() as upstream,
        run_traced_gateway(folder, tracer, upstream) as target,
    ):
        async with aiohttp.ClientSession() as client:
            return await tracer.walk(lambda: call(client, target))


async def call(client: aiohttp.ClientSession, target: Target) -> None:
    """One call, its answer read to the end."""
    url = f"http://127.0.0.1:{target.port}/v1/messages"
    headers = {**target.headers, "content-type": "application/json"}
    body = request_of("/v1/messages", stream=True, slow=False)
    async with client.post(url, data=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        assert b"message_stop" in await answer.read()


@contextmanager
def run_traced_gateway(folder: Path, tracer: Tracer, upstream: Target) -> Iterator[Target]:
    """In front of the upstream, with a key that it takes."""
    gateway = GatewayProcess(folder)
    gateway.write_public_key()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "HELIOSTAT_GATEWAY_HOST": "127.0.0.1",
        "HELIOSTAT_GATEWAY_PORT": str(gateway.port),
        "HELIOSTAT_GATEWAY_KEYS_DIR": str(folder / "keys"),
        "HELIOSTAT_GATEWAY_DATA_DIR": str(folder / "data"),
        "ANTHROPIC_API_KEY": "sk-walk",
        "HELIOSTAT_GATEWAY_ANTHROPIC_BASE_URL": f"http://127.0.0.1:{upstream.port}",
    }
    command = [*tracer.launcher, "-m", "heliostat_gateway"]
    with running(command, environment, gateway.log) as process:
        wait_for(f"{gateway.url}/readyz", process)
        yield Target(gateway.port, {"authorization": f"Bearer {gateway.key('walk')}"})


async def walk_execution(folder: Path, programs: Path) -> list[str]:
    """From an Execution that somebody makes at an API server to its Job."""
    with Tracer() as tracer, run_installed(folder, programs) as address:
        async with (
            open_ground(address) as ground,
            run_empty_gateway() as gateway,
            launch_operator(tracer.launcher, address, gateway, folder, PATIENT),
            arrivals(ground.world, JOB, ground.namespace) as jobs,
        ):
            names: list[str] = []

            async def run() -> None:
                names.append(f"run-{len(names)}")
                await create_execution(ground, names[-1])
                await jobs.wait_for([attempt_name(names[-1], 1)], SECONDS)

            async def remove() -> None:
                """A run that stays is looked at again, also while the next one comes."""
                ref = Ref(EXECUTION, ground.namespace, names[-1])
                await ground.world.delete(ref)
                async with asyncio.timeout(SECONDS):
                    while await ground.world.get(ref) is not None:
                        await asyncio.sleep(POLL_SECONDS)

            return await tracer.walk(run, remove)


@contextmanager
def run_installed(folder: Path, programs: Path) -> Iterator[Address]:
    """An API server with our definitions and nothing else."""
    with run_control_plane(programs, folder) as address:
        address.kubectl("apply", "-k", ROOT / "manifests" / "crds")
        address.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        address.kubectl("create", "namespace", SYSTEM)
        yield address


async def walk_chat_answer(folder: Path) -> list[str]:
    """From words in an open WebSocket to the streamed answer, in a conversation that is there."""
    private, person = new_private_key(), new_guest_id()
    identity = Identity(private, lambda: datetime.now(UTC))
    with (
        Tracer() as tracer,
        run_scripted_gateway(folder / "gateway", identity) as gateway,
        run_replica(
            folder / "api",
            [person],
            gateway=gateway,
            private=private,
            model="scripted/hello",
            launcher=tracer.launcher,
        ) as replica,
    ):
        async with talking(replica.url, person, replica.headers(person)) as talker:
            conversation = await talker.say("hello")
            await talker.answered()
            numbers = itertools.count(2)

            async def say() -> None:
                await talker.say("hello", str(next(numbers)), conversation=conversation)
                answer = await talker.answered()
                assert answer["state"] == "done", answer

            return await tracer.walk(say)
