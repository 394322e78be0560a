"""Finds the controllers of all registered kinds in their rooms, the folders of the operator."""

from collections.abc import Sequence
from importlib import import_module

from heliostat_core.kinds import REGISTRY, RegisteredKind
from heliostat_operator.controllers.base import Build, Context, Controller

_OPERATOR = "heliostat_operator"


def build_controllers(
    context: Context, registry: Sequence[RegisteredKind] = REGISTRY
) -> tuple[Controller, ...]:
    """Each room's controllers, built by the function `build` of its module `controller`."""
    rooms = dict.fromkeys(room for each in registry for room in each.rooms)
    return tuple(controller for room in rooms for controller in _build_of(room)(context))


def _build_of(room: str) -> Build:
    build: Build = import_module(f"{_OPERATOR}.{room}.controller").build
    return build
