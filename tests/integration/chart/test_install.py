"""What helm itself does with the chart: whose definitions are there, whose images, what is said."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import yaml

from support.control_plane import Address
from support.worlds import make_namespace
from tools.machine import ROOT

from .test_chart import CHART, containers_of, objects_of, render, variables_of

NAMESPACE = "heliostat-install"
DIGEST = "sha256:" + "a" * 64
PARTS = ("operator", "workspace", "gateway", "api", "redis")
CRDS = "agents.heliostat.dev", "approvals.heliostat.dev", "executions.heliostat.dev"
MODE = "HELIOSTAT_OPERATOR_APPROVALS_MODE"


@dataclass(frozen=True)
class Release:
    """On an API server where nothing runs, so without hooks, which would be waited for."""

    helm: str
    address: Address
    agents: str

    def run(self, verb: str, *options: str) -> subprocess.CompletedProcess[str]:
        command = [self.helm, verb, "heliostat", *options, "-n", NAMESPACE, "--no-hooks"]
        command += ["--kubeconfig", str(self.address.kubeconfig)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    def install(self, *options: str) -> subprocess.CompletedProcess[str]:
        agents = f"agents.createNamespace=false,agents.namespace={self.agents}"
        namespaces = ("--create-namespace", "--set", agents)
        return self.run("install", str(CHART), *namespaces, *options)

    def mode(self) -> str:
        """What happens to Agents that say nothing of approvals."""
        found = self.address.kubectl(
            "-n", NAMESPACE, "get", "deployment", "heliostat-operator", "-o", "yaml"
        )
        return str(variables_of(objects_of(found))[MODE])

    def owner_of(self, definition: str) -> str | None:
        found = yaml.safe_load(self.address.kubectl("get", "crd", definition, "-o", "yaml"))
        owner = found["metadata"]["annotations"].get("meta.helm.sh/release-namespace")
        return None if owner is None else str(owner)


@pytest.fixture
def release(helm: str, api_server_with_crds: Address) -> Iterator[Release]:
    yield (made := Release(helm, api_server_with_crds, make_namespace(api_server_with_crds)))
    made.run("uninstall", "--ignore-not-found")
    for name in CRDS:
        annotation = "meta.helm.sh/release-namespace-"
        made.address.kubectl("annotate", "crd", name, annotation, "meta.helm.sh/release-name-")


def test_definitions_that_kubectl_made_are_taken_over_when_asked(release: Release) -> None:
    refused = release.install()
    assert refused.returncode != 0
    assert "invalid ownership metadata" in refused.stderr
    assert release.owner_of(CRDS[0]) is None
    taken = release.install("--take-ownership")
    assert taken.returncode == 0, taken.stderr
    assert {release.owner_of(each) for each in CRDS} == {NAMESPACE}
    ended = release.run("uninstall")
    assert ended.returncode == 0, ended.stderr
    assert {release.owner_of(each) for each in CRDS} == {NAMESPACE}, "kept, with what they define"
    again = release.install("--take-ownership")
    assert again.returncode == 0, again.stderr


def test_notes_say_the_next_commands_of_this_release(release: Release) -> None:
    said = release.install("--take-ownership").stdout
    for command in (
        f"helm test heliostat -n {NAMESPACE}",
        f"kubectl -n {NAMESPACE} port-forward service/heliostat-api 8080",
        f"kubectl -n {NAMESPACE} create secret generic heliostat-provider-keys "
        "--from-literal=ANTHROPIC_API_KEY=...",
        f"kubectl -n {NAMESPACE} rollout restart deployment/heliostat-gateway",
    ):
        assert f"     {command}\n" in said
    assert "--take-ownership" in said
    page = (ROOT / "docs" / "approvals.md").read_text()
    [deciding] = [each for each in re.findall(r"```sh\n(.*?)```", page, re.S) if "ME=" in each][:1]
    for line in deciding.replace("NAMESPACE", release.agents).splitlines():
        assert f"     {line}\n" in said, line


def test_an_upgrade_keeps_the_mode_and_observes_where_there_was_none(release: Release) -> None:
    assert release.install("--take-ownership").returncode == 0
    assert release.mode() == "Enforce"
    assert release.run("upgrade", str(CHART), "--reuse-values").returncode == 0
    assert release.mode() == "Enforce"
    # As the release before had it.
    kubectl = release.address.kubectl
    kubectl("-n", NAMESPACE, "set", "env", "deployment/heliostat-operator", f"{MODE}-")
    assert release.run("upgrade", str(CHART), "--reuse-values").returncode == 0
    assert release.mode() == "Observe"
    chosen = ("--reuse-values", "--set=approvals.mode=Enforce")
    assert release.run("upgrade", str(CHART), *chosen).returncode == 0
    assert release.mode() == "Enforce"


@pytest.mark.parametrize("digest", ["", DIGEST])
def test_every_image_comes_from_the_registry_that_is_named(helm: str, digest: str) -> None:
    own = [f"--set={part}.image.digest={digest}" for part in PARTS if digest]
    done = render(
        helm, "", "--set=image.registry=registry.example/team", "--set=image.tag=v9", *own
    )
    objects = objects_of(done.stdout)
    images = {str(each["image"]) for each in containers_of(objects)}
    images.add(str(variables_of(objects)["HELIOSTAT_OPERATOR_WORKSPACE_IMAGE"]))
    end = f"@{digest}" if digest else ":v9"
    assert images == {f"registry.example/team/heliostat-{part}{end}" for part in PARTS}
