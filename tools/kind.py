"""A cluster in Docker with Heliostat in it, and its first run: `make kind-up`, `make kind-down`.

Repeating it uses the cluster that is there, and upgrades the chart to what the images are.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tools.images import IMAGES, tag
from tools.machine import ROOT, has_docker

CLUSTER = "heliostat"
CONTEXT = f"kind-{CLUSTER}"
SYSTEM, AGENTS = "heliostat-system", "heliostat-agents"
PROGRAMS = {
    "docker": "https://docs.docker.com/get-started/get-docker/",
    "kind": "https://kind.sigs.k8s.io/docs/user/quick-start/#installation",
    "kubectl": "https://kubernetes.io/docs/tasks/tools/",
    "helm": "https://helm.sh/docs/intro/install/",
}


@dataclass(frozen=True)
class Step:
    """What it says while it is done, and the command."""

    what: str
    command: tuple[str, ...]


def up(is_there: bool) -> Iterator[Step]:
    """From nothing, or from a cluster that is there, to the result of a run."""
    if not is_there:
        config = str(ROOT / "manifests" / "kind.yaml")
        yield Step("making a cluster", ("kind", "create", "cluster", "--config", config))
    yield Step("building the images", (sys.executable, "-m", "tools.images"))
    tags = [f"{name}:{tag()}" for name in IMAGES]
    yield Step("loading them", ("kind", "load", "docker-image", "--name", CLUSTER, *tags))
    yield Step("installing the chart", helm_command())
    if is_there:  # its pods may be of images that had the same tag
        system = ("kubectl", "--context", CONTEXT, "-n", SYSTEM, "rollout")
        workloads = ("deployment,statefulset", "-l", "app.kubernetes.io/part-of=heliostat")
        yield Step("starting pods of the new images", (*system, "restart", *workloads))
        yield Step("waiting for them", (*system, "status", *workloads, "--timeout=5m"))
    kubectl = ("kubectl", "--context", CONTEXT, "-n", AGENTS)
    sample = str(ROOT / "manifests" / "samples" / "hello.yaml")
    yield Step("running the sample", (*kubectl, "apply", "-f", sample))
    wait = ("wait", "--for=condition=Succeeded", "execution/hello-1", "--timeout=180s")
    yield Step("waiting for its end", (*kubectl, *wait))
    yield Step("its result", (*kubectl, "get", "executions"))


def helm_command() -> tuple[str, ...]:
    chart = ROOT / "charts" / "heliostat"
    return (
        *("helm", "upgrade", "--install", "heliostat", str(chart), "--kube-context", CONTEXT),
        *("-n", SYSTEM, "--create-namespace", "-f", str(chart / "values-kind.yaml")),
        *("--set-string", f"image.tag={tag()}"),
        *("--wait", "--timeout", "5m"),
    )


def missing(find: Callable[[str], str | None]) -> list[str]:
    """One line for each program that is not there, with where to get it."""
    return [f"{name} is not installed: {url}" for name, url in PROGRAMS.items() if not find(name)]


def check_machine() -> None:
    """Raises SystemExit with all that is missing."""
    if lacking := missing(shutil.which):
        raise SystemExit("\n".join(lacking))
    if not has_docker():
        raise SystemExit("no Docker daemon answers: start Docker")


def perform(step: Step) -> None:
    print(f"{step.what} ...", flush=True)
    if subprocess.run(step.command, cwd=ROOT, check=False).returncode != 0:
        raise SystemExit(f"{step.what} failed: see above")


def main(verb: str) -> None:
    check_machine()
    if verb == "down":
        perform(Step("removing it", ("kind", "delete", "cluster", "--name", CLUSTER)))
        return
    known = subprocess.run(("kind", "get", "clusters"), capture_output=True, text=True, check=True)
    for step in up(CLUSTER in known.stdout.split()):
        perform(step)
    forward = f"kubectl --context {CONTEXT} -n {SYSTEM} port-forward service/heliostat-api 8080"
    print(f"The dashboard: {forward}\nand then http://localhost:8080. make kind-down removes all.")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "up")
