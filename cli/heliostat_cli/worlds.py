"""Which world a command means, and how to reach it."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from heliostat_cli.errors import UsageError
from heliostat_core.worlds import JsonObject, Logs, World

WORLD_VARIABLE = "HELIOSTAT_WORLD"
MANAGER = "heliostat-cli"
CANCEL_MANAGER = "heliostat-cancel"
"""A manager of its own: an apply of `cancel` alone must not take other fields back."""


class WorldName(StrEnum):
    EMBEDDED = "embedded"
    CLUSTER = "cluster"


@dataclass(frozen=True)
class Place:
    """A world and, for a cluster, the kubeconfig's context."""

    world: WorldName
    context: str | None = None


@dataclass(frozen=True)
class OpenWorld:
    """A world that can be asked now, and what its runs print.

    `canceller` is the same world, written to under the name that cancels. `workspace_of` says
    where a pod's working folder is, when that is on this machine; `goes_on` whether somebody
    reconciles the world when we leave.
    """

    world: World
    canceller: World
    logs: Logs
    workspace_of: Callable[[JsonObject], Path | None]
    goes_on: bool
    namespace: str = "default"
    """The one that is meant when none is named."""

    @property
    def name(self) -> str:
        return self.world.name


def choose_place(world: WorldName | None, context: str | None, environ: Mapping[str, str]) -> Place:
    """--world wins; else --context means the cluster; else HELIOSTAT_WORLD; else embedded."""
    if world is WorldName.EMBEDDED and context:
        raise UsageError(
            "--context names a cluster, but --world is embedded", "Leave out one of the two."
        )
    if world is not None or context:
        return Place(world or WorldName.CLUSTER, context)
    named = environ.get(WORLD_VARIABLE) or WorldName.EMBEDDED.value
    if named not in list(WorldName):
        raise UsageError(f"{WORLD_VARIABLE} is {named!r}", "Set it to embedded or cluster.")
    return Place(WorldName(named))


@asynccontextmanager
async def open_cluster(context: str | None) -> AsyncIterator[OpenWorld]:
    """The cluster of the kubeconfig and that context, else of its current one."""
    # Imported here: the Kubernetes client takes a while, which no embedded command should wait.
    from heliostat_kubernetes.cluster import KubernetesWorld

    async with (
        await KubernetesWorld.connect(context=context, field_manager=MANAGER) as world,
        await KubernetesWorld.connect(context=context, field_manager=CANCEL_MANAGER) as canceller,
    ):
        yield OpenWorld(
            world, canceller, world, lambda _: None, goes_on=True, namespace=world.namespace
        )
