"""Several gateways on one ledger in a cluster, as an owner of the cluster sees them."""

import base64
import json
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field, TypeAdapter

from heliostat_core.keys import sign_admin_token
from heliostat_core.resources import ObjectHead
from heliostat_core.worlds import JsonObject
from heliostat_scripted.bill import BillEntry
from support.manifests import INSTALLATION, ROOT
from support.platform import SYSTEM, Platform

OVERLAY = ROOT / "tests" / "e2e" / "shared"
GATEWAY, WRITER, REDIS = "heliostat-gateway", "heliostat-gateway-writer", "heliostat-redis"
_ENTRIES = TypeAdapter(list[BillEntry])


class _Status(BaseModel):
    pod_ip: Annotated[str, Field(alias="podIP")] = "not-yet"


class Pod(ObjectHead):
    """A pod, as far as it matters here."""

    status: _Status

    @property
    def address(self) -> str:
        """Of its gateway."""
        return f"http://{self.status.pod_ip}:8081"


class Row(BaseModel):
    """A call as the ledger has it."""

    provider_request: str
    cost_nanos: int
    estimated: bool
    outcome: str


_ROWS = TypeAdapter(list[Row])
# In the writer's pod; the file is only read.
_READ_ROWS = """
import json, sqlite3, sys
rows = sqlite3.connect('file:/data/ledger.sqlite?mode=ro', uri=True).execute(
    'SELECT provider_request, cost_nanos, estimated, outcome FROM requests WHERE execution = ?',
    sys.argv[1:])
names = ('provider_request', 'cost_nanos', 'estimated', 'outcome')
print(json.dumps([dict(zip(names, row)) for row in rows]))
"""
# In the gateway's pod, for kubectl takes longer than a stream. By then the gateway has noted it.
_WAIT_FOR_A_STREAM = """
import time, urllib.request
deadline = time.monotonic() + 20
def is_streaming():
    assert time.monotonic() < deadline
    metrics = urllib.request.urlopen('http://localhost:8081/metrics').read()
    return b'heliostat_gateway_open_calls 1.0' in metrics
while is_streaming(): pass
while not is_streaming(): pass
time.sleep(0.5)
"""


