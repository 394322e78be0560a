"""For how long something has been behind."""

from time import monotonic


class Lag:
    """Since when something is behind. It begins behind."""

    def __init__(self) -> None:
        self._since: float | None = monotonic()

    def begin(self) -> None:
        """It is behind from now on, unless it is already."""
        self._since = self._since or monotonic()

    def end(self) -> None:
        """It has caught up."""
        self._since = None

    def seconds(self) -> float:
        """For how long it is behind; 0 while it is not."""
        return 0.0 if self._since is None else monotonic() - self._since
