"""The chart on a cluster: helm and kubectl together."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from heliostat_core.worlds import JsonObject
from support.cluster import Cluster
from support.site import Site
from tools.machine import ROOT

CHART = ROOT / "charts" / "heliostat"
SYSTEM, AGENTS = "heliostat-system", "heliostat-agents"
SECRETS = ("heliostat-redis", "heliostat-sessions", "heliostat-api-signing")
_WAIT = ("--wait", "--timeout=4m")


@dataclass(frozen=True)
class Chart:
    """One release, `heliostat`, in its usual namespace."""

    cluster: Cluster

    def helm(self, *arguments: str) -> str:
        """Raises AssertionError with helm's own words."""
        kubectl = self.cluster.kubectl
        beside = kubectl.program.parent / "helm"
        command = [str(beside) if beside.exists() else "helm", *arguments, "-n", SYSTEM]
        done = subprocess.run(
            [*command, "--kubeconfig", str(kubectl.kubeconfig)],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def held_by(self, site: Site, chart: Path = CHART) -> Self:
        """Installed from that chart without values, unless the site holds it."""
        site.hold(chart, lambda: self.install(chart=chart), self.remove_all)
        return self

    def install(self, *more: str, chart: Path = CHART) -> None:
        self.helm("install", "heliostat", str(chart), "--create-namespace", *_WAIT, *more)

    def upgrade(self, *more: str, chart: Path = CHART) -> None:
        self.helm("upgrade", "heliostat", str(chart), *_WAIT, *more)

    def rollback(self, revision: int) -> None:
        self.helm("rollback", "heliostat", str(revision), *_WAIT)

    def get(self, kind: str, name: str, namespace: str = SYSTEM) -> JsonObject:
        found: JsonObject = json.loads(
            self.cluster.kubectl("-n", namespace, "get", kind, name, "-o", "json")
        )
        return found

    def metadata(self, kind: str, name: str, namespace: str = SYSTEM) -> JsonObject:
        metadata = self.get(kind, name, namespace)["metadata"]
        assert isinstance(metadata, dict)
        return metadata

    def execute(self, deployment: str, *command: str) -> subprocess.CompletedProcess[str]:
        """In a pod of one of the release's deployments."""
        return self.cluster.kubectl.run(
            "-n", SYSTEM, "exec", f"deployment/{deployment}", "--", *command
        )

    def secrets(self) -> list[object]:
        """What was made once."""
        return [self.get("secret", name)["data"] for name in SECRETS]

    def remove_all(self) -> None:
        """What an uninstall keeps, too."""
        self.helm("uninstall", "heliostat", "--wait", "--timeout=2m")
        kubectl = self.cluster.kubectl
        kubectl("delete", "namespace", AGENTS, SYSTEM, "--ignore-not-found")
        kubectl("delete", "crd", "-l", "app.kubernetes.io/part-of=heliostat", "--ignore-not-found")
