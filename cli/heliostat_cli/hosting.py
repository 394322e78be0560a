"""The embedded world for one command: reconciled by us when somebody has to, only read else."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from heliostat_cli.embedded.documents import text
from heliostat_cli.embedded.folders import StateFolder, default_folder
from heliostat_cli.embedded.jobs import JobController
from heliostat_cli.embedded.pods import LOG_ANNOTATION
from heliostat_cli.embedded.store import Store
from heliostat_cli.embedded.world import EmbeddedWorld
from heliostat_cli.worlds import CANCEL_MANAGER, MANAGER, OpenWorld
from heliostat_core.keys import public_pem
from heliostat_core.worlds import AGENT, EXECUTION, JOB, POD, NotFoundError, Ref
from heliostat_operator.engine import Engine, utc_now
from heliostat_operator.gateways import HttpGateway
from heliostat_operator.settings import OperatorSettings
from heliostat_operator.signing import Signer, ensure_signing_key


class FileLogs:
    def __init__(self, world):
        self._world = world

    async def read_log(self, namespace, pod, *, follow=False, tail=None):
        found = await self._world.get(Ref(POD, namespace, pod))
        if found is None:
            raise NotFoundError(f"no pod {pod}")
        path = Path(text(found, "metadata", "annotations", LOG_ANNOTATION))
        rest = ""
        with path.open() as f:
            while True:
                chunk = f.read()
                if chunk:
                    rest += chunk
                    *lines, rest = rest.split("\n")
                    for l in lines:
                        yield l
                    continue
                now = await self._world.get(Ref(POD, namespace, pod))
                if (
                    not follow
                    or now is None
                    or text(now, "status", "phase") in ("Succeeded", "Failed")
                ):
                    return
                await asyncio.sleep(0.1)


@asynccontextmanager
async def open_embedded(*, hosted: bool) -> AsyncIterator[OpenWorld]:
    folder = default_folder(os.environ)
    if hosted:
        async with host_folder(folder) as o:
            yield o
        return
    folder.root.mkdir(parents=True, exist_ok=True)
    store = Store(folder.world_file)
    world = EmbeddedWorld(store)
    yield OpenWorld(world.as_manager(MANAGER), world.as_manager(CANCEL_MANAGER), FileLogs(world))


@asynccontextmanager
async def host_folder(folder: StateFolder) -> AsyncIterator[OpenWorld]:
    folder.root.mkdir(parents=True, exist_ok=True)
    store = Store(folder.world_file)
    world = EmbeddedWorld(store)
    pem = await ensure_signing_key(world, "heliostat-system")
    folder.public_keys.mkdir(exist_ok=True)
    (folder.public_keys / "k.pem").write_text(public_pem(pem))
    folder.gateway.mkdir(exist_ok=True)
    port = 18099
    gw = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "heliostat_gateway",
        env={
            **os.environ,
            "HELIOSTAT_GATEWAY_HOST": "127.0.0.1",
            "HELIOSTAT_GATEWAY_PORT": str(port),
            "HELIOSTAT_GATEWAY_KEYS_DIR": str(folder.public_keys),
            "HELIOSTAT_GATEWAY_DATA_DIR": str(folder.gateway),
        },
        stdout=(folder.root / "gw.log").open("ab"),
        stderr=asyncio.subprocess.STDOUT,
    )
    signer = Signer(pem, utc_now)
    url = f"http://127.0.0.1:{port}"
    settings = OperatorSettings(gateway_url=url, usage_seconds=1)
    gateway = HttpGateway(url, signer)
    engine = Engine(world, gateway, signer, settings)

    async def watch(kind):
        async for change in world.watch(kind):
            engine.see(kind, change)

    tasks = [
        asyncio.create_task(x)
        for x in (
            JobController(world, folder).run(),
            engine.run(),
            *(watch(k) for k in (AGENT, EXECUTION, JOB, POD)),
        )
    ]
    try:
        yield OpenWorld(
            world.as_manager(MANAGER), world.as_manager(CANCEL_MANAGER), FileLogs(world)
        )
    finally:
        for t in tasks:
            t.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await gateway.close()
        gw.terminate()
        await gw.wait()
