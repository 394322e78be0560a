"""What `heliostat dev` exports goes to a cluster unchanged, and does the same there."""

from contextlib import closing
from dataclasses import dataclass

import pytest

from support.dev_process import running_dev
from support.platform import NAMESPACE, Platform
from support.screens import follow, until_finished

AGENT = """
apiVersion: heliostat.dev/v1alpha1
kind: Agent
metadata:
  name: greeter
spec:
  description: Greets, and shows what the greeting came to.
  prompt: Write a greeting into the file hello.txt and say what you wrote.
  model: {name: scripted/hello}
  tools: {allow: [Read, Write]}
  verify: {command: [sha256sum, hello.txt]}
  limits: {timeoutSeconds: 300, maxTurns: 10}
"""


@dataclass(frozen=True)
class Exported:
    """An agent of a laptop, and how it ran there. `files` are sums by path."""

    name: str
    manifest: str
    reason: str
    result: str
    files: dict[str, str]

    @property
    def sum(self) -> str:
        """What the verifying program prints."""
        return f"{self.files['hello.txt']}  hello.txt"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    with running_dev(tmp_path_factory.mktemp("export")) as dev, dev.browser() as client:
        made = client.post("/api/agents", json={"name": "Greeter", "yaml": AGENT})
        assert made.status_code == 201, made.text
        path = f"/api/agents/{made.json()['agent']}"
        activated = client.post(f"{path}/activate")
        assert activated.status_code == 202, activated.text
        with closing(follow(client)) as events:
            uid = client.post(f"{path}/run", json={}).json()["execution"]
            until_finished(events, uid)
        run = client.get(f"/api/executions/{uid}").json()
        files = client.get(f"/api/executions/{uid}/files").json()["items"]
        return Exported(
            name=client.get(path).json()["resource"],
            manifest=client.get(f"{path}/yaml").text,
            reason=run["reason"],
            result=run["result"],
            files={each["path"]: each["sha256"] for each in files},
        )


def test_a_laptop_runs_the_agent_that_it_exports(exported: Exported) -> None:
    assert exported.reason == "Verified"
    assert exported.result
    assert f"name: {exported.name}\n" in exported.manifest
    assert set(exported.files) == {"hello.txt"}


def test_the_exported_manifest_does_the_same_on_a_cluster(
    exported: Exported, platform: Platform
) -> None:
    kubectl = platform.cluster.kubectl
    kubectl("-n", NAMESPACE, "apply", "-f", "-", stdin=exported.manifest)
    platform.run("exported-1", exported.name)
    execution = platform.wait_until_settled("exported-1", 120)
    status = execution.status
    assert execution.finished_reason == exported.reason
    assert status.result is not None
    assert status.result.text == exported.result
    assert exported.sum in kubectl("-n", NAMESPACE, "logs", status.attempts[0].pod_name or "")
