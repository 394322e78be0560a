"""Heliostat installed in a cluster, as a user of kubectl sees it."""

import base64
import contextlib
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import yaml

from heliostat_core.executions import Attempt, Execution
from heliostat_core.resources import ObjectHead
from heliostat_core.worlds import JsonObject
from support.cluster import Cluster
from support.kubectl import KubectlError
from support.manifests import INSTALLATION

SYSTEM = "heliostat-system"
NAMESPACE = "heliostat-e2e"
_PAUSE = 0.2
_GROUPS = {
    "agent": "apis/heliostat.dev/v1alpha1",
    "execution": "apis/heliostat.dev/v1alpha1",
    "cronjob": "apis/batch/v1",
    "job": "apis/batch/v1",
    "statefulset": "apis/apps/v1",
    "pod": "api/v1",
    "secret": "api/v1",
    "service": "api/v1",
}
"""Of the kinds that tests look at: without a kubectl for each look, which takes 0.1 s of CPU."""


class NotSeenError(AssertionError):
    """A condition did not come true in time; the text is the last state that was seen."""


@dataclass(frozen=True)
class Platform:
    """What tests do to the platform: apply, look, break."""

    cluster: Cluster
    namespace: str = NAMESPACE

    # ---- installing -----------------------------------------------------------------------------

    def install(self) -> None:
        """Everything of manifests/, and a namespace for the tests under Pod Security restricted."""
        self.cluster.kubectl("apply", "-k", INSTALLATION)
        self.apply(
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {
                    "name": NAMESPACE,
                    "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
                },
            }
        )
        for name in ("heliostat-gateway", "heliostat-operator"):
            self.wait_for_rollout(name)

    def uninstall(self) -> None:
        self.cluster.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found")
        self.cluster.kubectl("delete", "-k", INSTALLATION, "--ignore-not-found")

    def wait_for_rollout(self, deployment: str) -> None:
        """Waits longer than a kubelet may take to bring the api's key to the gateway (90 s)."""
        self.cluster.kubectl(
            "-n", SYSTEM, "rollout", "status", f"deployment/{deployment}", "--timeout=180s"
        )

    # ---- objects --------------------------------------------------------------------------------

    def apply(self, *objects: Mapping[str, object]) -> None:
        text = yaml.safe_dump_all([dict(each) for each in objects])
        self.cluster.kubectl("apply", "-f", "-", stdin=text)

    def agent(self, name: str, model: str = "scripted/hello", **spec: object) -> None:
        """An Agent in the tests' namespace; everything that a test does not care about is small."""
        workspace = {"resources": {"cpu": "50m", "memory": "512Mi"}}
        base: dict[str, object] = {
            "prompt": f"I am {name}.",
            "model": {"name": model},
            "workspace": workspace,
            "limits": {"timeoutSeconds": 120},
        }
        self.apply(
            {
                "apiVersion": "heliostat.dev/v1alpha1",
                "kind": "Agent",
                "metadata": {"name": name, "namespace": self.namespace},
                "spec": merged(base, spec),
            }
        )

    def run(self, name: str, agent: str, **spec: object) -> None:
        """An Execution of an Agent."""
        self.apply(
            {
                "apiVersion": "heliostat.dev/v1alpha1",
                "kind": "Execution",
                "metadata": {"name": name, "namespace": self.namespace},
                "spec": {"agentRef": {"name": agent}, **spec},
            }
        )

    def find(self, kind: str, name: str, namespace: str = "") -> JsonObject | None:
        found = self.cluster.read(f"{path_of(kind, namespace or self.namespace)}/{name}")
        obj: JsonObject | None = None if found is None else json.loads(found)
        return obj

    def objects(self, kind: str, selector: str = "", namespace: str = "") -> list[JsonObject]:
        path = path_of(kind, namespace or self.namespace)
        found = self.cluster.read(f"{path}?{urlencode({'labelSelector': selector})}")
        assert found is not None
        items: list[JsonObject] = json.loads(found)["items"]
        return items

    def execution(self, name: str) -> Execution:
        found = self.cluster.read(f"{path_of('execution', self.namespace)}/{name}")
        assert found is not None, f"Execution {name!r} is gone"
        return Execution.model_validate_json(found)

    def events(self) -> str:
        """The last of what the cluster says happened in the tests' namespace."""
        found = self.cluster.kubectl(
            "-n", self.namespace, "get", "events", "--sort-by=.lastTimestamp"
        )
        return "\n".join(found.splitlines()[-30:])

    # ---- waiting --------------------------------------------------------------------------------

    def wait_for_execution(
        self, name: str, condition: Callable[[Execution], bool], what: str, seconds: float = 60
    ) -> Execution:
        deadline = time.monotonic() + seconds
        while True:
            execution = self.execution(name)
            if condition(execution):
                return execution
            if time.monotonic() > deadline:
                status = json.dumps(execution.status.to_json(), indent=1)
                raise NotSeenError(
                    f"{name!r} was not {what} after {seconds} s:\n{status}\n{self.events()}"
                )
            time.sleep(_PAUSE)

    def wait_until_finished(self, name: str, seconds: float = 90) -> Execution:
        return self.wait_for_execution(name, is_finished, "finished", seconds)

    def wait_until_settled(self, name: str, seconds: float = 90) -> Execution:
        return self.wait_for_execution(name, is_settled, "settled", seconds)

    def wait_until_running(self, name: str, attempt: int = 1, seconds: float = 60) -> Attempt:
        """Its container runs; the record of that attempt."""

        def runs(execution: Execution) -> bool:
            current = execution.current_attempt
            return (
                execution.status.phase == "Running"
                and current is not None
                and current.number == attempt
            )

        current = self.wait_for_execution(
            name, runs, f"running attempt {attempt}", seconds
        ).current_attempt
        assert current is not None
        return current

    def wait_for_log(self, pod: str, text: str, seconds: float = 60) -> None:
        """Until the pod's log says so."""
        self.wait(lambda: text in self.log(pod), f"{text!r} in the log of {pod}", seconds)

    def log(self, pod: str) -> str:
        """Of its only container; empty before there is one."""
        path = f"/api/v1/namespaces/{self.namespace}/pods/{pod}/log"
        try:
            return (self.cluster.read(path) or b"").decode(errors="replace")
        except KubectlError:
            return ""

    def wait(
        self, condition: Callable[[], bool], what: str, seconds: float = 60, pause: float = _PAUSE
    ) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise NotSeenError(f"not seen after {seconds} s: {what}")
            time.sleep(pause)

    # ---- breaking -------------------------------------------------------------------------------

    def evict(self, pod: str) -> None:
        """By the eviction API, as a drain does it."""
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod, "namespace": self.namespace},
        }
        path = f"/api/v1/namespaces/{self.namespace}/pods/{pod}/eviction"
        self.cluster.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(body))

    def kill_program(self, deployment: str, module: str) -> None:
        """kill -9 of the program of a deployment's pod, from within its container."""
        self.kill_program_in(f"deployment/{deployment}", module)

    def kill_program_in(self, target: str, module: str, when: str = "") -> None:
        """The same for what kubectl exec knows as `target`, for example pod/NAME.

        `when` is Python that ends at the right moment.
        """
        script = when + (
            "import os, pathlib\n"
            "for each in pathlib.Path('/proc').glob('[0-9]*/cmdline'):\n"
            f"    if b'-m\\0{module}' in each.read_bytes() and each.parent.name != '1':\n"
            "        os.kill(int(each.parent.name), 9)\n"
        )
        self.cluster.kubectl.run("-n", SYSTEM, "exec", target, "--", "python", "-c", script)

    def scale(self, deployment: str, replicas: int) -> None:
        self.cluster.kubectl(
            "-n", SYSTEM, "scale", f"deployment/{deployment}", f"--replicas={replicas}"
        )
        self.wait(lambda: len(self.pods_of(deployment)) == replicas, f"{replicas} of {deployment}")
        if replicas:
            self.wait_for_rollout(deployment)

    @contextlib.contextmanager
    def away(self, deployment: str) -> Iterator[None]:
        """None of its pods is there meanwhile."""
        self.scale(deployment, 0)
        try:
            yield
        finally:
            self.scale(deployment, 1)

    def pods_of(self, deployment: str) -> list[str]:
        heads = map(ObjectHead.model_validate, self.objects("pod", namespace=SYSTEM))
        names = [f"pod/{each.metadata.name}" for each in heads]
        return [each for each in names if f"/{deployment}-" in each]

    # ---- the gateway ----------------------------------------------------------------------------

    def execution_key(self, attempt: Attempt) -> str:
        """The key of an attempt, from its Secret."""
        found = self.find("secret", attempt.job_name)
        assert found is not None
        data = found["data"]
        assert isinstance(data, dict)
        return base64.b64decode(str(data["key"])).decode()

    def ask_gateway(self, key: str) -> int:
        """HTTP status of one small model call with that key."""
        service = self.find("service", "heliostat-gateway", SYSTEM)
        assert service is not None
        spec = service["spec"]
        assert isinstance(spec, dict)
        body = {
            "model": "scripted/hello",
            "max_tokens": 10,
            "messages": [{"role": "user", "content": "hello"}],
        }
        request = urllib.request.Request(
            f"http://{spec['clusterIP']}:8081/v1/messages",
            data=json.dumps(body).encode(),
            headers={"x-api-key": key, "content-type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return int(error.code)


def path_of(kind: str, namespace: str) -> str:
    """Where the API has the objects of a kind, by its name in singular or plural."""
    singular = kind.removesuffix("s")
    return f"/{_GROUPS[singular]}/namespaces/{namespace}/{singular}s"


def is_finished(execution: Execution) -> bool:
    return execution.is_finished


def is_settled(execution: Execution) -> bool:
    return execution.is_finished and execution.is_settled


def is_blocked_by(reason: str) -> Callable[[Execution], bool]:
    return lambda execution: any(each.reason == reason for each in execution.status.blocked_by)


def merged(base: Mapping[str, object], change: Mapping[str, object]) -> dict[str, object]:
    """`base` with `change` over it, object by object."""
    result = dict(base)
    for key, value in change.items():
        old = result.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            result[key] = merged(old, value)
        else:
            result[key] = value
    return result
