"""CronJobs on a real API server: what is made for an Agent, and what its pod may do."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from heliostat_core.executions import Execution
from heliostat_core.names import CRON_NAME, cron_job_name, scheduled_name
from heliostat_kubernetes.cluster import KubernetesWorld
from heliostat_operator.engine import utc_now
from heliostat_operator.model import cron_pod_variables
from heliostat_operator.schedules import cron_pod
from heliostat_operator.schedules.cron_jobs import SHARED, CronJobs, remove_all
from heliostat_operator.schedules.triggers import TriggerReconciler
from support.builders.resources import make_settings
from support.control_plane import Address
from support.objects import make_agent
from support.worlds import make_namespace

TIME = datetime(2026, 7, 31, tzinfo=UTC)
JOB = cron_job_name("sales")
SCHEDULE = {
    "frequency": "monthly",
    "monthDay": 31,
    "time": "08:30",
    "timeZone": "Asia/Seoul",
    "startingDeadlineSeconds": 600,
    "jitterSeconds": 60,
}


class Installed(Protocol):
    """See conftest."""

    @property
    def server(self) -> Address: ...

    @property
    def kubeconfig(self) -> Path: ...


class Place:
    """A namespace under Pod Security restricted with one Agent, and the operator's hand there."""

    def __init__(self, installed: Installed) -> None:
        self.server = installed.server
        self.kubeconfig = installed.kubeconfig
        self.namespace = make_namespace(self.server)
        label = "pod-security.kubernetes.io/enforce=restricted"
        self.server.kubectl("label", "namespace", self.namespace, label)

    def agent(self, **schedule: object) -> None:
        agent = make_agent(self.namespace, schedule={**SCHEDULE, **schedule})
        self.server.kubectl("apply", "-f", "-", stdin=json.dumps(agent))

    async def keep(self, triggers: TriggerReconciler) -> None:
        await triggers.reconcile((self.namespace, "sales"))

    def find(self, kind: str, name: str) -> dict[str, dict[str, object]]:
        found: dict[str, dict[str, object]] = json.loads(
            self.server.kubectl("-n", self.namespace, "get", kind, name, "-o", "json")
        )
        return found

    def names(self, *kinds: str) -> set[str]:
        found = self.server.kubectl(
            "-n",
            self.namespace,
            "get",
            ",".join(kinds),
            "-o",
            "name",
            "-l",
            f"app.kubernetes.io/name={CRON_NAME}",
        )
        return set(found.split())

    def start_pod(self, template: Mapping[str, Mapping[str, object]]) -> None:
        metadata = {"generateName": "cron-", "labels": template["metadata"]["labels"]}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
        self.server.kubectl("-n", self.namespace, "create", "-f", "-", stdin=json.dumps(pod))

    def environment(self, spec: Mapping[str, object], job: str) -> dict[str, str]:
        """As the kubelet gives it to the pod of that Job."""
        [container] = json.loads(json.dumps(spec["containers"]))
        given = {each["name"]: each["value"] for each in container["env"] if "value" in each}
        address = urlsplit(self.server.url)
        return {
            **given,
            cron_pod_variables.JOB: job,
            "KUBERNETES_SERVICE_HOST": address.hostname or "",
            "KUBERNETES_SERVICE_PORT": str(address.port),
        }

    def credentials(self, folder: Path) -> Path:
        """Of the pods' own account."""
        config = json.loads(self.server.kubeconfig.read_text())
        authority = config["clusters"][0]["cluster"]["certificate-authority-data"]
        (folder / "ca.crt").write_bytes(base64.b64decode(authority))
        token = self.server.kubectl("-n", self.namespace, "create", "token", CRON_NAME)
        (folder / "token").write_text(token)
        return folder


def build_triggers(world: KubernetesWorld) -> TriggerReconciler:
    return TriggerReconciler(world, {"CronJob": CronJobs(world, make_settings(), utc_now)}, utc_now)


async def test_an_agent_gets_a_cronjob_whose_pod_makes_the_execution_of_its_time(
    installed: Installed, tmp_path: Path
) -> None:
    place = Place(installed)
    place.agent()
    async with await KubernetesWorld.connect(kubeconfig=place.kubeconfig) as world:
        triggers = build_triggers(world)
        await place.keep(triggers)
    setup = triggers.setup_of((place.namespace, "sales"))
    assert setup is not None
    assert setup.message == f"CronJob {JOB}: 30 8 28-31 * *, Asia/Seoul"
    spec = place.find("cronjob", JOB)["spec"]
    assert (spec["schedule"], spec["timeZone"]) == ("30 8 28-31 * *", "Asia/Seoul")
    template = json.loads(json.dumps(spec["jobTemplate"]))["spec"]["template"]
    place.start_pod(template)  # accepted

    minutes = int(TIME.timestamp()) // 60
    given = place.environment(template["spec"], f"{JOB}-{minutes}")
    credentials = place.credentials(tmp_path)
    assert [cron_pod.main(given, credentials) for _ in range(2)] == [0, 0]
    offer = Execution.model_validate(place.find("execution", scheduled_name("sales", TIME)))
    assert offer.is_offer
    assert offer.spec.trigger.scheduled_time == TIME
    assert offer.spec.deadline_time == TIME + timedelta(seconds=660)
    assert cron_pod.main({**given, cron_pod_variables.JOB: "by-hand"}, credentials) == 0
    by_hand = Execution.model_validate(place.find("execution", "by-hand"))
    assert (by_hand.spec.trigger.kind, by_hand.is_offer) == ("Manual", False)
    assert cron_pod.main({**given, cron_pod_variables.NAMESPACE: "default"}, credentials) == 1


async def test_it_is_suspended_with_the_agent_and_goes_with_the_trigger(
    installed: Installed,
) -> None:
    place = Place(installed)
    place.agent(suspend=True)
    async with await KubernetesWorld.connect(kubeconfig=place.kubeconfig) as world:
        triggers = build_triggers(world)
        await place.keep(triggers)
        assert place.find("cronjob", JOB)["spec"]["suspend"] is True
        place.agent()
        await place.keep(triggers)
        assert place.find("cronjob", JOB)["spec"]["suspend"] is False
        place.agent(trigger="Builtin")
        await place.keep(triggers)
        assert place.names("cronjob", *(each.plural for each in SHARED)) == set()
        place.agent()
        await place.keep(triggers)
        await remove_all(world)
    assert place.names("cronjob", *(each.plural for each in SHARED)) == set()


async def test_the_pods_reach_the_api_server_alone_and_may_only_make_executions(
    installed: Installed,
) -> None:
    place = Place(installed)
    place.agent()
    async with await KubernetesWorld.connect(kubeconfig=place.kubeconfig) as world:
        await place.keep(build_triggers(world))
    policy = place.find("networkpolicy", CRON_NAME)["spec"]
    [rule] = json.loads(json.dumps(policy["egress"]))
    port = urlsplit(place.server.url).port
    found = place.server.kubectl("get", "endpointslice", "kubernetes", "-o", "json")
    [[address]] = [each["addresses"] for each in json.loads(found)["endpoints"]]
    assert {each["ipBlock"]["cidr"] for each in rule["to"]} == {"10.96.0.1/32", f"{address}/32"}
    assert {each["port"] for each in rule["ports"]} == {443, port}
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    role = json.loads(json.dumps(place.find("role", CRON_NAME)["rules"]))
    assert role == [
        {"apiGroups": ["heliostat.dev"], "resources": ["executions"], "verbs": ["create"]}
    ]
