"""From a pod to a local container: folders for its mounts, a clean environment, limits.

Paths inside a container are translated: whatever lies below a mount lies in that mount's folder.
"""

import base64
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from heliostat_cli.embedded.quantities import parse_bytes
from heliostat_cli.embedded.supervisor import Container
from heliostat_core.reading import number, part, parts, text, texts
from heliostat_core.worlds import JsonObject

RUNNER = "heliostat-runner"
TERMINATION_LOG = "termination-log"
_GRACE_SECONDS = 30


class ContainerConfigError(Exception):
    """The pod names something that is not there; the text is the kubelet's own."""


@dataclass(frozen=True)
class Surroundings:
    """What a pod names, as it is now: Secrets by name, folders of claims by name."""

    secrets: Mapping[str, JsonObject]
    claims: Mapping[str, Path]


def secret_names(pod: JsonObject) -> set[str]:
    """Secrets that a pod names in volumes and variables."""
    volumes = {text(volume, "secret", "secretName") for volume in parts(pod, "spec", "volumes")}
    variables = {
        text(variable, "valueFrom", "secretKeyRef", "name")
        for variable in parts(_container(pod), "env")
    }
    return (volumes | variables) - {""}


def claim_names(pod: JsonObject) -> set[str]:
    """PersistentVolumeClaims that a pod names."""
    return {
        text(volume, "persistentVolumeClaim", "claimName")
        for volume in parts(pod, "spec", "volumes")
    } - {""}


def prepare(pod: JsonObject, folder: Path, around: Surroundings) -> Container:
    """Make the pod's folders and say what runs in them. Raises ContainerConfigError."""
    container = _container(pod)
    sources = {
        text(volume, "name"): _volume_folder(volume, folder, around)
        for volume in parts(pod, "spec", "volumes")
    }
    mounts = {
        text(mount, "mountPath"): _mounted(mount, sources)
        for mount in parts(container, "volumeMounts")
    }
    mounts[text(container, "terminationMessagePath") or "/dev/termination-log"] = (
        folder / TERMINATION_LOG
    )
    (_made(folder) / TERMINATION_LOG).touch(mode=0o600)
    variables = _variables(pod, around)
    limit = text(container, "resources", "limits", "memory")
    grace = number(pod, "spec", "terminationGracePeriodSeconds")
    cwd = Path(translate(text(container, "workingDir") or "/workspace", mounts))
    return Container(
        command=_command(container),
        env=_environment(pod, folder, variables, mounts),
        cwd=str(cwd if cwd.is_dir() else folder),
        memory_bytes=parse_bytes(limit) if limit else None,
        deadline_seconds=number(pod, "spec", "activeDeadlineSeconds"),
        grace_seconds=_GRACE_SECONDS if grace is None else grace,
    )


def translate(path: str, mounts: Mapping[str, Path]) -> str:
    """A path inside the container as a path on this machine; others stay as they are."""
    inside = PurePosixPath(path)
    for mount in sorted(mounts, key=len, reverse=True):
        if inside.is_relative_to(mount):
            return str(mounts[mount] / inside.relative_to(mount))
    return path


def _container(pod: JsonObject) -> JsonObject:
    containers = parts(pod, "spec", "containers")
    return containers[0] if containers else {}


def _command(container: JsonObject) -> list[str]:
    command = [*texts(container, "command"), *texts(container, "args")]
    if command and command[0] == RUNNER:
        # -P: the workspace, which the agent writes, must not be where Python looks for modules.
        return [sys.executable, "-P", "-m", "heliostat_runner", *command[1:]]
    return command


def _environment(
    pod: JsonObject, folder: Path, variables: Mapping[str, str], mounts: Mapping[str, Path]
) -> dict[str, str]:
    """Nothing of ours is inherited: no provider's key, no setting of a Claude Code outside."""
    home = _made(folder / "home")
    temporary = mounts.get("/tmp") or _made(folder / "tmp")
    workspace = translate("/workspace", mounts)
    own = {
        # Our own interpreter first, so that python3 has the libraries that are installed with us.
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), "/usr/local/bin:/usr/bin:/bin")),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TMPDIR": str(temporary),  # also the mark by which the pod's processes are found
        "HOSTNAME": text(pod, "metadata", "name"),
        "HELIOSTAT_RUN_DIR": translate("/run/heliostat", mounts),
        "HELIOSTAT_WORKSPACE": workspace,
        "HELIOSTAT_STATE_DIR": f"{workspace}/.heliostat",
        "HELIOSTAT_TERMINATION_LOG": str(folder / TERMINATION_LOG),
    }
    return own | {name: translate(value, mounts) for name, value in variables.items()}


def _variables(pod: JsonObject, around: Surroundings) -> dict[str, str]:
    variables = {}
    for variable in parts(_container(pod), "env"):
        source = part(variable, "valueFrom", "secretKeyRef")
        field = text(variable, "valueFrom", "fieldRef", "fieldPath")
        if source:
            value = _secret_value(text(source, "name"), text(source, "key"), around)
        elif field:
            value = text(pod, *field.split("."))
        else:
            value = text(variable, "value")
        variables[text(variable, "name")] = value
    return variables


def _secret_value(name: str, key: str, around: Surroundings) -> str:
    secret = _secret(name, around)
    if key not in part(secret, "data"):
        raise ContainerConfigError(f"couldn't find key {key} in Secret {name}")
    return base64.b64decode(text(secret, "data", key)).decode(errors="replace")


def _secret(name: str, around: Surroundings) -> JsonObject:
    secret = around.secrets.get(name)
    if secret is None:
        raise ContainerConfigError(f'secret "{name}" not found')
    return secret


def _volume_folder(volume: JsonObject, folder: Path, around: Surroundings) -> Path:
    if claim := text(volume, "persistentVolumeClaim", "claimName"):
        if claim not in around.claims:
            raise ContainerConfigError(f'persistentvolumeclaim "{claim}" not found')
        return _made(around.claims[claim])
    made = _made(folder / "volumes" / text(volume, "name"))
    if name := text(volume, "secret", "secretName"):
        secret = _secret(name, around)
        for key in part(secret, "data"):
            _write_private(made / key, base64.b64decode(text(secret, "data", key)))
    return made


def _mounted(mount: JsonObject, sources: Mapping[str, Path]) -> Path:
    source = sources.get(text(mount, "name"))
    if source is None:
        raise ContainerConfigError(f'volume "{text(mount, "name")}" not found')
    below = text(mount, "subPath")
    return _made(source / below) if below else source


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _write_private(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
