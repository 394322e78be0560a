"""The room of a small kind: all that the operator needs of it, in a folder of its own."""

from collections.abc import Callable, Sequence

from heliostat_core.worlds import Change, Kind
from heliostat_operator.controllers.base import Context, Controller, Listed
from heliostat_operator.model.keys import Key

WIDGET = Kind("heliostat.dev", "v1alpha1", "Widget", "widgets")


class WidgetController(Controller):
    """Remembers which widgets it has looked at."""

    name = "widget"
    kinds = (WIDGET,)

    def __init__(self, context: Context) -> None:
        super().__init__(depth=1)
        self._queues = context.queues
        self.looks: list[Key] = []
        self.found: list[Key] = []

    def changed(self, kind: Kind, change: Change) -> None:  # noqa: ARG002
        self._queues.add(self.name, change.key)

    async def reconcile(self, key: Key) -> float | None:
        self.looks.append(key)
        return None

    def begin_resync(self) -> Callable[[Listed], None]:
        return lambda listed: self.found.extend(listed[WIDGET])


def build(context: Context) -> Sequence[Controller]:
    return [context.shared(WidgetController, lambda: WidgetController(context))]
