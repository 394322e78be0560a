"""The runbooks' commands of kubectl: what reads is run, what else is named is in the chart."""

import re

from support.control_plane import Address
from support.runbooks import commands
from tools.machine import ROOT

GOLDEN = ROOT / "tests" / "integration" / "chart" / "golden" / "default.yaml"


def test_what_only_reads_is_taken_by_a_real_api_server(api_server_with_crds: Address) -> None:
    ran = 0
    for words in commands("kubectl"):
        if "get" in words:
            api_server_with_crds.kubectl(*words)
            ran += 1
    assert ran > 10


def test_what_else_is_named_is_made_by_the_chart() -> None:
    made = GOLDEN.read_text()
    for words in commands("kubectl"):
        for word in words:
            if found := re.fullmatch(r"(deployment|statefulset)/([a-z-]+)", word):
                kind, name = found.groups()
                pattern = rf"(?i)kind: {kind}\nmetadata:\n  name: {name}\n"
                assert re.search(pattern, made), word
            elif found := re.fullmatch(r"app\.kubernetes\.io/name=(.+)", word):
                assert f"app.kubernetes.io/name: {found[1]}\n" in made, word
