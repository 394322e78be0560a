"""A pod's token before a real API server: whose attempt it delivers, and what is refused."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from pydantic import JsonValue

from heliostat_api.ingest.endpoints import add_ingest
from heliostat_api.ingest.keyring import Keyring
from heliostat_api.ingest.pod_tokens import SLACK_SECONDS, PodTokens
from heliostat_api.ingest.service import Ingest
from heliostat_api.web.problems import ProblemError, add_problems
from heliostat_core.names import (
    ATTEMPT_LABEL,
    EXECUTION_ANNOTATION,
    EXECUTION_UID_ANNOTATION,
    MANAGED_BY,
    MANAGED_BY_LABEL,
)
from heliostat_core.resources import ObjectHead
from heliostat_core.worlds import EXECUTION, POD, Ref
from heliostat_kubernetes.cluster import Call, KubernetesWorld
from support.control_plane import Address
from support.deliveries import KnownRuns
from support.ingest_doubles import MemoryActions, MemoryLog, MemoryTranscripts, NoFiles
from support.manifests import read_objects
from support.shared_api import Clock
from support.worlds import make_namespace

AUDIENCE = "heliostat-api"
RBAC = Path(__file__).parents[3] / "manifests" / "api" / "rbac.yaml"


@dataclass
class Place:
    """A namespace where a run's pod is, and the api's view of it."""

    address: Address
    world: KubernetesWorld
    namespace: str
    clock: Clock

    def tokens(self) -> PodTokens:
        return PodTokens(self.world, AUDIENCE, lambda: self.clock().timestamp())

    def make(self, obj: JsonValue) -> None:
        self.address.kubectl("apply", "-n", self.namespace, "-f", "-", stdin=json.dumps(obj))

    async def uid(self, name: str) -> str:
        found = await self.world.get(Ref(EXECUTION, self.namespace, name))
        assert found is not None
        return ObjectHead.model_validate(found).metadata.uid

    def make_pod(self, name: str, uid: str, execution: str = "sales-1", attempt: str = "2") -> None:
        """As the operator's Job makes it."""
        labels = {MANAGED_BY_LABEL: MANAGED_BY, ATTEMPT_LABEL: attempt} if attempt else {}
        annotations = {EXECUTION_ANNOTATION: execution, EXECUTION_UID_ANNOTATION: uid}
        meta: JsonValue = {"name": name, "labels": {**labels}, "annotations": {**annotations}}
        container: JsonValue = {"name": "agent", "image": "none"}
        spec: JsonValue = {"serviceAccountName": "runner", "containers": [container]}
        self.make({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})

    def token(self, *options: str, audience: str = AUDIENCE) -> str:
        given = ("create", "token", "runner", "-n", self.namespace, f"--audience={audience}")
        return self.address.kubectl(*given, *options).strip()

    def token_of(self, pod: str, audience: str = AUDIENCE) -> str:
        bound = ("--bound-object-kind=Pod", f"--bound-object-name={pod}")
        return self.token(*bound, audience=audience)

    async def refusal(self, token: str) -> tuple[int, str]:
        with pytest.raises(ProblemError) as refused:
            await self.tokens().claims(token)
        return refused.value.status, str(refused.value)


@pytest_asyncio.fixture
async def place(api_server_with_crds: Address) -> AsyncIterator[Place]:
    address = api_server_with_crds
    async with await KubernetesWorld.connect(kubeconfig=address.kubeconfig) as world:
        made = Place(address, world, make_namespace(address), Clock())
        account: JsonValue = {"name": "runner"}
        made.make({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})
        made.make(
            {
                "apiVersion": EXECUTION.api_version,
                "kind": EXECUTION.name,
                "metadata": {"name": "sales-1"},
                "spec": {"agentRef": {"name": "sales"}, "correlationId": "c-1"},
            }
        )
        yield made


async def test_a_pod_of_a_run_delivers_its_attempt_with_what_the_manifests_allow(
    place: Place,
) -> None:
    uid = await place.uid("sales-1")
    place.make_pod("sales-1-2-x", uid)
    token = place.token_of("sales-1-2-x")
    tokens = place.tokens()
    assert tokens.may_be(token)
    place.world.calls.clear()
    claims = await tokens.claims(token)
    assert (claims.execution_uid, claims.attempt) == (uid, 2)
    assert (claims.agent, claims.correlation_id) == (f"{place.namespace}/sales", "c-1")
    used = {Call("authentication.k8s.io", "tokenreviews", "create"), Call("", "pods", "get")}
    assert place.world.calls == {*used, Call("heliostat.dev", "executions", "get")}
    assert place.world.calls <= allowed()
    place.world.calls.clear()
    assert await tokens.claims(token) == claims
    assert place.world.calls == set(), "believed until shortly before its end"


