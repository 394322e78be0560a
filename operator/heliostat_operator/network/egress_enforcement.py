"""Egress enforcement tells what the cluster makes of the hosts that an Agent names."""

from enum import Enum


class EgressEnforcement(Enum):
    """Tells what the network of runs is opened to, if anything closes it."""

    NOTHING = "nothing closes it"
    ADDRESSES = "it is closed, and opened to addresses alone"
    NAMES = "it is closed, and opened to addresses and domains"