@dataclass(frozen=True)
class SharedGateways:
    """What tests do to them."""

    platform: Platform

    # ---- from one to two and back ---------------------------------------------------------------

    def install(self) -> None:
        """As docs/gateway.md says: one gateway ends, two and a writer begin."""
        kubectl = self.platform.cluster.kubectl
        self.platform.scale(GATEWAY, 0)
        password = f"--from-literal=password={secrets.token_hex(32)}"
        kubectl("-n", SYSTEM, "create", "secret", "generic", REDIS, password)
        kubectl("apply", "-k", OVERLAY)
        self.wait_until_whole()
        self.platform.wait_for_rollout("test-provider")

    def go_back(self) -> None:
        """As docs/gateway.md says: two gateways end, all records become rows, one begins."""
        kubectl = self.platform.cluster.kubectl
        if self.platform.find("statefulset", REDIS, SYSTEM) is None:
            return
        kubectl("-n", SYSTEM, "scale", f"deployment/{GATEWAY}", "--replicas=0")
        self.platform.wait(lambda: not self.pods(GATEWAY), "the gateways have ended")
        self.platform.wait(lambda: self._records() == 0, "all records are rows")
        kubectl("-n", SYSTEM, "delete", "deployment,service,configmap", "-l", "heliostat.dev/test")
        for part in ("writer", "redis"):
            kubectl("delete", "-k", INSTALLATION / part)
        kubectl("-n", SYSTEM, "delete", "secret", REDIS)
        kubectl("-n", SYSTEM, "delete", "pdb", GATEWAY)
        kubectl("apply", "-k", INSTALLATION)
        self.platform.wait_for_rollout(GATEWAY)

    def wait_until_whole(self) -> None:
        """Two gateways are ready and on the shared ledger, and the writer writes."""
        for name in (GATEWAY, WRITER):
            self.platform.wait_for_rollout(name)
        self.platform.wait(lambda: self.modes() == ["shared", "shared"], "both share the ledger")

    # ---- looking --------------------------------------------------------------------------------

    def pods(self, name: str = GATEWAY) -> list[Pod]:
        """Those that are there, by name."""
        found = self.platform.objects("pod", f"app.kubernetes.io/name={name}", SYSTEM)
        return [Pod.model_validate(each) for each in found]

    def modes(self) -> list[str]:
        """What each gateway says of the ledger."""
        return [str(self._get(f"{pod.address}/readyz").get("ledger")) for pod in self.pods()]

    def sums(self, uid: str) -> list[JsonObject]:
        """What each gateway says that an execution cost."""
        token = {"authorization": f"Bearer {self._admin_token()}"}
        return [self._get(f"{each.address}/admin/executions/{uid}", token) for each in self.pods()]

    def rows(self, uid: str) -> list[Row]:
        """The ledger's rows of an execution."""
        self.platform.wait(lambda: self._records() == 0, "all records are rows")
        return _ROWS.validate_json(
            self.platform.cluster.kubectl(
                "-n", SYSTEM, "exec", f"deployment/{WRITER}", "--", "python", "-c", _READ_ROWS, uid
            )
        )

    def bill(self) -> list[BillEntry]:
        """The whole invoice of the provider, in order."""
        service = self.platform.find("service", "test-provider", SYSTEM)
        assert service is not None
        spec = service["spec"]
        assert isinstance(spec, dict)
        return _ENTRIES.validate_python(
            self._get(f"http://{spec['clusterIP']}:8090/bill")["entries"]
        )

    def streaming_pod(self) -> Pod:
        """A gateway that has a call open, once there is one."""
        found: list[Pod] = []

        def is_found() -> bool:
            found.extend(each for each in self.pods() if b"_open_calls 1.0" in self._metrics(each))
            return bool(found)

        self.platform.wait(is_found, "a gateway with an open call")
        return found[0]

    # ---- breaking -------------------------------------------------------------------------------

    def kill_in_a_stream(self, pod: Pod) -> None:
        """kill -9 of the gateway in that pod, half a second after its next call has begun."""
        target = f"pod/{pod.metadata.name}"
        self.platform.kill_program_in(target, "heliostat_gateway", _WAIT_FOR_A_STREAM)

    @contextmanager
    def redis_away(self) -> Iterator[None]:
        """kill -9 of Redis, and its pod is gone for as long as the block takes."""
        kubectl = self.platform.cluster.kubectl
        kill = "kill -9 $(pidof redis-server)"
        kubectl.run("-n", SYSTEM, "exec", f"{REDIS}-0", "--", "sh", "-c", kill)
        try:
            kubectl("-n", SYSTEM, "scale", f"statefulset/{REDIS}", "--replicas=0")
            yield
        finally:
            kubectl("-n", SYSTEM, "scale", f"statefulset/{REDIS}", "--replicas=1")

    def _records(self) -> int:
        """Records in Redis that are not rows yet."""
        command = ("redis-cli", "xlen", "heliostat:money:records")
        kubectl = self.platform.cluster.kubectl
        return int(kubectl("-n", SYSTEM, "exec", f"{REDIS}-0", "--", *command))

    def _admin_token(self) -> str:
        found = self.platform.find("secret", "heliostat-signing-key", SYSTEM)
        assert found is not None
        data = found["data"]
        assert isinstance(data, dict)
        private = base64.b64decode(str(data["private.pem"])).decode()
        return sign_admin_token(private, int(time.time()))

    def _metrics(self, pod: Pod) -> bytes:
        return _read(f"{pod.address}/metrics", {})

    def _get(self, url: str, headers: dict[str, str] | None = None) -> JsonObject:
        found: JsonObject = json.loads(_read(url, headers or {}) or b"{}")
        return found


def _read(url: str, headers: dict[str, str]) -> bytes:
    """The body of an answer; empty where there is none."""
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=10
        ) as answer:
            content: bytes = answer.read()
            return content
    except urllib.error.HTTPError as error:
        return error.read()
    except OSError:
        return b""