def allowed() -> set[Call]:
    """What the api may do everywhere."""
    roles = (each for each in read_objects(RBAC) if each["kind"] == "ClusterRole")
    return {
        Call(group, resource, verb)
        for role in roles
        for rule in json.loads(json.dumps(role["rules"]))
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


async def test_what_is_no_token_of_a_runs_pod_for_us_is_refused_in_words(place: Place) -> None:
    uid = await place.uid("sales-1")
    place.make_pod("right", uid)
    status, text = await place.refusal(place.token_of("right", audience="another"))
    assert status == 401
    assert "does not know this token" in text
    status, text = await place.refusal(place.token_of("right")[:-6] + "AAAAAA")
    assert status == 401
    assert (await place.refusal(place.token()))[1].startswith("This token is bound to no pod.")
    place.make_pod("stranger", uid, attempt="")
    assert (await place.refusal(place.token_of("stranger")))[0] == 403
    place.make_pod("liar", "00000000-0000-0000-0000-000000000000")
    status, text = await place.refusal(place.token_of("liar"))
    assert status == 403
    assert "The Execution of the pod" in text


async def test_a_pod_of_another_namespace_speaks_for_no_run_of_this_one(place: Place) -> None:
    other = Place(place.address, place.world, make_namespace(place.address), place.clock)
    other.make({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "runner"}})
    other.make_pod("sales-1-2-x", await place.uid("sales-1"))
    assert (await place.refusal(other.token_of("sales-1-2-x")))[0] == 403


async def test_a_token_of_a_pod_that_is_gone_is_refused(place: Place) -> None:
    place.make_pod("short", await place.uid("sales-1"))
    token = place.token_of("short")
    await place.world.delete(Ref(POD, place.namespace, "short"), grace_seconds=0)
    assert (await place.refusal(token))[0] == 401


async def test_over_http_a_pods_token_opens_its_own_attempt_alone(
    place: Place, tmp_path: Path
) -> None:
    uid = await place.uid("sales-1")
    place.make_pod("sales-1-2-x", uid)
    runs = KnownRuns(**{uid.replace("-", "_"): ("person:ann",)})
    service = Ingest(
        MemoryTranscripts(), NoFiles(), MemoryActions(), runs, MemoryLog(), place.clock
    )
    app = FastAPI()
    add_problems(app)
    keyring = Keyring(tmp_path, lambda: place.clock().timestamp())
    add_ingest(app, service, keyring, place.tokens())
    headers = {"Authorization": f"Bearer {place.token_of('sales-1-2-x')}"}
    attempts = f"/ingest/v1/executions/{uid}/attempts"
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://api.test", headers=headers
    ) as pod:
        stored = await pod.post(f"{attempts}/2/events?first=0", content=b'{"a":1}\n')
        assert (stored.status_code, stored.json()) == (200, {"next": 1})
        assert (await pod.get(f"{attempts}/3")).status_code == 403
        assert (await pod.get(attempts.replace(uid, "another") + "/2")).status_code == 403
        for other in (place.token_of("sales-1-2-x", audience="another"), place.token()):
            bearer = {"Authorization": f"Bearer {other}"}
            assert (await pod.get(f"{attempts}/2", headers=bearer)).status_code == 401


async def test_a_token_is_believed_no_longer_than_shortly_before_its_end(place: Place) -> None:
    place.make_pod("sales-1-2-x", await place.uid("sales-1"))
    token, tokens = place.token_of("sales-1-2-x"), place.tokens()
    claims = await tokens.claims(token)
    left = claims.exp - place.clock().timestamp() - SLACK_SECONDS
    await place.world.delete(Ref(POD, place.namespace, "sales-1-2-x"), grace_seconds=0)
    place.clock.now += timedelta(seconds=left - 1)
    assert await tokens.claims(token) == claims
    place.clock.now += timedelta(seconds=1)
    with pytest.raises(ProblemError) as refused:
        await tokens.claims(token)
    assert refused.value.status == 401
