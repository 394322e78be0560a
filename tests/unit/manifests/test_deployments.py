"""The Deployments set nothing that their programs do not know."""

import re

import pytest

from tools.machine import ROOT

SETTING = re.compile(r"HELIOSTAT_(?:API|OPERATOR|GATEWAY)_[A-Z_]+")


@pytest.mark.parametrize("name", ["operator", "gateway", "writer", "api"])
def test_every_setting_of_a_deployment_exists(name: str) -> None:
    known = set(SETTING.findall((ROOT / "docs" / "settings.md").read_text()))
    used = set(SETTING.findall((ROOT / "manifests" / name / "deployment.yaml").read_text()))
    assert used
    assert used <= known
