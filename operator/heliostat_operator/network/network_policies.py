"""The network of runs is closed in every namespace where an Agent lives, before its first pod.

One policy closes a whole namespace and goes when neither Agents nor runs are left there; one for
each Agent with hosts opens those, and goes with the Agent. What others change or delete is mended.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network

from pydantic import ValidationError

from heliostat_core.agents import Agent
from heliostat_core.egress import Egress, Network
from heliostat_core.kinds import UNFINISHED
from heliostat_core.names import NETWORK_LABEL, NETWORK_OF_RUNS
from heliostat_core.resources import ObjectHead, ObjectMeta
from heliostat_core.worlds import (
    AGENT,
    ENDPOINT_SLICE,
    EXECUTION,
    NAMESPACE,
    NETWORK_POLICY,
    SERVICE,
    ForbiddenError,
    InvalidError,
    JsonObject,
    Kind,
    NotFoundError,
    Ref,
    Selection,
    World,
    WorldError,
)
from heliostat_operator.builders.domain_policies import DOMAIN_POLICIES
from heliostat_operator.builders.network_policies import (
    METADATA,
    Neighbours,
    build_guard,
    build_hosts,
    domains_of,
)
from heliostat_operator.controllers.base import Context
from heliostat_operator.model.api_addresses import read_addresses
from heliostat_operator.model.keys import Key
from heliostat_operator.model.peers import read_peers
from heliostat_operator.network.egress_enforcement import EgressEnforcement
from heliostat_operator.settings import OperatorSettings

_Address = tuple[str, str, str]  # namespace, kind, name
OURS: Mapping[str, str] = {NETWORK_LABEL: NETWORK_OF_RUNS}
GUARDING = (NETWORK_POLICY, *DOMAIN_POLICIES)
"""The kinds that guard runs; a cluster may lack all but the first."""
_RUNS_LEFT_SECONDS = 60.0
_CLEAR_AGAIN_SECONDS = 10.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class WayOutside:
    """The address of the proxy that a run needs, empty for none; and what that opens to no run,
    under whatever name."""

    proxy_url: str = ""
    never: tuple[Network, ...] = ()


class NetworkPolicies:
    """Makes, mends and removes what guards the network of runs."""

    def __init__(self, world: World, settings: OperatorSettings) -> None:
        self._world = world
        self._settings = settings
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._guarded: set[str] = set()
        self._opened: dict[Key, tuple[Egress, ...]] = {}
        self._versions: dict[_Address, str] = {}
        self._domain_kind: Kind | None = None
        self._knows_kind = False

    @property
    def is_on(self) -> bool:
        return self._settings.network_policies

    async def hold(self) -> EgressEnforcement:
        """What it opens to runs of the hosts that their Agent names."""
        if not self.is_on:
            return EgressEnforcement.NOTHING
        has_names = self._settings.egress_proxy_url or await self._kind() is not None
        return EgressEnforcement.NAMES if has_names else EgressEnforcement.ADDRESSES

    def is_news(self, agent: Agent) -> bool:
        """Whether a change of this Agent may ask for other policies than there are."""
        meta = agent.metadata
        opened = self._opened.get((meta.namespace, meta.name), ())
        return meta.namespace not in self._guarded or opened != agent.spec.workspace.egress

    def is_touched(self, meta: ObjectMeta, kind: str) -> bool:
        """Whether a change of a policy is somebody else's: its namespace is looked at again."""
        is_own = self._versions.get((meta.namespace, kind, meta.name)) == meta.resource_version
        if not is_own:
            self._guarded.discard(meta.namespace)
        return not is_own

    async def before_pod(
        self, namespace: str, agent: str, egress: tuple[Egress, ...]
    ) -> WayOutside:
        """Closes the namespace and opens the Agent's hosts, where that is not done."""
        if self.is_on and namespace not in self._guarded:
            await self._close(namespace)
        elif self.is_on and egress and self._opened.get((namespace, agent)) != egress:
            await self._open_now(namespace, agent)
        url = self._settings.egress_proxy_url
        if not url or not any(domains_of(egress)) or await self._kind() is not None:
            return WayOutside()
        return WayOutside(url, await self._never())

    async def _open_now(self, namespace: str, name: str) -> None:
        found = await self._world.get(Ref(AGENT, namespace, name))
        if found is not None:
            await self._open(Agent.model_validate(found), await self._neighbours())

    async def reconcile(self, namespace: str) -> float | None:
        """In how many seconds to look again, or None: a change will tell.

        A namespace counts as guarded only from its end on: whoever starts a pod meanwhile waits.
        """
        async with self._locks[namespace]:
            return await self._look(namespace)

    async def clear(self) -> None:
        """Removes what is left of a time when policies were on. Where nobody may see any, none was
        ever made."""
        while True:
            try:
                return await remove_policies(self._world)
            except ForbiddenError as error:
                return logger.warning("policies of runs are off, and not looked for: %s", error)
            except WorldError as error:
                logger.warning("policies of runs are off; what is left goes later: %s", error)
                await asyncio.sleep(_CLEAR_AGAIN_SECONDS)

    async def _close(self, namespace: str) -> None:
        """Of many starts at once the first does it."""
        async with self._locks[namespace]:
            if namespace not in self._guarded:
                await self._look(namespace)

    async def _look(self, namespace: str) -> float | None:
        self._guarded.discard(namespace)
        self._knows_kind = False
        agents = [each async for each in self._agents(namespace)]
        is_left = not agents and not await self._has_runs(namespace)
        await self._keep_only(namespace, set() if is_left else await self._guard(namespace, agents))
        if is_left:
            return None
        self._guarded.add(namespace)
        return None if agents else _RUNS_LEFT_SECONDS

    async def _guard(self, namespace: str, agents: list[Agent]) -> set[_Address]:
        around = await self._neighbours()
        wanted = {await self._apply(build_guard(namespace, await self._owner(), around))}
        for key in [key for key in self._opened if key[0] == namespace]:
            del self._opened[key]
        for each in agents:
            try:
                wanted |= await self._open(each, around)
            except InvalidError as error:  # its hosts stay closed; the others' runs go on
                logger.warning("hosts of Agent %s are not opened: %s", each.metadata.name, error)
        return wanted

    async def _open(self, agent: Agent, around: Neighbours) -> set[_Address]:
        kind = await self._kind()
        built = [build_hosts(agent, around), DOMAIN_POLICIES[kind](agent) if kind else None]
        made = {await self._apply(each) for each in built if each is not None}
        meta = agent.metadata
        self._opened[meta.namespace, meta.name] = agent.spec.workspace.egress
        return made

    async def _apply(self, policy: JsonObject) -> _Address:
        applied = ObjectHead.model_validate(await self._world.apply(policy))
        meta = applied.metadata
        address = meta.namespace, applied.kind, meta.name
        self._versions[address] = meta.resource_version
        return address

    async def _keep_only(self, namespace: str, wanted: set[_Address]) -> None:
        async for ref in our_policies(self._world, namespace):
            address = ref.namespace, ref.kind.name, ref.name
            if address not in wanted:
                self._versions.pop(address, None)
                await self._world.delete(ref)

    async def _agents(self, namespace: str) -> AsyncIterator[Agent]:
        async for found in self._world.list(AGENT, Selection(namespace=namespace)):
            try:
                yield Agent.model_validate(found)
            except ValidationError as error:
                logger.warning("an Agent that can't be read opens no hosts: %s", error)

    async def _has_runs(self, namespace: str) -> bool:
        selection = Selection(namespace=namespace, label_terms=(UNFINISHED,))
        async for _ in self._world.list(EXECUTION, selection):
            return True
        return False

    async def _owner(self) -> JsonObject | None:
        """The operator's own Namespace: what an operator that died leaves goes with it."""
        home = await self._world.get(Ref(NAMESPACE, "", self._settings.namespace))
        if home is None:
            return None
        meta = ObjectHead.model_validate(home).metadata
        return {"apiVersion": "v1", "kind": "Namespace", "name": meta.name, "uid": meta.uid}

    async def _neighbours(self) -> Neighbours:
        settings = self._settings
        is_proxied = settings.egress_proxy_url and await self._kind() is None
        return Neighbours(
            services=read_peers(settings.network_services),
            dns=read_peers(settings.network_dns),
            proxy=read_peers(settings.egress_proxy) if is_proxied else (),
            never=await self._never(),
        )

    async def _never(self) -> tuple[Network, ...]:
        own = tuple(ip_network(each) for each in self._settings.network_never)
        return (*METADATA, *own, *await self._api_server())

    async def _api_server(self) -> tuple[Network, ...]:
        """Every address of the Kubernetes API: its Service's, and those behind it."""
        service = await self._world.get(Ref(SERVICE, "default", "kubernetes"))
        endpoints = await self._world.get(Ref(ENDPOINT_SLICE, "default", "kubernetes"))
        return tuple(ip_network(each) for each in read_addresses(service, endpoints).cidrs)

    async def _kind(self) -> Kind | None:
        """What the cluster itself opens domains with; None: the proxy does."""
        if not self._knows_kind:
            self._domain_kind = await self._find_kind() if self.is_on else None
            self._knows_kind = True
        return self._domain_kind

    async def _find_kind(self) -> Kind | None:
        chosen = self._settings.network_domains
        for kind in DOMAIN_POLICIES:
            if chosen == kind.name or (chosen == "Auto" and await knows(self._world, kind)):
                return kind
        return None


async def knows(world: World, kind: Kind) -> bool:
    """Whether a cluster has a definition of that kind."""
    try:
        async for _ in world.list(kind, Selection(labels=OURS)):
            break
    except NotFoundError:
        return False
    return True


async def remove_policies(world: World) -> None:
    """All of them. Raises WorldError."""
    async for ref in our_policies(world):
        await world.delete(ref)


async def our_policies(world: World, namespace: str | None = None) -> AsyncIterator[Ref]:
    """Everything that we made to guard runs, in one namespace or all."""
    for kind in GUARDING:
        try:
            async for found in world.list(kind, Selection(namespace=namespace, labels=OURS)):
                meta = ObjectHead.model_validate(found).metadata
                yield Ref(kind, meta.namespace, meta.name)
        except NotFoundError:
            continue  # this cluster has no such kind


def network_policies_of(context: Context) -> NetworkPolicies:
    """The one instance of all controllers."""
    return context.shared(NetworkPolicies, lambda: NetworkPolicies(context.world, context.settings))
