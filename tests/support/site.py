"""What is installed on the cluster that tests share."""

from collections.abc import Callable
from dataclasses import dataclass

from support.cluster import Cluster

Step = Callable[[], object]


@dataclass
class Site:
    """Holds one installation at a time: each takes most of a minute to come and to go."""

    cluster: Cluster
    _name: object = None
    _remove: Step | None = None

    def hold(self, name: object, install: Step, remove: Step) -> None:
        """What has that name stays as it is; anything else makes room for it."""
        if self._name != name:
            self.clear()
            self._remove = remove  # of one that fails half-way, too
            install()
            self._name = name

    def clear(self) -> None:
        """Nothing is installed any more."""
        remove, self._name, self._remove = self._remove, None, None
        if remove is not None:
            remove()
