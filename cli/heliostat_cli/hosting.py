"""The embedded world for one command: kept running by us while it is open, or only looked at."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, nullcontext
from functools import partial
from pathlib import Path

from heliostat_cli.embedded.folders import StateFolder, default_folder
from heliostat_cli.embedded.gateways import GatewayDiedError
from heliostat_cli.embedded.host import hosting
from heliostat_cli.embedded.logs import EmbeddedLogs
from heliostat_cli.embedded.ports import ANY_PORT, WantedPort
from heliostat_cli.embedded.store import Store
from heliostat_cli.embedded.supervisor import read_container
from heliostat_cli.embedded.world import EmbeddedWorld
from heliostat_cli.errors import CliError
from heliostat_cli.worlds import CANCEL_MANAGER, MANAGER, OpenWorld
from heliostat_core.reading import text
from heliostat_core.worlds import JsonObject
from heliostat_gateway.settings import Settings, SettingsError
from heliostat_gateway.storage import StorageError
from heliostat_operator.settings import OperatorSettings


@asynccontextmanager
async def open_embedded(*, hosted: bool) -> AsyncIterator[OpenWorld]:
    """The user's own embedded world."""
    async with open_folder(default_folder(os.environ, Path.cwd()), hosted=hosted) as opened:
        yield opened


@asynccontextmanager
async def open_folder(
    folder: StateFolder,
    *,
    hosted: bool,
    gateway: Settings | None = None,
    operator: OperatorSettings | None = None,
    port: WantedPort = ANY_PORT,
) -> AsyncIterator[OpenWorld]:
    """The world of a state folder. `hosted`: we reconcile it unless another process does.

    Settings (else from the environment) and the gateway's `port` in a new folder are for the one
    who hosts.
    """
    folder.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        host_or_none = (
            hosting(folder, gateway=gateway, operator=operator, port=port)
            if hosted
            else nullcontext()
        )
        async with host_or_none as host:
            with closing(Store(folder.world_file)) as store:
                world = EmbeddedWorld(store, manager=MANAGER)
                yield OpenWorld(
                    world,
                    world.as_manager(CANCEL_MANAGER),
                    EmbeddedLogs(world, folder),
                    partial(find_workspace, folder),
                    goes_on=host is not None and not host.is_hosting,
                )
    except SettingsError as error:
        raise CliError(str(error), "Fix that setting or file.") from error
    except (StorageError, GatewayDiedError) as error:
        raise CliError(
            f"the gateway inside this world does not run: {error}",
            f"Check the folder {folder.gateway}, or choose another with HELIOSTAT_HOME.",
        ) from error


def find_workspace(folder: StateFolder, pod: JsonObject) -> Path | None:
    """The working folder of a pod, as long as it is there."""
    try:
        container = read_container(folder.pod(text(pod, "metadata", "uid")))
    except OSError:
        return None
    found = Path(container.env.get("HELIOSTAT_WORKSPACE", container.cwd))
    return found if found.is_dir() else None
