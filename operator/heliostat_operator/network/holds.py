"""What becomes of the hosts that an Agent names, in the cluster that its runs are in."""

from enum import Enum


class Hold(Enum):
    """What the network of runs is opened to, if anything closes it."""

    NOTHING = "nothing closes it"
    ADDRESSES = "it is closed, and opened to addresses alone"
    NAMES = "it is closed, and opened to addresses and domains"
