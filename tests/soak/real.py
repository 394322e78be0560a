"""A soak in real pods of a real cluster: Claude Code runs, the scripted provider answers."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import aiohttp
from pydantic import BaseModel, Field

from heliostat_core.keys import sign_admin_token
from soak.course import Options
from soak.place import NAMESPACE, Ledger
from soak.programs import Use
from soak.restarts import Part
from soak.seen import Run
from soak.trial import Verdict, soak
from support.cluster import open_cluster
from support.kubectl import Kubectl
from support.operator_process import read_signing_key
from support.platform import SYSTEM, Platform

GATEWAY, OPERATOR = "heliostat-gateway", "heliostat-operator"
# They look again after up to a minute, and every run needs them.
_PATIENT = ("kube-controller-manager", "kube-scheduler")


class _Attempt(BaseModel):
    attempt: int
    cost_nanos: int = Field(alias="costNanos")


class _Sum(BaseModel):
    attempts: list[_Attempt]


@dataclass(frozen=True)
class RealPlace:
    """Implements soak.place.Place over the manifests' installation, which has no Redis."""

    platform: Platform
    gateway_url: str
    signing_key: str

    @property
    def parts(self) -> frozenset[Part]:
        """The API server only where the node's script can kill it."""
        has_node = self.platform.cluster.node_script is not None
        return frozenset({"operator", "API server"} if has_node else {"operator"})

    @property
    def kubectl(self) -> Kubectl:
        return self.platform.cluster.kubectl

    async def evict(self, pod: str) -> bool:
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod, "namespace": NAMESPACE},
        }
        path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}/eviction"
        asked = ("create", "--raw", path, "-f", "-")
        done = await asyncio.to_thread(self.kubectl.run, *asked, stdin=json.dumps(body))
        return done.returncode == 0

    async def restart(self, part: Part, times: int) -> None:
        del times
        if part == "operator":
            await asyncio.to_thread(self.platform.kill_program, OPERATOR, "heliostat_operator")
        else:
            await asyncio.to_thread(self._restart_api_server)

    def _restart_api_server(self) -> None:
        for name in ("kube-apiserver", *_PATIENT):
            self.platform.cluster.kill(name)
            self.platform.cluster.restart(name)

    def measure_operator(self) -> Use | None:
        return None

    def revive_operator(self) -> bool:
        return False

    async def read_ledger(self, runs: Iterable[Run]) -> Ledger:
        """As the gateway says it of each run."""
        token = sign_admin_token(self.signing_key, int(time.time()))
        headers = {"Authorization": f"Bearer {token}"}
        found: dict[str, dict[int, int]] = {}
        async with aiohttp.ClientSession(self.gateway_url, headers=headers) as session:
            for run in runs:
                async with session.get(f"/admin/executions/{run.uid}") as answer:
                    said = _Sum.model_validate_json(await answer.text())
                found[run.uid] = {each.attempt: each.cost_nanos for each in said.attempts}
        return found


def soak_in_real_pods(options: Options, say: Callable[[str], None]) -> Verdict:
    """On the cluster that e2e tests would use. Raises NoClusterError."""
    with open_cluster() as cluster:
        platform = Platform(cluster)
        platform.install()
        try:
            return asyncio.run(soak(_place(platform), options, say))
        finally:
            cluster.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found")
            platform.uninstall()


def _place(platform: Platform) -> RealPlace:
    kubectl = platform.cluster.kubectl
    address = kubectl(
        *("-n", SYSTEM, "get", "service", GATEWAY, "-o", "jsonpath={.spec.clusterIP}")
    )
    key = read_signing_key(kubectl)
    if key is None:
        raise RuntimeError("the operator has made no signing key")
    return RealPlace(platform, f"http://{address}:8081", key)
