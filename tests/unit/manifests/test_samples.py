"""Samples are what people copy: they hold, in the shape that they should copy."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from heliostat_core.agents import Agent
from heliostat_core.executions import Execution
from support.manifests import SAMPLES, read_objects

MODELS: dict[object, type[BaseModel]] = {"Agent": Agent, "Execution": Execution}


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_a_sample_fits_the_models(path: Path) -> None:
    objects = read_objects(path)
    assert objects
    for each in objects:
        MODELS[each["kind"]].model_validate(each, extra="forbid")
