"""From a pod to a local container, without a process."""

from pathlib import Path

import pytest

from heliostat_cli.embedded.containers import (
    ContainerConfigError,
    Surroundings,
    claim_names,
    prepare,
    secret_names,
    translate,
)
from heliostat_cli.embedded.documents import copy_document
from heliostat_cli.embedded.quantities import parse_bytes
from heliostat_core.worlds import JsonObject

NOTHING = Surroundings({}, {})


def make_pod(volume: JsonObject, *env: JsonObject) -> JsonObject:
    return copy_document(
        {
            "metadata": {"name": "p", "uid": "u"},
            "spec": {
                "volumes": [{"name": "workspace", **volume}],
                "containers": [
                    {
                        "command": ["heliostat-runner"],
                        "env": list(env),
                        "volumeMounts": [{"name": "workspace", "mountPath": "/workspace"}],
                        "resources": {"limits": {"memory": "1Gi"}},
                    }
                ],
            },
        }
    )


@pytest.mark.parametrize(
    ("path", "translated"),
    [
        ("/workspace", "/real/w"),
        ("/workspace/a/b", "/real/w/a/b"),
        ("/workspace/deep/x", "/real/d/x"),
        ("/workspaces", "/workspaces"),
        ("relative", "relative"),
    ],
)
def test_paths_below_a_mount_are_translated(path: str, translated: str) -> None:
    mounts = {"/workspace": Path("/real/w"), "/workspace/deep": Path("/real/d")}
    assert translate(path, mounts) == translated


def test_the_runner_is_our_own_and_never_a_module_of_the_workspace(tmp_path: Path) -> None:
    container = prepare(make_pod({"emptyDir": {}}), tmp_path, NOTHING)
    assert list(container.command[1:]) == ["-P", "-m", "heliostat_runner"]
    assert container.memory_bytes == 2**30
    assert container.cwd == str(tmp_path / "volumes" / "workspace")


def test_a_claim_is_a_folder_of_its_own(tmp_path: Path) -> None:
    pod = make_pod({"persistentVolumeClaim": {"claimName": "c"}})
    assert claim_names(pod) == {"c"}
    container = prepare(pod, tmp_path / "pod", Surroundings({}, {"c": tmp_path / "claim"}))
    assert container.cwd == str(tmp_path / "claim")
    with pytest.raises(ContainerConfigError, match='persistentvolumeclaim "c" not found'):
        prepare(pod, tmp_path / "pod", NOTHING)


def test_a_missing_key_is_told_as_the_kubelet_tells_it(tmp_path: Path) -> None:
    source: JsonObject = {"secretKeyRef": {"name": "s", "key": "k"}}
    pod = make_pod({"emptyDir": {}}, {"name": "A", "valueFrom": source})
    assert secret_names(pod) == {"s"}
    with pytest.raises(ContainerConfigError, match="couldn't find key k in Secret s"):
        prepare(pod, tmp_path, Surroundings({"s": {"data": {}}}, {}))


@pytest.mark.parametrize(
    ("quantity", "size"),
    [("1Gi", 2**30), ("512Mi", 2**29), ("1.5k", 1500), ("200M", 200_000_000), ("7", 7)],
)
def test_quantities(quantity: str, size: int) -> None:
    assert parse_bytes(quantity) == size


@pytest.mark.parametrize("quantity", ["Gi", "1Xi", ""])
def test_what_is_no_quantity_is_refused(quantity: str) -> None:
    with pytest.raises(ValueError, match="must be a quantity"):
        parse_bytes(quantity)
