"""The controller of the network of runs looks after the policies of one namespace at a time."""

from collections.abc import Callable, Sequence

from heliostat_core.resources import ObjectMeta
from heliostat_core.worlds import AGENT, NETWORK_POLICY, Change, Kind
from heliostat_operator.controllers.base import Context, Controller, Listed
from heliostat_operator.model.keys import Key
from heliostat_operator.network.network_policies import NetworkPolicies, network_policies_of
from heliostat_operator.queues import Queues
from heliostat_telemetry.lines import begin_lines

NETWORK = "network"
_DEPTH = 2


class NetworkController(Controller):
    """Its keys are namespaces, without a name."""

    name = NETWORK
    kinds = (NETWORK_POLICY,)
    waits_for_schedules = False

    def __init__(self, network: NetworkPolicies, queues: Queues) -> None:
        super().__init__(_DEPTH)
        self._network = network
        self._queues = queues

    def changed(self, kind: Kind, change: Change) -> None:
        """A policy that another changed or deleted wakes its namespace."""
        meta = ObjectMeta.model_validate(change.object.get("metadata"))
        if self._network.is_touched(meta, kind.name) or change.type == "DELETED":
            self._wake(meta.namespace)

    async def reconcile(self, key: Key) -> float | None:
        """Closes a namespace, or opens it again."""
        begin_lines(namespace=key[0])
        return await self._network.reconcile(key[0])

    def begin_resync(self) -> Callable[[Listed], None]:
        """Every namespace with an Agent is looked at."""

        def end(listed: Listed) -> None:
            for namespace in {namespace for namespace, _ in listed[AGENT]}:
                self._wake(namespace)

        return end

    async def begin(self) -> None:
        """Removes what is left of a time when policies were on."""
        if not self._network.is_on:
            await self._network.clear()

    def _wake(self, namespace: str) -> None:
        wake_namespace(self._network, self._queues, namespace)


def wake_namespace(network: NetworkPolicies, queues: Queues, namespace: str) -> None:
    """Has the policies of a namespace looked at, where there are any."""
    if network.is_on:
        queues.add(NETWORK, (namespace, ""))


def build(context: Context) -> Sequence[Controller]:
    """The controller of the network."""
    return [NetworkController(network_policies_of(context), context.queues)]
