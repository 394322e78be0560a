"""Images are built in minutes: what several of them begin with is one layer, built once."""

import re

from tools.images import IMAGES
from tools.machine import ROOT

_PYTHON_IMAGES = [name for name in IMAGES if name != "heliostat-redis"]


def read_stages(image: str) -> list[str]:
    """Each stage's text below its FROM line."""
    return re.split(r"^FROM .*\n", (ROOT / IMAGES[image]).read_text(), flags=re.MULTILINE)[1:]


def test_every_build_begins_with_the_same_layers() -> None:
    beginnings = {read_stages(image)[0].partition("ENV ")[0] for image in _PYTHON_IMAGES}
    (only,) = beginnings
    assert "apt-get install" in only
    assert "uv==" in only


def test_our_services_run_on_the_same_layer() -> None:
    services = [name for name in _PYTHON_IMAGES if name != "heliostat-workspace"]
    (only,) = {read_stages(image)[-1].partition("COPY ")[0] for image in services}
    assert "useradd --uid 10001" in only
