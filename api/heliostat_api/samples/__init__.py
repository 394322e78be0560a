"""Agents to begin with. hello.yaml is the one of manifests/samples."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

import yaml

from heliostat_core.worlds import JsonObject

SALES: Final = "sales.csv"
_INPUTS: Final = {"hello": None, "sales": SALES, "hurried": SALES}


@dataclass(frozen=True)
class Sample:
    """An Agent's document, and the input of its first run."""

    agent: JsonObject
    input: str


def read_text(name: str) -> str:
    """One of the files beside this one."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def read_sample(name: str) -> Sample | None:
    """None when there is no sample of that name."""
    if name not in _INPUTS:
        return None
    agent = next(iter(yaml.safe_load_all(read_text(f"{name}.yaml"))))
    given = _INPUTS[name]
    return Sample(json.loads(json.dumps(agent)), read_text(given).strip() if given else "")
