"""docs/metrics.md says of every metric what the services export: name, kind, labels; no more."""

import re
from pathlib import Path

from support.exported import Family, exported
from tools.machine import ROOT

PAGE = (ROOT / "docs" / "metrics.md").read_text()
ROW = re.compile(r"^\| `(heliostat_\w+)(?:\{([a-z,]+)\})?` \| (\w+) \| .{5,} \|$", re.MULTILINE)
PERSONAL = {"user", "person", "owner", "execution", "run", "key", "session", "id", "uid"}


def documented() -> dict[str, Family]:
    found: dict[str, Family] = {}
    for heading, section in re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S):
        for name, labels, kind in ROW.findall(section):
            words = frozenset(labels.split(",")) if labels else frozenset()
            found[name] = Family(heading.lower(), kind, words)
    return found


async def test_the_page_and_the_services_agree(tmp_path: Path) -> None:
    assert documented() == await exported(tmp_path)


async def test_no_label_names_a_person_or_a_run(tmp_path: Path) -> None:
    for name, family in (await exported(tmp_path)).items():
        assert not family.labels & PERSONAL, name
        if "agent" in family.labels:
            assert name.startswith("heliostat_agent_"), name
