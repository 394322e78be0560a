"""Build the container images: `make images`, or `python -m tools.images NAME...`.

Builder, in this order: the Docker daemon, the `cluster` script of HELIOSTAT_KUBE (buildah, then
loaded into its node), plain buildah. HELIOSTAT_IMAGE_TAG (default `dev`) is the tag.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tools.machine import find_node_script, has_docker

ROOT = Path(__file__).resolve().parent.parent
IMAGES = {
    "heliostat-operator": "operator/Dockerfile",
    "heliostat-gateway": "gateway/Dockerfile",
    "heliostat-redis": "gateway/redis.Dockerfile",
    "heliostat-api": "api/Dockerfile",
    "heliostat-workspace": "workspace_image/Dockerfile",
}


def choose_builder() -> list[str]:
    """The command that builds, up to and including the option that takes the tag."""
    if has_docker():
        return ["docker", "build", "--tag"]
    if script := find_node_script():
        return [str(script), "build"]
    if buildah := shutil.which("buildah"):
        return [buildah, "build", "--layers", "--tag"]
    raise SystemExit(
        "nothing here builds images. Remedy: start Docker, install buildah, or set HELIOSTAT_KUBE"
        " to the folder of the `cluster` script"
    )


def tag() -> str:
    """That of the images that are built."""
    return os.environ.get("HELIOSTAT_IMAGE_TAG", "dev")


def build(name: str, tag: str) -> None:
    began = time.monotonic()
    command = [*choose_builder(), f"{name}:{tag}", "-f", str(ROOT / IMAGES[name]), str(ROOT)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{done.stdout[-6000:]}\n{name}:{tag} could not be built: see above")
    print(f"{name}:{tag} built in {time.monotonic() - began:.0f} s", flush=True)


def main(names: list[str]) -> None:
    if unknown := sorted(set(names) - set(IMAGES)):
        raise SystemExit(f"no image {', '.join(unknown)}; there are: {', '.join(IMAGES)}")
    for name in names or IMAGES:
        build(name, tag())


if __name__ == "__main__":
    main(sys.argv[1:])
