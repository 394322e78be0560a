"""Schedules: when an Agent starts by itself. What they mean, in one place, without any I/O."""

from heliostat_core.schedules.faults import Fault, faults_of
from heliostat_core.schedules.fires import Fire, fires, previous
from heliostat_core.schedules.jitter import jittered
from heliostat_core.schedules.model import Blackout, Schedule
from heliostat_core.schedules.words import LANGUAGES, describe

__all__ = [
    "LANGUAGES",
    "Blackout",
    "Fault",
    "Fire",
    "Schedule",
    "describe",
    "faults_of",
    "fires",
    "jittered",
    "previous",
]
